// The map itself: MapLibre on the release's archive. Knows nothing of the page but what it is told.
import type { Map, MapMouseEvent, VectorSourceSpecification } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { Archive } from "../../libs/map";
import { lang, t } from "../../words";
import { FILLED } from "./places";
import { ground, SOURCE } from "./style";

/** Latitude, longitude, zoom, bearing, pitch: what `at` in the address holds. */
export type At = readonly number[];
export type Parcel = Record<string, string | number | boolean | null | undefined>;

const frame = document.getElementById("page") as HTMLScriptElement;

export const basemap = (): string => frame.dataset.basemap ?? "";

export function readAt(text: string | undefined): At | null {
  const numbers = text?.split(",").map(Number) ?? [];
  return numbers.length === 5 && numbers.every(Number.isFinite) ? numbers : null;
}

let lib: typeof import("../../libs/map");

/** The map's library; to be awaited before anything is drawn. */
export const loadMap = async (): Promise<typeof lib> => (lib = await import("../../libs/map"));

const WORDS = (): Record<string, string> => ({
  "NavigationControl.ZoomIn": t("map_zoom_in"),
  "NavigationControl.ZoomOut": t("map_zoom_out"),
  "NavigationControl.ResetBearing": t("map_north"),
  "Map.Title": t("map_title"),
});

export interface Told {
  onMove: (at: At) => void;
  onPoint: (at: { lon: number; lat: number } | null, parcel: Parcel | null, point: { x: number; y: number }) => void;
  onPick: (parcel: Parcel | null, touch: boolean) => void;
}

/** A map in `box` without its land yet; throws where the browser has no WebGL. */
export function draw(box: HTMLElement, at: At | null, on: Told): Map {
  const map = new lib.Map({
    container: box,
    style: ground(basemap()),
    validateStyle: false, // it is this page's own, and tsc has seen it
    fadeDuration: 0,
    renderWorldCopies: false,
    attributionControl: frame.dataset.credit ? { customAttribution: frame.dataset.credit.replaceAll("<", "&lt;") } : false,
    locale: WORDS(),
    maxPitch: 70,
    minZoom: 4,
    maxZoom: 18,
    dragRotate: true,
    ...(at ? { center: [at[1]!, at[0]!], zoom: at[2], bearing: at[3], pitch: at[4] } : {}),
  });
  map.addControl(new lib.NavigationControl({ visualizePitch: true }), "top-right");
  map.addControl(new lib.ScaleControl({ unit: "metric" }), "bottom-right");
  map.getCanvas().setAttribute("aria-label", t("map_title"));
  map.getCanvas().lang = lang();
  listen(map, on);
  return map;
}

/** The archive as MapLibre's source. */
export function source({ url, head }: Archive): VectorSourceSpecification {
  const bounds = boundsOf(head);
  return { type: "vector", tiles: [`pmtiles://${url}/{z}/{x}/{y}`], minzoom: head.minZoom, maxzoom: head.maxZoom, bounds };
}

const boundsOf = (h: Archive["head"]): [number, number, number, number] => [h.minLon, h.minLat, h.maxLon, h.maxLat];

/** What the archive holds of the world, in the window. */
export const fit = (map: Map, archive: Archive): void => void map.fitBounds(boundsOf(archive.head), { padding: 24, animate: false });

let left = -Infinity;
// the second where the next page is long in coming
for (const event of ["beforeunload", "pagehide"]) addEventListener(event, () => (left = performance.now()));

/** Whether the page is being left: what is still on its way is cut off then, and that is no fault. A download stays. */
const isLeaving = (): boolean => performance.now() - left < 3000;

function listen(map: Map, on: Told): void {
  // what crossed the worker is an Error without its words where it is only shown as an object
  map.on("error", ({ error }) => isLeaving() || console.error(error.message));
  const parcelAt = (e: MapMouseEvent): Parcel | null => {
    const layers = ["land-3d", "land", ...FILLED.map((l) => l.id)].filter((l) => map.getLayer(l));
    const [first] = map.queryRenderedFeatures(e.point, { layers });
    return first ? { ...first.properties, isRegion: first.source !== SOURCE } : null;
  };
  map.on("moveend", () => {
    const c = map.getCenter();
    const round = (x: number, n: number) => Number(x.toFixed(n));
    on.onMove([round(c.lat, 5), round(c.lng, 5), round(map.getZoom(), 2), round(map.getBearing(), 1), round(map.getPitch(), 1)]);
  });
  map.on("mousemove", (e) => {
    const parcel = map.isMoving() ? null : parcelAt(e);
    map.getCanvas().style.cursor = parcel?.enterprise_id ? "pointer" : "";
    on.onPoint({ lon: e.lngLat.lng, lat: e.lngLat.lat }, parcel, e.point);
  });
  map.on("mouseout", () => on.onPoint(null, null, { x: 0, y: 0 }));
  map.on("click", (e) => on.onPick(parcelAt(e), (e.originalEvent as PointerEvent).pointerType === "touch"));
}
