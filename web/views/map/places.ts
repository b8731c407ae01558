// Regions from their own archive: filled at low zooms, outlines and names above.
import type { ExpressionSpecification, GeoJSONSource, Map, VectorSourceSpecification } from "maplibre-gl";
import type { Feature, Geometry, Position } from "geojson";
import { token } from "../../parts/legend";
import { PARCELS_FROM } from "./style";

const SOURCE = "places";
type Expression = ExpressionSpecification;
const digits: Expression = ["length", ["to-string", ["get", "region_code"]]];
const isPlain: Expression = ["==", ["to-string", ["get", "zone_code"]], ""];

/** The level that is filled at a zoom: cities, counties, towns; then the land itself is drawn. */
export const FILLED = [
  { id: "fill-region_city", digits: 4, minzoom: 0, maxzoom: 7 },
  { id: "fill-region_county", digits: 6, minzoom: 7, maxzoom: 9 },
  { id: "fill-region_town", digits: 9, minzoom: 9, maxzoom: PARCELS_FROM },
] as const;

function addFills(map: Map): void {
  for (const { digits: n, ...layer } of FILLED) {
    map.addLayer({
      ...layer, type: "fill", source: SOURCE, "source-layer": "regions", filter: ["all", ["==", digits, n], isPlain],
      paint: { "fill-color": token("--no-data"), "fill-opacity": 0.85, "fill-antialias": false }, // lines lie on the edges
    }, "land");
  }
}

function addLines(map: Map): void {
  const lines = [
    { id: "towns", digits: 9, minzoom: 9, width: 0.6 },
    { id: "counties", digits: 6, minzoom: 7, width: 1.3 },
    { id: "cities", digits: 4, minzoom: 4, width: 2 },
  ];
  for (const line of lines) {
    map.addLayer({
      id: line.id, type: "line", source: SOURCE, "source-layer": "regions", minzoom: line.minzoom,
      filter: ["all", ["==", digits, line.digits], isPlain],
      paint: { "line-color": token("--ink-soft"), "line-width": line.width, "line-opacity": 0.55 },
    }, "chosen");
  }
}

function addNames(map: Map): void {
  map.addSource("names", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({
    id: "names", type: "symbol", source: "names",
    layout: { "text-field": ["get", "name"], "text-size": 13, "text-font": ["sans-serif"], "text-padding": 6 },
    paint: { "text-color": token("--ink"), "text-halo-color": "#ffffff", "text-halo-width": 1.6 },
  });
}

/** Corners of a feature, whatever its kind. */
function corners(geometry: Geometry): Position[] {
  if (geometry.type === "Polygon") return geometry.coordinates[0] ?? [];
  return geometry.type === "MultiPolygon" ? geometry.coordinates.flatMap((part) => part[0] ?? []) : [];
}

/** One name a region, in the middle of what is loaded of it: tiles cut a region into many pieces. */
function putNames(map: Map): boolean {
  const level = map.getZoom() < 7 ? 4 : map.getZoom() < 10.5 ? 6 : 9;
  const pieces = map.querySourceFeatures(SOURCE, { sourceLayer: "regions", filter: ["all", ["==", digits, level], isPlain] });
  const boxes: Record<string, [number, number, number, number]> = {};
  for (const piece of pieces) {
    const name = String(piece.properties.name ?? "");
    const box = (boxes[name] ??= [Infinity, Infinity, -Infinity, -Infinity]);
    for (const [x, y] of corners(piece.geometry)) {
      [box[0], box[1], box[2], box[3]] = [Math.min(box[0], x!), Math.min(box[1], y!), Math.max(box[2], x!), Math.max(box[3], y!)];
    }
  }
  const features = Object.entries(boxes).map(([name, b]): Feature => ({
    type: "Feature",
    properties: { name },
    geometry: { type: "Point", coordinates: [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2] },
  }));
  (map.getSource("names") as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features });
  return features.length > 0;
}

/** Add outlines and names; `archive` is the regions' own. */
export function addPlaces(map: Map, archive: VectorSourceSpecification): void {
  map.addSource(SOURCE, archive);
  addFills(map);
  addLines(map);
  let shown = "";
  map.on("idle", () => {
    if (!map.getSource("names")) addNames(map); // names come once the land is drawn
    const now = `${map.getCenter()} ${map.getZoom()}`;
    if (now === shown) return; // setting names makes the map idle again
    if (putNames(map)) shown = now;
  });
}
