// One map for as long as its archive lives; what is asked is painted onto it.
import type { FilterSpecification, Map } from "maplibre-gl";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Asked } from "../../state/address";
import { ApiError, call, useData, path } from "../../state/api";
import type { Catalogue, Release } from "../../state/catalogue";
import { draw, fit, loadMap, type Parcel, readAt, source, type Told } from "./draw";
import type { Painted } from "./figures";
import { plain } from "./bands";
import { addPlaces } from "./places";
import { addLand, asksFor, heightOf, type Kind, opacity, parcelColour, PARCELS_FROM, regionColour } from "./style";

export interface Ground {
  map: { current: Map | null };
  fields: ReadonlySet<string>;
  zoom: number;
  /** Whether a frame was drawn with everything that was asked first. */
  isDrawn: boolean;
  onDrawn: () => void;
  error?: unknown;
}

type Handlers = Omit<Told, "onMove">;
const NONE: ReadonlySet<string> = new Set();
const TRIES = 20;

/** Wait until the archive is there: the first who asks for it has it made. */
async function ready(archive: string, tries = TRIES): Promise<void> {
  try {
    await call(archive, { headers: { Range: "bytes=0-0" } });
  } catch (error) {
    const isMaking = error instanceof ApiError && error.problem.code === "not_ready";
    if (!isMaking || tries === 0) throw error;
    await new Promise((done) => setTimeout(done, 2000));
    return ready(archive, tries - 1);
  }
}

/** The map of a release in `box`. */
export function useGround(box: RefObject<HTMLDivElement | null>, held: Release, kind: Kind, asked: Asked, on: Handlers): Ground {
  const release = held.release_id;
  const hasRegions = held.layers?.includes("regions") ?? false;
  const map = useRef<Map | null>(null);
  const handlers = useRef(on);
  handlers.current = on;
  const [fields, setFields] = useState(NONE);
  const [zoom, setZoom] = useState(readAt(asked.at)?.[2] ?? 8);
  const [isDrawn, setDrawn] = useState(false);
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    let gone = false;
    const address = (layer: string): string => new URL(`/layers/${layer}.pmtiles?release=${encodeURIComponent(release)}`, location.href).href;
    const start = async (): Promise<void> => {
      const { open } = await loadMap();
      if (gone) return;
      // both are asked before the canvas is made. An archive is nearly always there: only where it cannot be read is it asked why
      const opened = (layer: string) => open(address(layer)).catch(async () => (await ready(address(layer)), open(address(layer))));
      const asking = Promise.all([opened(kind), hasRegions ? opened("regions") : null]);
      asking.catch(() => undefined); // told below: the map itself may fail first
      let first = !asked.at; // where the map starts by itself is no choice of a person
      const made = (map.current = draw(box.current!, readAt(asked.at), {
        onMove: (at) => first || (ask({ at: at.join(",") }, true), setZoom(at[2]!)),
        onPoint: (...x) => handlers.current.onPoint(...x),
        onPick: (...x) => handlers.current.onPick(...x),
      }));
      const [[land, regions]] = await Promise.all([asking, made.once("style.load")]);
      if (gone) return;
      if (first) fit(made, land);
      first = false;
      setZoom(made.getZoom());
      addLand(made, source(land), kind);
      if (regions) addPlaces(made, source(regions));
      setFields(new Set(land.fields[kind]));
    };
    setDrawn(false);
    setError(undefined);
    start().catch((reason: unknown) => !gone && setError(reason));
    return () => {
      gone = true;
      map.current?.remove();
      map.current = null;
      setFields(NONE);
    };
  }, [release, kind]);
  return { map, fields, zoom, isDrawn, onDrawn: () => setDrawn(true), error };
}

export interface Found {
  /** Best first; null where the land's own figures answer the question. */
  ids: string[] | null;
  /** How many there are: the map marks no more than `ids` holds. */
  total: number;
}

/** The enterprises that only the API can name: of a search, or of a development zone. */
export function useFound(asked: Asked, catalogue: Catalogue): Found {
  const isZone = catalogue.regions.some((r) => r.level === "zone" && r.code === asked.region);
  const { industry, region, size, group, grade, q } = asked;
  const question = { release: catalogue.release?.release_id, industry, region, size, group, grade, q };
  const found = useData<{ total: number; ids: string[] }>(q || isZone ? path("rankings/ids", question) : null);
  if (!q && !isZone) return { ids: null, total: 0 };
  return { ids: found.data?.ids ?? [], total: found.data?.total ?? 0 };
}

/** Metres of height for one unit of the metric. */
export const heightScale = (painted: Painted): number => plain(600 / Math.max(painted.whole?.metrics[painted.metric]?.p90 ?? 1, 0.01));

/** Paint what is asked. */
export function usePaint(ground: Ground, painted: Painted, asked: Asked, found: string[] | null, chosen: string): void {
  const key = JSON.stringify([painted.colour, [...painted.regions], painted.metric, found, asked, chosen]);
  useEffect(() => {
    const map = ground.map.current;
    if (!map || ground.fields.size === 0) return;
    const asks = asksFor(asked, found);
    const colour = parcelColour(painted.colour);
    const is3d = asked.d3 === "1" && painted.metric !== "";
    const shape = map.getLayer("land")!.type === "circle" ? "circle" : "fill";
    map.setPaintProperty("land", `${shape}-color`, colour);
    map.setPaintProperty("land", `${shape}-opacity`, opacity(asks));
    const filled = `fill-${painted.level}`;
    if (map.getLayer(filled)) map.setPaintProperty(filled, "fill-color", regionColour(painted.regions, painted.regionEdges));
    if (map.getLayer("land-3d")) map.setLayoutProperty("land-3d", "visibility", is3d ? "visible" : "none");
    map.setFilter("chosen", ["==", ["get", "enterprise_id"], chosen] as FilterSpecification);
    if (is3d && map.getLayer("land-3d")) {
      const most = 8 * (painted.whole?.metrics[painted.metric]?.p90 ?? 1);
      map.setPaintProperty("land-3d", "fill-extrusion-color", colour);
      map.setPaintProperty("land-3d", "fill-extrusion-height", heightOf(painted.metric, heightScale(painted), most));
      map.setFilter("land-3d", asks as FilterSpecification);
    }
    if (map.getLayer("basemap")) map.setLayoutProperty("basemap", "visibility", asked.base === "1" ? "visible" : "none");
    if (painted.loading || ground.isDrawn) return;
    map.once("idle", ground.onDrawn);
    map.triggerRepaint();
  }, [key, ground.fields, painted.loading]);
}

/** Fly to an enterprise's place; quietly nothing where it has none. */
export async function locate(map: Map | null, release: string, enterprise: string): Promise<boolean> {
  const route = `/ogc/releases/${encodeURIComponent(release)}/collections/enterprises/items/${encodeURIComponent(enterprise)}?f=json`;
  const found = (await (await call(route)).json()) as { geometry: { coordinates: [number, number] } | null };
  if (!map || !found.geometry) return false;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const zoom = Math.max(map.getZoom(), PARCELS_FROM + 4);
  map[still ? "jumpTo" : "flyTo"]({ center: found.geometry.coordinates, zoom });
  return true;
}

export type { Parcel };
