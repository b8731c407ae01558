// The parcels drawn small, true to scale, north up; and as a table.
import { figure, NoData } from "../../parts/number";
import { toView } from "../../state/address";
import { may } from "../../state/catalogue";
import { type Shown, useOwn } from "./ask";
import { Section, Wide } from "./section";
import { type Key, w } from "./words";

type Ring = [number, number][];

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
  geometry: { type: "Polygon"; coordinates: Ring[] } | { type: "MultiPolygon"; coordinates: Ring[][] } | null;
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
        {drawn.length > 0 ? <Drawing parcels={drawn} /> : <p class="note">{w("land_none")}</p>}
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

const EARTH = 6_371_007; // metres; a small drawing needs no ellipsoid
const [WIDE, HIGH, EDGE, FOOT] = [360, 280, 24, 24]; // FOOT: room for the scale

/** A parcel's first corner as the map's address says a place: latitude, longitude, zoom, bearing, pitch. */
function place(x: Parcel): string {
  const [lon, lat] = rings(x)[0]![0]!;
  return [lat.toFixed(5), lon.toFixed(5), 15, 0, 0].join(",");
}

const rings = (x: Parcel): Ring[] => (!x.geometry ? [] : x.geometry.type === "Polygon" ? x.geometry.coordinates : x.geometry.coordinates.flat());

/** Lon/lat to the drawing's pixels, one scale for both directions; metres of a pixel beside. */
function fitted(all: Ring): { at: (p: [number, number]) => [number, number]; metres: number } {
  const [lons, lats] = [all.map((q) => q[0]), all.map((q) => q[1])];
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  const degree = (EARTH * Math.PI) / 180;
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const [w_, h_] = [(east - west) * degree * narrow, (north - south) * degree];
  const metres = Math.max(w_ / (WIDE - 2 * EDGE), h_ / (HIGH - FOOT - 2 * EDGE), 0.2);
  const [left, top] = [(WIDE - w_ / metres) / 2, (HIGH - FOOT - h_ / metres) / 2];
  const at = ([lon, lat]: [number, number]): [number, number] => [left + ((lon - west) * degree * narrow) / metres, top + ((north - lat) * degree) / metres];
  return { at, metres };
}

function Drawing({ parcels }: { parcels: Parcel[] }) {
  const { at, metres } = fitted(parcels.flatMap(rings).flat());
  const round = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000].find((m) => m / metres >= 50) ?? 100_000;
  const label = round >= 1000 ? `${round / 1000} km` : `${round} m`;
  return (
    <svg class="parcels" viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={w("land_map", { n: parcels.length })}>
      {parcels.map((x, i) => {
        const [lon, lat] = rings(x)[0]!.reduce((s, q) => [s[0] + q[0], s[1] + q[1]], [0, 0]).map((v) => v / rings(x)[0]!.length) as [number, number];
        const [cx, cy] = at([lon, lat]);
        const path = rings(x).map((ring) => `M${ring.map((q) => at(q).map((v) => v.toFixed(1)).join(" ")).join("L")}Z`).join("");
        return (
          <g key={x.id} class={x.properties.kinds.includes("own") ? "own" : "rented"}>
            <path d={path} fill-rule="evenodd">
              <title>{x.id}</title>
            </path>
            <circle cx={cx} cy={cy} r="9" />
            <text x={cx} y={cy} dy="0.35em" text-anchor="middle">
              {i + 1}
            </text>
          </g>
        );
      })}
      <g class="scale">
        <path d={`M${EDGE} ${HIGH - 14}v6h${(round / metres).toFixed(1)}v-6`} />
        <text x={EDGE} y={HIGH - 18}>
          {label}
        </text>
        <path d={`M${WIDE - 18} 34V12m-5 8 5-9 5 9`} />
        <text x={WIDE - 18} y={46} text-anchor="middle">
          N
        </text>
      </g>
    </svg>
  );
}
