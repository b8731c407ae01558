// One parcel: its drawing among its neighbours, declared against drawn area, who uses it.
import type { Feature, Position } from "geojson";
import { Figure } from "../../parts/number";
import { path } from "../../state/api";
import { either, t, tOr } from "../../words";
import { useFresh } from "./fresh";
import { Missing } from "./parts";

interface User {
  enterprise_id: string;
  name: string | null;
  kind: string;
  area_mu: number | null;
  from_on: string | null;
  to_on: string | null;
}

interface Parcel {
  year: number;
  parcel_code: string;
  declared_mu: number | null;
  drawn_mu: number | null;
  feature: Feature | null;
  neighbours: Feature[];
  users: User[];
  findings: { kind: string; note_zh: string; note_en: string; file?: string | null; sheet: string | null; row: number | null }[];
}

export function ParcelOf(p: { code: string; year?: string }) {
  const found = useFresh<Parcel>(path(`desk/disputes/land/${encodeURIComponent(p.code)}`, { year: p.year }));
  const { data } = found;
  if (!data) return <Missing {...found} />;
  return (
    <div class="desk-parcel">
      {data.feature ? <Sketch own={data.feature} near={data.neighbours} /> : <p class="empty">{t("desk_not_drawn")}</p>}
      <div>
        <p class="id">{data.parcel_code}</p>
        <dl class="desk-areas">
          <div><dt>{t("desk_declared")}</dt><dd><Figure value={data.declared_mu} unit={t("desk_mu")} /></dd></div>
          <div><dt>{t("desk_drawn")}</dt><dd><Figure value={data.drawn_mu} unit={t("desk_mu")} /></dd></div>
        </dl>
        <ul>{data.findings.map((f, n) => <li key={n}>{either(f.note_zh, f.note_en)}</li>)}</ul>
        <h4>{t("desk_users")}</h4>
        {data.users.length === 0 && <p>{t("desk_no_users")}</p>}
        <ul>
          {data.users.map((u, n) => (
            <li key={n}>
              {u.name ?? u.enterprise_id} · {tOr(`desk_use_${u.kind}`, u.kind)} · <Figure value={u.area_mu} unit={t("desk_mu")} /> <span class="note-inline">{[u.from_on, u.to_on].filter(Boolean).join(" – ")}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

const SIZE = 320;
const METRES = 111_320; // of one degree of latitude
type Ring = Position[];

function ringsOf(feature: Feature): Ring[] {
  const g = feature.geometry;
  return g.type === "Polygon" ? g.coordinates : g.type === "MultiPolygon" ? g.coordinates.flat() : [];
}

/** North is up, metres are even: a plan, no map; 20 % of margin show what lies beside. */
function Sketch(p: { own: Feature; near: Feature[] }) {
  const points = ringsOf(p.own).flat();
  const [west, east] = [Math.min(...points.map((x) => x[0]!)), Math.max(...points.map((x) => x[0]!))];
  const [south, north] = [Math.min(...points.map((x) => x[1]!)), Math.max(...points.map((x) => x[1]!))];
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const span = Math.max((east - west) * squeeze, north - south) * 1.4 || 1e-4;
  const at = (x: Position) => {
    const across = (((x[0]! - (west + east) / 2) * squeeze) / span + 0.5) * SIZE;
    const down = (0.5 - (x[1]! - (south + north) / 2) / span) * SIZE;
    return `${across.toFixed(1)},${down.toFixed(1)}`;
  };
  const drawn = (f: Feature) => ringsOf(f).map((ring) => `M${ring.map(at).join("L")}Z`).join("");
  const metres = span * METRES;
  const bar = 10 ** Math.floor(Math.log10(metres / 2));
  const length = metres / 2 / bar >= 5 ? 5 * bar : metres / 2 / bar >= 2 ? 2 * bar : bar;
  const wide = (length / metres) * SIZE;
  return (
    <svg class="desk-sketch" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={t("desk_sketch", { code: String(p.own.id ?? "") })}>
      {p.near.map((f) => <path key={String(f.id)} class="desk-near" d={drawn(f)}><title>{String(f.id)}</title></path>)}
      <path class="desk-own" fill-rule="evenodd" d={drawn(p.own)} />
      <path class="desk-bar" d={`M12 ${SIZE - 14}h${wide.toFixed(1)}`} />
      <text x="12" y={SIZE - 20}>{length >= 1000 ? `${length / 1000} km` : `${length} m`}</text>
    </svg>
  );
}
