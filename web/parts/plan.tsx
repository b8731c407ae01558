// A plan of parcels: true to scale, north up, with a bar of metres. A drawing and no map: see docs/decisions/0040-page.md.
import type { Geometry, Position } from "geojson";
import "./plan.css";

/** What is drawn of a parcel; its look is the colour of its line in the legend. */
export interface Piece {
  id: string;
  geometry: Geometry | null;
  look: Look;
  /** A number drawn on it. */
  tag?: number;
}

export type Look = "own" | "rented" | "near";
type Ring = Position[];

const METRES = (6_371_007 * Math.PI) / 180; // of one degree of latitude; a small drawing needs no ellipsoid
const [WIDE, HIGH, EDGE, FOOT] = [360, 280, 24, 24]; // FOOT: room for the bar
const AROUND = 64; // the edge where neighbours are to be seen
const BARS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

const rings = ({ geometry: g }: Piece): Ring[] =>
  g?.type === "Polygon" ? g.coordinates : g?.type === "MultiPolygon" ? g.coordinates.flat() : [];

interface Scale {
  /** Lon/lat to the drawing's units. */
  at: (p: Position) => [number, number];
  /** Metres of one unit. */
  metres: number;
}

/** One scale for both directions, so that all points are within the edges. */
function fitted(points: Ring, edge: number): Scale {
  const [lons, lats] = [points.map((q) => q[0]!), points.map((q) => q[1]!)];
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const [wide, high] = [(east - west) * METRES * narrow, (north - south) * METRES];
  const metres = Math.max(wide / (WIDE - 2 * edge), high / (HIGH - FOOT - 2 * edge), 0.2);
  const [left, top] = [(WIDE - wide / metres) / 2, (HIGH - FOOT - high / metres) / 2];
  return { at: (p) => [left + ((p[0]! - west) * METRES * narrow) / metres, top + ((north - p[1]!) * METRES) / metres], metres };
}

function Shape({ piece, at }: { piece: Piece; at: Scale["at"] }) {
  const all = rings(piece);
  const outline = all.map((ring) => `M${ring.map((q) => at(q).map((v) => v.toFixed(1)).join(" ")).join("L")}Z`).join("");
  const corners = all[0]!.map(at);
  const [x, y] = [0, 1].map((n) => corners.reduce((sum, q) => sum + q[n]!, 0) / corners.length);
  return (
    <g class={`plan-${piece.look}`}>
      <path d={outline} fill-rule="evenodd">
        <title>{piece.id}</title>
      </path>
      {piece.tag && (
        <>
          <circle cx={x} cy={y} r="9" />
          <text x={x} y={y} dy="0.35em" text-anchor="middle">
            {piece.tag}
          </text>
        </>
      )}
    </g>
  );
}

function Measure({ metres }: { metres: number }) {
  const length = BARS.find((m) => m / metres >= 50) ?? BARS.at(-1)!;
  return (
    <g class="plan-scale">
      <path d={`M${EDGE} ${HIGH - 14}v6h${(length / metres).toFixed(1)}v-6`} />
      <text x={EDGE} y={HIGH - 18}>
        {length >= 1000 ? `${length / 1000} km` : `${length} m`}
      </text>
      <path d={`M${WIDE - 18} 34V12m-5 8 5-9 5 9`} />
      <text x={WIDE - 18} y={46} text-anchor="middle">
        N
      </text>
    </g>
  );
}

/** The pieces fill the drawing; those `near` lie beneath as far as they reach into it. */
export function Plan(p: { pieces: readonly Piece[]; label: string; legend: readonly (readonly [Look, string])[] }) {
  const shown = p.pieces.filter((x) => rings(x).length > 0);
  const meant = shown.filter((x) => x.look !== "near");
  const { at, metres } = fitted(meant.flatMap(rings).flat(), meant.length < shown.length ? AROUND : EDGE);
  const ordered = [...shown.filter((x) => x.look === "near"), ...meant];
  const looks = new Set(shown.map((x) => x.look));
  return (
    <figure class="plan">
      <svg viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={p.label}>
        {ordered.map((x) => <Shape key={x.id} piece={x} at={at} />)}
        <Measure metres={metres} />
      </svg>
      <ul class="legend">
        {p.legend.filter(([look]) => looks.has(look)).map(([look, label]) => (
          <li key={look}>
            <i class={`swatch-plan-${look}`} aria-hidden="true" />
            <span>{label}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
