// The map: parcels by grade, rank or a figure per mu; the same question as the rankings.
import { useEffect, useRef, useState } from "preact/hooks";
import type { View } from "..";
import { complain, sentence, toast } from "../../parts/toasts";
import { FILTERS, go, toView, type Asked } from "../../state/address";
import { type Catalogue, may, origin, placeName } from "../../state/catalogue";
import { t, tOr } from "../../words";
import { Hover, Picked } from "./card";
import { told } from "./coordinates";
import { basemap, type Parcel } from "./draw";
import { usePainted } from "./figures";
import "./map.css";
import { Best, bandsShown, Colours, MapLegend } from "./panel";
import { copyOf, saveMap } from "./picture";
import { locate, useFound, useGround, usePaint, type Ground } from "./use_map";

interface Pointer {
  x: number;
  y: number;
  lon: number;
  lat: number;
  parcel: Parcel | null;
}

/** The question in words: under the picture. */
function question(asked: Asked, catalogue: Catalogue): string {
  const named: Record<string, string> = {
    industry: catalogue.industries.find((x) => x.code === asked.industry)?.name ?? asked.industry ?? "",
    region: asked.region ? placeName(catalogue.regions, asked.region) : "",
    size: tOr(`size_${asked.size}`, ""),
    group: tOr(`group_${asked.group}`, ""),
    grade: asked.grade ?? "",
    q: asked.q ?? "",
  };
  return FILTERS.filter((n) => asked[n]).map((n) => `${t(n)}: ${named[n]}`).join(" · ");
}

/** On paper a canvas is empty: a picture of it stands in. */
function usePrint(ground: Ground, picture: { current: HTMLImageElement | null }): void {
  useEffect(() => {
    const before = () => {
      if (ground.map.current && picture.current) picture.current.src = copyOf(ground.map.current).toDataURL("image/png");
    };
    addEventListener("beforeprint", before);
    return () => removeEventListener("beforeprint", before);
  }, []);
}

/** 3D leans the map, 2D lays it flat again; an address that says how it lies has the last word. */
function useLean(ground: Ground, is3d: boolean): void {
  useEffect(() => {
    const map = ground.map.current;
    if (!map || ground.fields.size === 0) return;
    if (is3d && map.getPitch() < 20) map.easeTo({ pitch: 55, bearing: -15, zoom: Math.max(map.getZoom(), 11), duration: 600 });
    if (!is3d && map.getPitch() > 0) map.easeTo({ pitch: 0, bearing: 0, duration: 600 });
  }, [is3d, ground.fields]);
}

export default function MapView(p: View) {
  const { asked, catalogue } = p;
  const release = catalogue.release!.release_id;
  const box = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLImageElement>(null);
  const [pointer, setPointer] = useState<Pointer | null>(null);
  const [picked, setPicked] = useState<Parcel | null>(null);
  const [chosen, setChosen] = useState("");
  const ground = useGround(box, catalogue.release!, may(catalogue, "layer_parcels") ? "parcels" : "enterprises", asked, {
    onPoint: (at, parcel, point) => setPointer(at && { ...at, parcel, ...point }),
    onPick: (parcel, touch) => {
      if (parcel?.isRegion) return;
      if (parcel?.enterprise_id && !touch) go(toView(asked, "portrait", { enterprise: String(parcel.enterprise_id) }));
      else setPicked(parcel);
    },
  });
  const painted = usePainted(asked, catalogue, ground.fields, ground.zoom);
  const found = useFound(asked, catalogue);
  usePaint(ground, painted, asked, found.ids, chosen);
  usePrint(ground, picture);
  useLean(ground, asked.d3 === "1");
  const show = async (id: string) => {
    setChosen(id);
    if (!(await locate(ground.map.current, release, id))) toast(t("map_no_place"));
  };
  const sought = useRef(asked.at ? asked.q : undefined); // an address that says where the map is has the last word
  useEffect(() => {
    if (!found.ids?.[0] || !asked.q || !ground.isDrawn || sought.current === asked.q) return;
    sought.current = asked.q;
    show(found.ids[0]).catch(complain);
  }, [found.ids?.[0], ground.isDrawn]);

  const shown = { asked, catalogue, painted, zoom: ground.zoom };
  const save = () => {
    const words = { title: document.title, question: question(asked, catalogue), origin: origin(catalogue, t) };
    if (ground.map.current) saveMap(ground.map.current, words, bandsShown(shown)).catch(complain);
  };
  const isReady = Boolean(ground.error ?? painted.error) || (ground.isDrawn && ground.fields.size > 0 && !painted.loading);
  return (
    <div class="map-view" data-ready={isReady}>
      <h1 class="hidden">{t("map_title")}</h1>
      <aside class="map-side">
        <Colours {...shown} hasBasemap={basemap() !== ""} />
        <MapLegend {...shown} found={found} />
        <Best {...shown} onLocate={(id) => void show(id).catch(complain)} />
        <div class="toolbar noprint">
          <button type="button" onClick={save}>{t("as_picture")}</button>
          <button type="button" onClick={() => print()}>{t("map_print")}</button>
        </div>
      </aside>
      <div class="map-place">
        <div ref={box} class={`map-box ${ground.isDrawn ? "" : "map-unseen"}`} />
        <img ref={picture} class="map-print" alt="" />
        {ground.error !== undefined && <p class="map-failed" role="alert">{t("map_failed")} {sentence(ground.error)}</p>}
        {painted.error && <p class="map-failed" role="alert">{sentence(painted.error)}</p>}
        {ground.error === undefined && !ground.isDrawn && <p class="map-waiting" role="status">{t("loading")}</p>}
        {pointer?.parcel && !picked && <Hover {...shown} parcel={pointer.parcel} x={pointer.x} y={pointer.y} width={box.current?.clientWidth ?? 0} />}
        {picked && <Picked {...shown} parcel={picked} onClose={() => setPicked(null)} />}
        <p class="map-coordinates">{pointer ? told(pointer.lon, pointer.lat) : t("map_crs")}</p>
      </div>
      <p class="map-origin">{origin(catalogue, t)}</p>
    </div>
  );
}
