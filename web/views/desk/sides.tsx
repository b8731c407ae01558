// The record and its candidates side by side, attribute by attribute, with what differs marked.
import type { ComponentChildren } from "preact";
import { figure, NoData } from "../../parts/number";
import { either, t, tOr } from "../../words";
import { differs } from "./differs";
import { ParcelOf } from "./parcel";

export interface Item {
  id: string;
  kind: "proposal" | "unlinked" | "land";
  state: string;
  year: number;
  source: string;
  file: string | null;
  sheet: string | null;
  row: number | null;
  record_key: string;
  name: string | null;
  value: string | null;
  reason: string;
  rows: number;
  sure_percent?: number | null;
}

interface Firm {
  name: string | null;
  address: string | null;
  region: string | null;
  capital_fen: number | null;
}

interface Candidate extends Firm {
  enterprise_id: string;
  uscc: string | null;
  reg_no: string | null;
  former_names: string | null;
  industry: string | null;
  status: string | null;
  founded_on: string | null;
  links: Record<string, number>;
  sure_percent: number | null;
  why: string | null;
  why_zh: string | null;
  why_en: string | null;
  alike: { name: number | null; address: number | null; region: boolean | null; capital: boolean | null };
}

interface Record_ extends Firm {
  cells: Record<string, unknown>;
}

export interface Detail {
  item: Item;
  record?: Record_;
  candidates?: Candidate[];
  decisions: { at: string; who: string; verdict: string; enterprise_id: string | null; reason: string | null }[];
  position: number | null;
  total: number;
  previous: string | null;
  next: string | null;
}

interface Shown {
  detail: Detail;
  chosen: string;
  onChoose: (enterprise: string) => void;
}

export function Sides(p: Shown) {
  const { item, record, candidates = [] } = p.detail;
  if (item.kind === "land") return <Finding item={item} />;
  if (!record) return <p>{t("desk_settled")}</p>;
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("desk_sides")}>
        <table class="plain desk-sides">
          <thead>
            <tr>
              <td />
              <th scope="col">{t("desk_record")}</th>
              {candidates.map((c, n) => (
                <th key={c.enterprise_id} scope="col" class={c.enterprise_id === p.chosen ? "desk-chosen" : undefined}>
                  <label>
                    <input type="radio" name="candidate" checked={c.enterprise_id === p.chosen} onChange={() => p.onChoose(c.enterprise_id)} /> {t("desk_candidate", { n: n + 1 })}
                  </label>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{rows(record, item).map((row) => <Attribute key={row.title} {...row} candidates={candidates} chosen={p.chosen} />)}</tbody>
        </table>
      </div>
      {candidates.length === 0 && <p>{t("desk_no_candidate")}</p>}
      <Cells cells={record.cells} />
    </>
  );
}

interface Row {
  title: string;
  own: ComponentChildren;
  of: (c: Candidate) => ComponentChildren;
}

const capital = (fen: number | null) => (fen === null ? null : `${figure(fen / 1_000_000, 0)} ${t("desk_wan")}`);
const alike = (percent: number | null) => percent !== null && <span class="note">{t("desk_alike", { n: figure(percent, 0) })}</span>;
const yes = (same: boolean | null) => same !== null && <span class="note">{t(same ? "desk_same" : "desk_other")}</span>;

/** A record's key in words: the prefix says what kind of code it is; a name is no code. */
function keyed(key: string): string | null {
  const [kind, ...rest] = key.split(":");
  return kind === "name" || rest.length === 0 ? null : `${tOr(`desk_key_${kind}`, "")} ${rest.join(":")}`.trim();
}

function rows(record: Record_, item: Item): Row[] {
  const marked = (own: string | null, other: string | null) => (own && other ? <Marked text={other} beside={own} /> : other);
  return [
    { title: t("desk_name"), own: record.name, of: (c) => <>{marked(record.name, c.name)}{c.former_names && <span class="note">{t("desk_former", { names: c.former_names })}</span>}{alike(c.alike.name)}</> },
    { title: t("desk_code"), own: item.value ?? keyed(item.record_key), of: (c) => (item.value && c.uscc ? <Marked text={c.uscc} beside={item.value} /> : (c.uscc ?? c.reg_no)) },
    { title: t("desk_address"), own: record.address, of: (c) => <>{marked(record.address, c.address)}{alike(c.alike.address)}</> },
    { title: t("region"), own: record.region, of: (c) => <>{c.region}{yes(c.alike.region)}</> },
    { title: t("desk_capital"), own: capital(record.capital_fen), of: (c) => <>{capital(c.capital_fen)}{yes(c.alike.capital)}</> },
    { title: t("industry"), own: null, of: (c) => c.industry },
    { title: t("desk_registered"), own: null, of: (c) => [c.status, c.founded_on].filter(Boolean).join(" · ") },
    { title: t("desk_linked"), own: t("desk_n_rows", { n: item.rows }), of: (c) => Object.entries(c.links).map(([s, n]) => `${tOr(`source_${s}`, s)} ${n}`).join(t("desk_comma")) },
    { title: t("desk_sure"), own: null, of: (c) => <>{c.sure_percent === null ? t("desk_exact_name") : `${figure(c.sure_percent, 1)} %`}{c.why && <span class="note">{either(c.why_zh, c.why_en)}</span>}</> },
  ];
}

function Attribute(p: Row & { candidates: Candidate[]; chosen: string }) {
  return (
    <tr>
      <th scope="row">{p.title}</th>
      <td>{p.own ?? <NoData />}</td>
      {p.candidates.map((c) => <td key={c.enterprise_id} class={c.enterprise_id === p.chosen ? "desk-chosen" : undefined}>{p.of(c) ?? <NoData />}</td>)}
    </tr>
  );
}

/** What of `text` is not in `beside`, marked. */
function Marked(p: { text: string; beside: string }) {
  return <>{differs(p.text, p.beside).map((part, n) => (part.other ? <mark key={n}>{part.text}</mark> : <span key={n}>{part.text}</span>))}</>;
}

function Cells(p: { cells: Record<string, unknown> }) {
  const told = Object.entries(p.cells);
  if (told.length === 0) return null;
  return (
    <details>
      <summary>{t("desk_cells")}</summary>
      <dl class="desk-cells">
        {told.map(([field, value]) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** What is wrong about land: nobody is asked for; the data are corrected, or it is settled as right. */
function Finding(p: { item: Item }) {
  return (
    <>
      <p>{tOr(`review_${p.item.reason}`, p.item.reason)}</p>
      {p.item.value && /^\d{12}/.test(p.item.value) && <ParcelOf code={p.item.value} year={String(p.item.year)} />}
      <p class="note">{t("desk_settle_note")}</p>
    </>
  );
}
