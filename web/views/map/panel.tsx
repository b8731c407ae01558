// Beside the map: how it is coloured, what the colours mean, the best and the worst of what is asked.
import { Choices } from "../../parts/choices";
import { Grade } from "../../parts/grade";
import { type Band, Legend } from "../../parts/legend";
import { Figure, figure } from "../../parts/number";
import { ask, type Asked, toView } from "../../state/address";
import { path, useData } from "../../state/api";
import { type Catalogue, decimalsOf, placeName, titleOf, unitOf } from "../../state/catalogue";
import { t, tOr } from "../../words";
import { decimalsFor, legendOf, sharer, shower } from "./bands";
import type { Painted } from "./figures";
import { PARCELS_FROM } from "./style";
import { type Found, heightScale } from "./use_map";

interface Shown {
  asked: Asked;
  catalogue: Catalogue;
  painted: Painted;
  zoom: number;
}

/** What the colours stand for. */
export function Colours(p: Shown & { hasBasemap: boolean }) {
  const { painted, asked } = p;
  const now = painted.colour.kind === "metric" ? painted.colour.metric : painted.colour.kind;
  const choices: [string, string][] = painted.metrics.map((m) => [m, titleOf(p.catalogue, m)]);
  if (painted.isGraded) choices.unshift(["grade", t("grade")]);
  choices.push(["rank", t("map_place")]);
  const pick = (v: string) => ask(v === "grade" || v === "rank" ? { color: v } : { color: "metric", by: v });
  return (
    <div class="map-controls">
      <Choices label={t("map_colour")} value={now} choices={choices} onPick={pick} />
      {painted.colour.kind === "metric" && (
        <Choices
          label={t("map_bands")}
          value={asked.bands ?? "quantile"}
          choices={[["quantile", t("map_quantile")], ["fixed", t("map_fixed")]]}
          onPick={(v) => ask({ bands: v === "fixed" ? v : null })}
        />
      )}
      {painted.metric && (
        <Choices label={t("map_dimensions")} value={asked.d3 ?? ""} choices={[["", "2D"], ["1", "3D"]]} onPick={(v) => ask({ d3: v })} />
      )}
      {p.hasBasemap && (
        <label class="check">
          <input type="checkbox" checked={asked.base === "1"} onChange={(e) => ask({ base: e.currentTarget.checked ? "1" : null })} />
          {t("map_basemap")}
        </label>
      )}
    </div>
  );
}

/** Lines of the legend for what is drawn at this zoom. */
export function bandsShown(p: Omit<Shown, "asked">): { title: string; bands: Band[]; note: string } {
  const { painted, catalogue, zoom } = p;
  const name = painted.colour.kind === "metric" ? painted.colour.metric : painted.metric;
  const titled = `${titleOf(catalogue, name)} ${unitOf(catalogue, name)}`;
  if (zoom < PARCELS_FROM) {
    const isShare = painted.metric === "";
    const show = isShare ? sharer(painted.regionEdges) : shower(painted.regionEdges);
    const title = `${t(`map_${painted.level}` as "map_region_city")} · ${isShare ? t("map_low_share") : titled}`;
    return { title, bands: legendOf(painted.regionEdges, show), note: `${isShare ? "" : t("map_ratio")} ${t("map_zoom_note")}` };
  }
  if (painted.colour.kind === "grade") {
    const bands = ["A", "B", "C", "D", "T"].map((g) => ({ swatch: `swatch-grade-${g}`, label: tOr(`grade_${g}`, g), count: painted.whole?.grades[g] ?? 0 }));
    return { title: t("grade"), bands: [...bands, { swatch: "swatch-none", label: t("no_data") }], note: t("map_main_user") };
  }
  const { edges, kind } = painted.colour;
  const isRank = kind === "rank";
  const bands = legendOf(edges, isRank ? sharer(edges) : shower(edges), !isRank && edges.length === 4);
  return { title: isRank ? t("map_place_long") : titled, bands, note: t("map_main_user") };
}

export function MapLegend(p: Shown & { found: Found }) {
  const { title, bands, note } = bandsShown(p);
  const scale = heightScale(p.painted);
  const unit = unitOf(p.catalogue, p.painted.metric);
  const values = p.asked.d3 === "1" && p.painted.metric
    ? ` ${t("map_height", { metric: titleOf(p.catalogue, p.painted.metric), unit, metres: figure(scale, decimalsFor([scale])) })}`
    : "";
  const { ids, total } = p.found;
  const beyond = ids && total > ids.length && p.zoom >= PARCELS_FROM ? ` ${t("map_beyond", { total: figure(total, 0), n: figure(ids.length, 0) })}` : "";
  return <Legend title={title} bands={bands} note={note + values + beyond} />;
}

interface Row {
  enterprise_id: string;
  name: string | null;
  rank: number | null;
  of: number;
  region_code: string;
  grade?: string | null;
  [metric: string]: unknown;
}

const Target = () => (
  <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
    <circle cx="8" cy="8" r="4.5" />
    <path d="M8 0.5v4M8 11.5v4M0.5 8h4M11.5 8h4" />
  </svg>
);

/** The first or last of what is asked, with their place on the map. */
export function Best(p: Shown & { onLocate: (id: string) => void }) {
  const { asked, catalogue } = p;
  const order = asked.order === "worst" ? "worst" : "best";
  const own = p.painted.colour.kind === "grade" || p.painted.metric === catalogue.release?.default_metric;
  const by = own ? undefined : p.painted.metric; // without it: the release's own
  const { industry, region, size, group, grade, q } = asked;
  const found = useData<{ total: number; by: string; rows: Row[] }>(
    path("rankings", { release: catalogue.release!.release_id, industry, region, size, group, grade, q, by, order, limit: 10 }),
  );
  const rows = found.data?.rows.filter((r) => r.rank !== null || q) ?? [];
  const metric = found.data?.by ?? catalogue.by;
  return (
    <section class="best" aria-busy={found.loading}>
      <div class="toolbar">
        <h2>{titleOf(catalogue, metric)} <span class="unit">{unitOf(catalogue, metric)}</span></h2>
        <Choices label={t("map_order")} value={order} choices={[["best", t("map_best")], ["worst", t("map_worst")]]} onPick={(v) => ask({ order: v === "worst" ? v : null })} />
      </div>
      {found.data && rows.length === 0 && <p class="note">{t("map_nobody")}</p>}
      <ol>
        {rows.map((row) => (
          <li key={row.enterprise_id}>
            <span class="place">{row.rank === null || row.rank === undefined ? "" : figure(row.rank, 0)}</span>
            <span class="who-where">
              <a href={toView(asked, "portrait", { enterprise: row.enterprise_id })}>{row.name ?? t("unnamed")}</a>
              <span class="note">{placeName(catalogue.regions, row.region_code)}</span>
            </span>
            <span class="value">
              <Figure value={row[metric] as number | null} decimals={decimalsOf(catalogue, metric)} />
              {row.grade && <Grade grade={row.grade} />}
            </span>
            <button type="button" class="quiet" title={t("map_locate")} aria-label={`${t("map_locate")} ${row.name ?? ""}`} onClick={() => p.onLocate(row.enterprise_id)}>
              <Target />
            </button>
          </li>
        ))}
      </ol>
      <a href={toView(asked, "rankings", { order: asked.order })}>{t("map_all_rows", { n: figure(found.data?.total, 0) })}</a>
    </section>
  );
}
