// The state of the data: which source sent which month, what is missing, what waits, what newer data outdates.
import type { View } from "..";
import { Card, figure } from "../../parts/number";
import { path } from "../../state/api";
import { either, t, tOr } from "../../words";
import { useFresh } from "./fresh";
import { Choose, Missing, years } from "./parts";

interface Hole {
  county: string | null;
  name: string | null;
  months: number[];
}

interface Line {
  source: string;
  title: string;
  title_en: string;
  year: number;
  loads: number;
  kept: number;
  refused: number;
  counties: unknown[];
  counties_by_month: number[] | null;
  holes: Hole[];
}

interface Merge {
  year: number;
  merge_id: string | null;
  created_at: string | null;
  stale: boolean;
  why_en: string | null;
  why_zh: string | null;
  decisions_since: number;
}

interface Answer {
  coverage: Line[];
  missing_sources: { year: number; sources: string[] }[];
  refused: Record<string, number>;
  review: Record<string, number>;
  disputes: Record<string, number>;
  merges: Merge[];
  releases: { release_id: string; outdated: boolean; state: string }[];
  lock: { action?: string; who?: string; seconds?: number | null } | null;
}

const MONTHS = Array.from({ length: 12 }, (_, i) => i + 1);
const total = (counts: Record<string, number>, except: string[] = []) =>
  Object.entries(counts).reduce((a, [k, n]) => (except.includes(k) ? a : a + n), 0);

export function Status(p: View) {
  const year = p.asked.year ?? String(p.catalogue.release?.year ?? "");
  const found = useFresh<Answer>(path("desk/status", { year }));
  const { data } = found;
  const merges = data?.merges.filter((m) => !year || String(m.year) === year) ?? [];
  return (
    <section data-ready={!!data && !found.loading} aria-labelledby="desk-title">
      <form class="fields desk-fields" onSubmit={(e) => e.preventDefault()}>
        <Choose name="year" label={t("year")} value={year} choices={years(p.catalogue.releases)} />
      </form>
      <h2 id="desk-title">{t("desk_status_of", { year })}</h2>
      {!data ? (
        <Missing {...found} />
      ) : (
        <>
          {data.lock && <p class="desk-warn">{t("desk_lock", { action: data.lock.action ?? "?", who: data.lock.who ?? "?", seconds: data.lock.seconds ?? "?" })}</p>}
          {merges.map((m) => <MergeNote key={m.year} merge={m} />)}
          {data.missing_sources.map((m) => (
            <p key={m.year} class="desk-warn">{t("desk_nothing_from", { year: m.year, sources: m.sources.map((s) => tOr(`source_${s}`, s)).join(t("desk_comma")) })}</p>
          ))}
          <dl class="cards">
            <Card title={t("desk_waiting")}>{figure(total(data.review, ["refused_open"]), 0)}</Card>
            <Card title={t("desk_refused_open")}>{figure(data.review.refused_open ?? 0, 0)}</Card>
            <Card title={t("desk_disputed")}>{figure(total(data.disputes), 0)}</Card>
            <Card title={t("desk_outdated")}>{figure(data.releases.filter((r) => r.outdated && r.state !== "withdrawn").length, 0)}</Card>
          </dl>
          <Matrix lines={data.coverage} />
          <Holes lines={data.coverage} />
        </>
      )}
    </section>
  );
}

function MergeNote(p: { merge: Merge }) {
  const m = p.merge;
  if (m.stale) return <p class="desk-warn">{either(m.why_zh, m.why_en)}</p>;
  if (m.decisions_since > 0) return <p class="desk-warn">{t("desk_decisions_since", { year: m.year, n: m.decisions_since })}</p>;
  return <p class="desk-good">{t("desk_merged", { year: m.year, at: (m.created_at ?? "").slice(0, 16).replace("T", " ") })}</p>;
}

/** Sources by months: how many counties sent each; text says it, colour repeats it. */
function Matrix(p: { lines: Line[] }) {
  return (
    <div class="panel scroll" tabIndex={0} role="region" aria-label={t("desk_matrix")}>
      <table class="plain desk-matrix">
        <caption>{t("desk_matrix")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("desk_source")}</th>
            <th scope="col" class="number">{t("desk_loads")}</th>
            <th scope="col" class="number">{t("desk_kept")}</th>
            <th scope="col" class="number">{t("desk_refused_n")}</th>
            {MONTHS.map((m) => <th key={m} scope="col" class="number">{t("desk_month", { m })}</th>)}
            <th scope="col" class="number">{t("desk_holes")}</th>
          </tr>
        </thead>
        <tbody>
          {p.lines.map((x) => (
            <tr key={`${x.source}${x.year}`}>
              <th scope="row">{either(x.title, x.title_en)}</th>
              <td class="number">{figure(x.loads, 0)}</td>
              <td class="number">{figure(x.kept, 0)}</td>
              <td class="number">{figure(x.refused, 0)}</td>
              {x.counties_by_month ? MONTHS.map((m) => <Month key={m} n={x.counties_by_month![m - 1]!} />) : <td colSpan={12} class="desk-yearly">{x.counties.length ? t("desk_yearly", { n: x.counties.length }) : t("desk_list")}</td>}
              <td class="number">{x.holes.length ? <strong>{figure(x.holes.length, 0)}</strong> : "0"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Month = (p: { n: number }) => (
  <td class={p.n ? "number desk-came" : "number desk-hole"}>{p.n ? figure(p.n, 0) : t("desk_none")}</td>
);

function Holes(p: { lines: Line[] }) {
  const holes = p.lines.flatMap((x) => x.holes.map((h) => ({ line: x, hole: h })));
  if (holes.length === 0) return <p>{t("desk_no_holes")}</p>;
  return (
    <details class="panel">
      <summary>{t("desk_holes_list", { n: figure(holes.length, 0) })}</summary>
      <ul class="desk-holes">
        {holes.slice(0, 500).map(({ line, hole }) => (
          <li key={`${line.source}${line.year}${hole.county}`}>
            {either(line.title, line.title_en)} · {hole.county} {hole.name}: {hole.months.length && hole.months.length < 12 ? t("desk_months_missing", { months: hole.months.join(", ") }) : t("desk_no_data")}
          </li>
        ))}
      </ul>
    </details>
  );
}
