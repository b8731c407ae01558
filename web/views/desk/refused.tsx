// Refused rows: where each stands, why it was refused, what to do, and its cells.
import type { View } from "..";
import { figure } from "../../parts/number";
import { path } from "../../state/api";
import { either, t, tOr } from "../../words";
import { usePages } from "./fresh";
import { Choose, counted, type Counts, Find, Missing, placed, years } from "./parts";

interface Row {
  year: number;
  source: string;
  load_id: string;
  file: string;
  sheet: string | null;
  row: number;
  column: string | null;
  header: string | null;
  field: string;
  value: string | null;
  code: string;
  zh: string;
  en: string;
  cells: { field: string; header: string; value: string | null; at_fault: boolean }[];
}

interface Answer {
  total: number;
  counts: Counts;
  rows: Row[];
  next: string | null;
}

export function Refused(p: View) {
  const { asked } = p;
  const question = { year: asked.year, source: asked.source, reason: asked.reason, q: asked.find };
  const found = usePages<Answer, Row>((cursor) => path("desk/refused", { ...question, cursor }), (page) => page.rows);
  const counts = found.data?.counts ?? {};
  const file = path("desk/refused/export", { year: asked.year, source: asked.source });
  return (
    <section data-ready={!!found.data && !found.loading} aria-labelledby="desk-title">
      <form class="fields desk-fields" onSubmit={(e) => e.preventDefault()}>
        <Choose name="year" label={t("year")} value={asked.year} choices={years(p.catalogue.releases)} all={t("desk_all_years")} />
        <Choose name="source" label={t("desk_source")} value={asked.source} choices={counted(counts.source, "source")} all={t("desk_all_sources")} />
        <Choose name="reason" label={t("desk_reason")} value={asked.reason} choices={counted(counts.code, "refusal")} all={t("desk_all_reasons")} />
        <Find value={asked.find} label={t("desk_find_cell")} />
        {found.data && found.data.total > 0 && <a class="button" href={file} download="">{t("desk_export")}</a>}
      </form>
      <h2 id="desk-title">{t("desk_refused_rows", { n: figure(found.data?.total ?? 0, 0) })}</h2>
      <p class="note">{t("desk_refused_how")}</p>
      {found.rows.length === 0 ? (
        <Missing {...found} empty={t("desk_no_refused")} />
      ) : (
        <ol class="desk-rows">
          {found.rows.map((r) => <Line key={`${r.load_id}/${r.sheet}/${r.row}`} row={r} />)}
        </ol>
      )}
      {found.next && <button type="button" onClick={() => void found.more()}>{t("desk_more")}</button>}
    </section>
  );
}

function Line(p: { row: Row }) {
  const r = p.row;
  return (
    <li class="panel">
      <p class="desk-where">
        <b>{tOr(`source_${r.source}`, r.source)} {r.year}</b> <span class="note-inline">{placed(r)}</span>
      </p>
      <p>{either(r.zh, r.en)}</p>
      <details>
        <summary>{t("desk_cells")}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={t("desk_cells")}>
          <table class="plain">
            <tbody>
              {r.cells.map((c) => (
                <tr key={c.field} class={c.at_fault ? "desk-fault" : undefined}>
                  <th scope="row">{c.header}</th>
                  <td>{c.value ?? <span class="nodata">{t("desk_empty_cell")}</span>}</td>
                  <td>{c.at_fault && <strong>{t("desk_at_fault")}</strong>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </li>
  );
}
