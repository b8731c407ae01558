// How parcels and regions are drawn: the filter of the bar and the colours as MapLibre expressions.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, Map, StyleSpecification, VectorSourceSpecification } from "maplibre-gl";
import { token } from "../../parts/legend";
import type { Asked } from "../../state/address";
import { rampSteps } from "./bands";

/** GB/T 4754-2017: the first division of each section. */
const SECTIONS = "A01 B06 C13 D44 E47 F51 G53 H61 I63 J66 K70 L71 M73 N76 O80 P83 Q84 R86 S91 T97".split(" ");
export const SOURCE = "release";
/** Below it regions stand for their parcels. */
export const PARCELS_FROM = 10;

type Expression = ExpressionSpecification;
const prefix = (name: string, code: string): Expression => ["==", ["slice", ["to-string", ["get", name]], 0, code.length], code];

function industry(code: string): Expression {
  const section = SECTIONS.findIndex((s) => s[0] === code.toUpperCase());
  if (section < 0) return prefix("industry_code", code);
  const division: Expression = ["slice", ["to-string", ["get", "industry_code"]], 0, 2];
  return ["all", [">=", division, SECTIONS[section]!.slice(1)], ["<", division, SECTIONS[section + 1]?.slice(1) ?? "98"]];
}

function group(name: string): Expression {
  // no land is in neither group, and null would count as 0
  const land: Expression = ["case", ["==", ["typeof", ["get", "land_mu"]], "number"], ["get", "land_mu"], -1];
  if (name === "land_3mu_up") return [">=", land, 3];
  if (name === "land_below_3mu") return ["all", [">=", land, 0], ["<", land, 3]];
  return ["==", ["get", "scale_group"], name];
}

/** Region codes come with or without the zeros at their end: 320500 is 3205. */
export const shortCode = (code: string): string => (code.length === 6 ? code.replace(/(00)+$/, "") : code);

/** The parcels that the bar asks for, by their main user: as the rankings choose rows (a test compares the two).
 * `found`: the enterprises that the API named for the whole question. Always true without a question. */
export function asksFor(asked: Asked, found: readonly string[] | null): Expression {
  // a look-up: a list would be gone through for every parcel
  if (found) return found.length ? ["match", ["to-string", ["get", "enterprise_id"]], [...found], true, false] : ["literal", false];
  const parts: Expression[] = [["has", "enterprise_id"]];
  if (asked.industry) parts.push(industry(asked.industry));
  if (asked.region) parts.push(prefix("region_code", shortCode(asked.region)));
  if (asked.size) parts.push(["==", ["get", "size"], asked.size]);
  if (asked.group && asked.group !== "all") parts.push(group(asked.group));
  if (asked.grade) parts.push(["==", ["get", "grade"], asked.grade]);
  return parts.length > 1 ? (["all", ...parts] as Expression) : ["literal", true];
}

/** How what is drawn is coloured. `share`: the place of a rank, 1 = first. */
export type Colour = { kind: "grade" } | { kind: "metric" | "rank"; edges: readonly number[]; metric: string };

/** Place in the ranking, 0 (last) to 1 (first). */
export const PLACE: Expression = ["-", 1, ["/", ["-", ["get", "rank"], 1], ["max", 1, ["-", ["get", "of"], 1]]]];

function stepped(value: Expression, edges: readonly number[]): Expression {
  const colours = rampSteps(edges.length + 1).map((n) => token(`--ramp-${n}`));
  const steps = edges.flatMap((edge, i) => [edge, colours[i + 1]!]);
  return ["step", value, colours[0]!, ...steps] as Expression;
}

