// Who would change grade: how many from which to which, and each with why.
import { Card, figure } from "../../parts/number";
import { Grade } from "../../parts/grade";
import { sentence } from "../../parts/toasts";
import { ask, type Asked, toView } from "../../state/address";
import { path, useData } from "../../state/api";
import type { Catalogue, Release } from "../../state/catalogue";
import { either, lang, t, tOr } from "../../words";
import type { Group } from "./weights";

export interface Changed {
  enterprise_id: string;
  name: string | null;
  uscc: string | null;
  grade_before: string;
  grade_after: string;
  score_before: number | null;
  score_after: number | null;
  rank_before: number | null;
  rank_after: number | null;
  of_before: number | null;
  of_after: number | null;
  reason: string;
  reason_en: string;
}

export interface Answer {
  release_id: string;
  title: { zh: string; en: string };
  groups: Group[];
  of: number;
  moved: number;
  matrix: Record<string, Record<string, number>>;
  rows: Changed[];
}

interface Shown {
  asked: Asked;
  catalogue: Catalogue;
  release: Release;
  whole: boolean;
  changes: string;
}

const STEP = 50;
const BEST = ["A", "B", "C", "D"];

/** How many go up and how many down among the grades of the quota. */
function directions(matrix: Answer["matrix"]): { up: number; down: number } {
  let [up, down] = [0, 0];
  for (const [before, row] of Object.entries(matrix)) {
    for (const [after, n] of Object.entries(row)) {
      const [a, b] = [BEST.indexOf(before), BEST.indexOf(after)];
      if (a < 0 || b < 0 || a === b) continue;
      if (b < a) up += n;
      else down += n;
    }
  }
  return { up, down };
}

export function Result(p: Shown) {
  const limit = Math.min(Number(p.asked.rows) || STEP, 10_000);
  const question = {
    release: p.release.release_id,
    changes: p.changes,
    region: p.asked.region,
    industry: p.asked.industry,
    size: p.asked.size,
    group: p.asked.group,
  };
  const found = useData<Answer>(path("desk/simulate", { ...question, limit }));
  const file = (format: string) => path("desk/simulate", { ...question, format, lang: lang() });
  const draft = path("desk/simulate/draft", { release: p.release.release_id, changes: p.changes });
  if (found.error) return <p class="panel empty" role="alert">{sentence(found.error)}</p>;
  if (!found.data) return <p class="empty" role="status">{t("loading")}</p>;
  const { data } = found;
  const { up, down } = directions(data.matrix);
  return (
    <section class={found.loading ? "whatif-result whatif-stale" : "whatif-result"} aria-labelledby="whatif-result" data-ready={!found.loading} aria-busy={found.loading}>
      <h2 id="whatif-result" class="hidden">{t("whatif_result")}</h2>
      {!p.whole && <p class="whatif-other" role="status">{t("whatif_not_whole")}</p>}
      <dl class="cards" aria-live="polite">
        <Card title={t("whatif_moved")} note={t("whatif_of", { of: figure(data.of, 0) })}>{figure(data.moved, 0)}</Card>
        <Card title={t("whatif_up")}>{figure(up, 0)}</Card>
        <Card title={t("whatif_down")}>{figure(down, 0)}</Card>
      </dl>
      <Matrix matrix={data.matrix} />
      <div class="panel">
        <div class="toolbar">
          <h3>{t("whatif_list")}</h3>
          <span class="push toolbar">
            {data.moved > 0 && <a class="button" href={file("xlsx")} download="">XLSX</a>}
            {data.moved > 0 && <a class="button" href={file("csv")} download="">CSV</a>}
            {p.changes && <a class="button" href={draft} download="">{t("whatif_draft")}</a>}
          </span>
        </div>
        {p.changes && <p class="note">{t("whatif_draft_note")}</p>}
        {data.moved === 0 ? <p>{t(p.changes ? "whatif_nobody" : "whatif_begin")}</p> : <List rows={data.rows} asked={p.asked} release={p.release} />}
        {data.rows.length < data.moved && (
          <p class="toolbar">
            <span class="note">{t("whatif_shown", { n: figure(data.rows.length, 0), all: figure(data.moved, 0) })}</span>
            <button type="button" onClick={() => ask({ rows: String(limit + 4 * STEP) }, true)}>{t("whatif_more")}</button>
          </p>
        )}
      </div>
    </section>
  );
}

const named = (grade: string) => (grade === "-" ? t("whatif_no_grade") : tOr(`grade_${grade}`, grade));

/** From the row's grade to the column's; who stays is on the diagonal. */
function Matrix(p: { matrix: Answer["matrix"] }) {
  const grades = Object.keys(p.matrix);
  return (
    <div class="panel scroll" tabIndex={0} role="region" aria-label={t("whatif_matrix")}>
      <table class="plain whatif-matrix">
        <caption>{t("whatif_matrix")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("whatif_from_to")}</th>
            {grades.map((g) => <th key={g} scope="col" title={named(g)}>{g === "-" ? t("whatif_no_grade") : <Grade grade={g} />}</th>)}
          </tr>
        </thead>
        <tbody>
          {grades.map((a) => (
            <tr key={a}>
              <th scope="row" title={named(a)}>{a === "-" ? t("whatif_no_grade") : <Grade grade={a} />}</th>
              {grades.map((b) => {
                const n = p.matrix[a]![b]!;
                const kind = a === b ? "whatif-stay" : n > 0 ? "whatif-move" : "";
                return <td key={b} class={`number ${kind}`}>{n > 0 ? figure(n, 0) : <span aria-hidden="true">·</span>}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function List(p: { rows: Changed[]; asked: Asked; release: Release }) {
  const link = (id: string) => toView({ ...p.asked, year: String(p.release.year), policy: p.release.policy }, "portrait", { enterprise: id });
  const place = (rank: number | null, of: number | null) => (rank === null ? "–" : `${rank}/${of}`);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("whatif_list")}>
      <table class="plain whatif-list">
        <thead>
          <tr>
            <th scope="col">{t("whatif_firm")}</th>
            <th scope="col">{t("grade")}</th>
            <th scope="col" class="number">{t("whatif_score")}</th>
            <th scope="col" class="number">{t("whatif_rank")}</th>
            <th scope="col">{t("whatif_why")}</th>
          </tr>
        </thead>
        <tbody>
          {p.rows.map((r) => (
            <tr key={r.enterprise_id}>
              <th scope="row"><a href={link(r.enterprise_id)}>{r.name ?? r.enterprise_id}</a></th>
              <td class="whatif-grades">
                <Grade grade={r.grade_before === "-" ? null : r.grade_before} /> <span aria-label={t("whatif_to")}>→</span> <Grade grade={r.grade_after === "-" ? null : r.grade_after} />
              </td>
              <td class="number">{figure(r.score_before)} → {figure(r.score_after)}</td>
              <td class="number">{place(r.rank_before, r.of_before)} → {place(r.rank_after, r.of_after)}</td>
              <td class="whatif-reason">{either(r.reason, r.reason_en)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
