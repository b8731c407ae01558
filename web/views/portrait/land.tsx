// The parcels drawn small, true to scale, north up; and as a table.
import type { Geometry, Position } from "geojson";
import { figure, NoData } from "../../parts/number";
import { Plan } from "../../parts/plan";
import { toView } from "../../state/address";
import { may } from "../../state/catalogue";
import { type Shown, useOwn } from "./ask";
import { Section, Wide } from "./section";
import { type Key, w } from "./words";

interface Parcel {
  id: string;
  properties: {
    parcel_code: string;
    kinds: string[];
    area_mu: number | null;
    drawn_mu: number | null;
    used_mu: number;
    users: number;
    disputed: boolean;
  };
  geometry: Geometry | null;
}

export function Land(p: Shown) {
  const known = useOwn<{ features: Parcel[] }>(p, "/parcels", {}, may(p.catalogue, "layer_parcels"));
  const parcels = known.data?.features ?? [];
  const drawn = parcels.filter((x) => x.geometry);
  return (
    <Section
      name="land"
      title={w("land")}
      known={known}
      empty={known.data ? !parcels.length && w("land_none") : !known.loading && w("hidden")}
      controls={drawn.length > 0 && <a class="noprint" href={toView(p.asked, "map", { at: place(drawn[0]!) })}>{w("to_map")}</a>}
    >
      <div class="land">
        {drawn.length > 0 ? <Drawn parcels={drawn} /> : <p class="note">{w("land_none")}</p>}
        <Wide label={w("land")}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{w("parcel")}</th>
                <th scope="col">{w("kind")}</th>
                {(["area", "drawn", "used"] as const).map((k) => <th key={k} scope="col" class="number">{w(k)} <span class="unit">{w("mu")}</span></th>)}
                <th scope="col" class="number">{w("users")}</th>
              </tr>
            </thead>
            <tbody>
              {parcels.map((x, i) => (
                <tr key={x.id}>
                  <th scope="row">
                    {x.geometry && <b class="tag">{drawn.indexOf(x) + 1}</b>} <span class="id">{x.id}</span>
                    {x.properties.disputed && <span class="note how-disputed">{w("disputed_area")}</span>}
                    {!x.geometry && <span class="note">{w("undrawn")}</span>}
                  </th>
                  <td>{x.properties.kinds.map((k) => w(`kind_${k}` as Key)).join(" · ")}</td>
                  {[x.properties.area_mu, x.properties.drawn_mu, x.properties.used_mu].map((v, j) => <td key={`${i} ${j}`} class="number">{v === null ? <NoData /> : figure(v, 2)}</td>)}
                  <td class="number">{x.properties.users}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      </div>
    </Section>
  );
}

/** A parcel's first corner as the map's address says a place: latitude, longitude, zoom, bearing, pitch. */
function place({ geometry: g }: Parcel): string {
  const [lon, lat] = (g?.type === "MultiPolygon" ? g.coordinates[0]![0]![0] : g?.type === "Polygon" ? g.coordinates[0]![0] : undefined) as Position;
  return [lat!.toFixed(5), lon!.toFixed(5), 15, 0, 0].join(",");
}

function Drawn({ parcels }: { parcels: Parcel[] }) {
  const pieces = parcels.map((x, i) => {
    const look = x.properties.kinds.includes("own") ? "own" : "rented";
    return { id: x.id, geometry: x.geometry, tag: i + 1, look } as const;
  });
  return <Plan pieces={pieces} label={w("land_map", { n: parcels.length })} legend={[["own", w("kind_own")], ["rented", w("kind_rented_in")]]} />;
}