/** Fill of a parcel; grey where there is no figure. */
export function parcelColour(colour: Colour): Expression {
  const none = token("--no-data");
  if (colour.kind === "grade") {
    const grades = ["A", "B", "C", "D", "T"].flatMap((g) => [g, token(`--grade-${g}`)]);
    return ["match", ["to-string", ["get", "grade"]], ...grades, none] as unknown as Expression;
  }
  const name = colour.kind === "rank" ? "rank" : colour.metric;
  const value: Expression = colour.kind === "rank" ? PLACE : ["get", name];
  const drawn = colour.edges.length ? stepped(value, colour.edges) : token("--ramp-3");
  return ["case", ["==", ["typeof", ["get", name]], "number"], drawn, none] as Expression;
}

/** Fill of the regions: values by code from /summary; grey where there is none. */
export function regionColour(values: ReadonlyMap<string, number>, edges: readonly number[]): Expression | string {
  const colours = rampSteps(edges.length + 1).map((n) => token(`--ramp-${n}`));
  const of = (value: number) => colours[edges.filter((e) => value >= e).length]!;
  const lines = [...values].flatMap(([code, value]) => [code, of(value)]);
  if (lines.length === 0) return token("--no-data");
  return ["match", ["to-string", ["get", "region_code"]], ...lines, token("--no-data")] as unknown as Expression;
}

/** Metres of height for one unit of the figure: so that the ninth tenth stands some 600 m high; 1, 2 or 5 × 10ⁿ. */
export const heightOf = (metric: string, scale: number, most: number): Expression => [
  "*",
  scale,
  ["min", most, ["max", 0, ["to-number", ["get", metric], 0]]],
];

/** A parcel is drawn in full where `asks` holds, pale elsewhere. */
export const opacity = (asks: Expression): Expression => ["case", asks, 0.9, 0.13];

/** Whether land is drawn as parcels, or (for who may not see parcels) as points of enterprises. */
export type Kind = "parcels" | "enterprises";

const NOTHING = ["==", ["get", "enterprise_id"], ""] as FilterSpecification;

function shapes(kind: Kind): LayerSpecification[] {
  const from = { source: SOURCE, "source-layer": kind, minzoom: PARCELS_FROM } as const;
  const none = token("--no-data");
  if (kind === "enterprises") {
    const radius: Expression = ["interpolate", ["linear"], ["zoom"], 10, 2.5, 14, 7];
    return [
      { id: "land", type: "circle", ...from, paint: { "circle-color": none, "circle-radius": radius, "circle-stroke-width": 0.6, "circle-stroke-color": token("--line-strong") } },
      { id: "chosen", type: "circle", ...from, filter: NOTHING, paint: { "circle-radius": 10, "circle-opacity": 0, "circle-stroke-width": 2.5, "circle-stroke-color": token("--ink") } },
    ];
  }
  return [
    { id: "land", type: "fill", ...from, paint: { "fill-color": none, "fill-opacity": 0.9 } },
    { id: "land-lines", type: "line", ...from, minzoom: 11.5, paint: { "line-color": token("--line-strong"), "line-width": 0.6, "line-opacity": 0.7 } },
    { id: "land-3d", type: "fill-extrusion", ...from, layout: { visibility: "none" }, paint: { "fill-extrusion-color": none, "fill-extrusion-opacity": 0.92 } },
    { id: "chosen", type: "line", ...from, filter: NOTHING, paint: { "line-color": token("--ink"), "line-width": 2.5 } },
  ];
}

/** The style before anything is known: the basemap at most. The ground is the box's own colour. */
export function ground(basemap: string): StyleSpecification {
  return {
    version: 8,
    transition: { duration: 0 }, // colours are there at once
    sources: basemap ? { basemap: { type: "raster", tiles: [basemap], tileSize: 256 } } : {},
    layers: basemap
      ? [{ id: "basemap", type: "raster", source: "basemap", layout: { visibility: "none" }, paint: { "raster-saturation": -0.4 } }]
      : [],
  };
}

/** The land of an archive, in no colour yet. */
export function addLand(map: Map, archive: VectorSourceSpecification, kind: Kind): void {
  map.addSource(SOURCE, archive);
  for (const layer of shapes(kind)) map.addLayer(layer);
}
