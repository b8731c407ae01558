// The map itself: MapLibre on the release's archive. Knows nothing of the page but what it is told.
import { Map, NavigationControl, ScaleControl, addProtocol, prewarm, setWorkerUrl, type MapMouseEvent } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import { PMTiles, Protocol } from "pmtiles";
import { lang, t } from "../../words";
import { FILLED } from "./places";
import { ground, type Kind, SOURCE } from "./style";

/** Latitude, longitude, zoom, bearing, pitch: what `at` in the address holds. */
export type At = readonly number[];
export type Parcel = Record<string, string | number | boolean | null | undefined>;

const frame = document.getElementById("page") as HTMLScriptElement;
const protocol = new Protocol();
setWorkerUrl(new URL(frame.dataset.worker!, location.href).href);
prewarm(); // the worker loads while the archive is asked
addProtocol("pmtiles", protocol.tile);

export const basemap = (): string => frame.dataset.basemap ?? "";

export function readAt(text: string | undefined): At | null {
  const numbers = text?.split(",").map(Number) ?? [];
  return numbers.length === 5 && numbers.every(Number.isFinite) ? numbers : null;
}

/** The archive's bounds, the names of its features' figures (what this viewer may see), whether it knows regions. */
export async function about(archive: string, kind: Kind): Promise<{ bounds: [number, number, number, number]; fields: Set<string>; hasRegions: boolean }> {
  const file = new PMTiles(archive);
  protocol.add(file);
  const head = await file.getHeader();
  const told = (await file.getMetadata()) as { vector_layers?: { id: string; fields: Record<string, string> }[] };
  const fields = told.vector_layers?.find((l) => l.id === kind)?.fields ?? {};
  const hasRegions = kind === "enterprises" || (told.vector_layers?.some((l) => l.id === "regions") ?? false);
  return { hasRegions, bounds: [head.minLon, head.minLat, head.maxLon, head.maxLat], fields: new Set(Object.keys(fields)) };
}

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
  const map = new Map({
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
  map.addControl(new NavigationControl({ visualizePitch: true }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-right");
  map.getCanvas().setAttribute("aria-label", t("map_title"));
  map.getCanvas().lang = lang();
  listen(map, on);
  return map;
}

/** What the archive holds of the world, in the window. */
export const fit = (map: Map, bounds: [number, number, number, number]): void => void map.fitBounds(bounds, { padding: 24, animate: false });

function listen(map: Map, on: Told): void {
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
