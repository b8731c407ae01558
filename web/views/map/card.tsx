// What is under the pointer: a region with its Σ/Σ figure, or a parcel with its main user.
import { Grade } from "../../parts/grade";
import { Figure, figure, percent } from "../../parts/number";
import { toView, type Asked } from "../../state/address";
import { type Catalogue, decimalsOf, placeName, titleOf, unitOf } from "../../state/catalogue";
import { t } from "../../words";
import type { Parcel } from "./draw";
import type { Painted } from "./figures";

interface Shown {
  asked: Asked;
  catalogue: Catalogue;
  painted: Painted;
  parcel: Parcel;
}

const numeric = (x: unknown): number | null => (typeof x === "number" ? x : null);

function Region(p: Shown) {
  const code = String(p.parcel.region_code ?? "");
  const value = p.painted.regions.get(code) ?? null;
  const metric = p.painted.metric;
  const isShare = metric === "";
  return (
    <>
      <b>{placeName(p.catalogue.regions, code)}</b>
      <dl>
        <dt>{isShare ? t("map_low_share") : titleOf(p.catalogue, metric)}</dt>
        <dd>{isShare ? percent(value) : <Figure value={value} decimals={decimalsOf(p.catalogue, metric)} unit={unitOf(p.catalogue, metric)} />}</dd>
        <dt>{t("map_enterprises")}</dt>
        <dd>{figure(p.painted.counts.get(code), 0)}</dd>
      </dl>
    </>
  );
}

/** The parcel's main user, its figures, and how many others there are. */
export function ParcelFacts(p: Shown) {
  const { parcel, catalogue, painted } = p;
  const others = (numeric(parcel.enterprises) ?? 0) - 1;
  return (
    <>
      <b>{parcel.enterprise_id ? String(parcel.name ?? t("unnamed")) : t("map_no_user")}</b>
      {"grade" in parcel && parcel.grade && <Grade grade={String(parcel.grade)} />}
      <dl>
        {parcel.enterprise_id && painted.metrics.map((m) => (
          <>
            <dt>{titleOf(catalogue, m)}</dt>
            <dd><Figure value={numeric(parcel[m])} decimals={decimalsOf(catalogue, m)} unit={unitOf(catalogue, m)} /></dd>
          </>
        ))}
        {parcel.enterprise_id && (
          <>
            <dt>{t("map_rank")}</dt>
            <dd>{numeric(parcel.rank) === null ? <Figure value={null} /> : `${figure(numeric(parcel.rank), 0)} / ${figure(numeric(parcel.of), 0)}`}</dd>
          </>
        )}
        <dt>{t("map_area")}</dt>
        <dd><Figure value={numeric(parcel.area_mu) ?? numeric(parcel.drawn_mu)} unit={unitOf(catalogue, "land_mu")} /></dd>
      </dl>
      <span class="note id">{parcel.parcel_code}</span>
      {others > 0 && <span class="note">{t("map_others", { n: others })}</span>}
    </>
  );
}

/** Follows the pointer; nothing in it can be reached, so it is hidden from readers (the list says the same). */
export function Hover(p: Shown & { x: number; y: number; width: number }) {
  const left = p.x > p.width - 280 ? p.x - 270 : p.x + 16;
  return (
    <div class="map-card" style={{ left: `${left}px`, top: `${p.y + 14}px` }} aria-hidden="true">
      {p.parcel.isRegion ? <Region {...p} /> : <ParcelFacts {...p} />}
    </div>
  );
}

/** What was picked: stays, with a link to the portrait. */
export function Picked(p: Shown & { onClose: () => void }) {
  return (
    <div class="map-picked panel">
      <button type="button" class="quiet close" aria-label={t("close")} onClick={p.onClose}>×</button>
      <ParcelFacts {...p} />
      {p.parcel.enterprise_id && (
        <a class="button" href={toView(p.asked, "portrait", { enterprise: String(p.parcel.enterprise_id) })}>{t("map_portrait")}</a>
      )}
    </div>
  );
}
