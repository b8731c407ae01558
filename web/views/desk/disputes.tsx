// Disputes: figures on which departments disagree, land whose records do not agree, corrections in force.
import type { View } from "..";
import { figure } from "../../parts/number";
import { ask, changed, write } from "../../state/address";
import { path } from "../../state/api";
import { either, t, tOr, type Word } from "../../words";
import { useFresh, usePages } from "./fresh";
import { ParcelOf } from "./parcel";
import { Choose, counted, type Counts, Find, Missing, placed, years } from "./parts";

const KINDS: Record<string, Word> = { land: "desk_land", facts: "desk_facts", corrections: "desk_corrections" };

export function Disputes(p: View) {
  const of = p.asked.of ?? "land";
  return (
    <>
      <div class="choices desk-fields" role="group" aria-label={t("desk_disputes")}>
        {Object.entries(KINDS).map(([name, title]) => (
          <button key={name} type="button" aria-pressed={name === of} onClick={() => ask({ of: name, reason: null, parcel: null, find: null, field: null })}>{t(title)}</button>
        ))}
      </div>
      {of === "facts" ? <Facts {...p} /> : of === "corrections" ? <Corrections {...p} /> : <Land {...p} />}
    </>
  );
}

interface Finding {
  number: number;
  kind: string;
  year: number;
  parcel_code: string | null;
  name: string | null;
  note_zh: string;
  note_en: string;
  declared_mu: number | null;
  drawn_mu: number | null;
}

interface LandAnswer {
  total: number;
  counts: Counts;
  findings: Finding[];
  next: string | null;
}

function Land(p: View) {
  const { asked } = p;
  const question = { year: asked.year, reason: asked.reason, q: asked.find };
  const found = usePages<LandAnswer, Finding>((cursor) => path("desk/disputes/land", { ...question, cursor }), (page) => page.findings);
  const shown = asked.parcel ?? found.rows.find((f) => f.parcel_code)?.parcel_code ?? undefined;
  return (
    <section data-ready={!!found.data && !found.loading} aria-labelledby="desk-title">
      <form class="fields desk-fields" onSubmit={(e) => e.preventDefault()}>
        <Choose name="year" label={t("year")} value={asked.year} choices={years(p.catalogue.releases)} all={t("desk_all_years")} />
        <Choose name="reason" label={t("desk_reason")} value={asked.reason} choices={counted(found.data?.counts.kind, "review")} all={t("desk_all_reasons")} />
        <Find value={asked.find} label={t("desk_find_parcel")} />
      </form>
      <h2 id="desk-title">{t("desk_land_n", { n: figure(found.data?.total ?? 0, 0) })}</h2>
      <div class="desk-two">
        <div class="desk-queue">
          {found.rows.length === 0 && <Missing {...found} empty={t("desk_no_land")} />}
          <ol>
            {found.rows.map((f) => (
              <li key={`${f.year}/${f.number}`}>
                <a href={write(changed(asked, { parcel: f.parcel_code }))} aria-current={f.parcel_code === shown ? "true" : undefined}>
                  <b>{f.parcel_code ?? f.name}</b>
                  <span>{f.year} · {tOr(`review_${f.kind}`, f.kind)}</span>
                  <span>{either(f.note_zh, f.note_en)}</span>
                </a>
              </li>
            ))}
          </ol>
          {found.next && <button type="button" onClick={() => void found.more()}>{t("desk_more")}</button>}
        </div>
        {shown && <article class="panel desk-detail"><ParcelOf key={shown} code={shown} year={asked.year} /></article>}
      </div>
    </section>
  );
}

interface Claim {
  source: string;
  value: number;
  file: string | null;
  sheet: string | null;
  row: number | null;
}

interface Dispute {
  year: number;
  enterprise_id: string;
  name: string | null;
  field: string;
  title: string;
  title_en: string;
  unit: string;
  value_taken: number;
  source_taken: string;
  trust: string[];
  claims: Claim[];
}

interface FactsAnswer {
  total: number;
  counts: Counts;
  disputes: Dispute[];
  next: string | null;
}

function Facts(p: View) {
  const { asked } = p;
  const question = { year: asked.year, field: asked.field, q: asked.find };
  const found = usePages<FactsAnswer, Dispute>((cursor) => path("desk/disputes/facts", { ...question, cursor }), (page) => page.disputes);
  return (
    <section data-ready={!!found.data && !found.loading} aria-labelledby="desk-title">
      <form class="fields desk-fields" onSubmit={(e) => e.preventDefault()}>
        <Choose name="year" label={t("year")} value={asked.year} choices={years(p.catalogue.releases)} all={t("desk_all_years")} />
        <Choose name="field" label={t("desk_fact")} value={asked.field} choices={counted(found.data?.counts.field, "fact")} all={t("desk_all_facts")} />
        <Find value={asked.find} label={t("q")} />
      </form>
      <h2 id="desk-title">{t("desk_facts_n", { n: figure(found.data?.total ?? 0, 0) })}</h2>
      {found.rows.length === 0 && <Missing {...found} empty={t("desk_no_facts")} />}
      <ol class="desk-rows">
        {found.rows.map((d) => (
          <li key={`${d.year}${d.enterprise_id}${d.field}`} class="panel">
            <p><b>{d.name ?? d.enterprise_id}</b> · {d.year} · {either(d.title, d.title_en)}</p>
            <ul>
              {d.claims.map((c) => (
                <li key={c.source}>
                  {tOr(`source_${c.source}`, c.source)}: <b>{figure(c.value, 0)}</b> {d.unit} {c.source === d.source_taken && <strong>{t("desk_taken")}</strong>} <span class="note-inline">{placed(c)}</span>
                </li>
              ))}
            </ul>
            <p class="note">{t("desk_trust", { order: d.trust.map((s) => tOr(`source_${s}`, s)).join(" > ") })}</p>
          </li>
        ))}
      </ol>
      {found.next && <button type="button" onClick={() => void found.more()}>{t("desk_more")}</button>}
    </section>
  );
}

interface Correction {
  correction_id: string;
  version: number;
  state: string;
  enterprise_id: string;
  name?: string | null;
  field: string;
  year: number;
  reason?: string;
  evidence?: string;
  approver?: string;
  at: string;
  who: string;
}

function Corrections(p: View) {
  const found = useFresh<{ corrections: Correction[] }>(path("desk/disputes/corrections", { year: p.asked.year }));
  const rows = found.data?.corrections ?? [];
  return (
    <section data-ready={!!found.data} aria-labelledby="desk-title">
      <form class="fields desk-fields" onSubmit={(e) => e.preventDefault()}>
        <Choose name="year" label={t("year")} value={p.asked.year} choices={years(p.catalogue.releases)} all={t("desk_all_years")} />
      </form>
      <h2 id="desk-title">{t("desk_corrections_n", { n: figure(rows.length, 0) })}</h2>
      {rows.length === 0 && <Missing {...found} empty={t("desk_no_corrections")} />}
      <ol class="desk-rows">
        {rows.map((c) => (
          <li key={c.correction_id} class="panel">
            <p><b>{c.name ?? c.enterprise_id}</b> · {c.year} · {c.field} · {tOr(`desk_correction_${c.state}`, c.state)}</p>
            <p>{c.reason}</p>
            <p class="note">{[c.evidence, c.approver, c.at.slice(0, 10), c.who].filter(Boolean).join(" · ")}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}
