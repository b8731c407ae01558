// The explanation line by line, folded by part; what the next grade takes; disputes and corrections.
import { figure } from "../../parts/number";
import type { Known } from "../../state/api";
import { may, titleOf } from "../../state/catalogue";
import { either, lang } from "../../words";
import { type Shown, type Step, useOwn } from "./ask";
import { type Facts, source, useFacts } from "./facts";
import { Section } from "./section";
import { type Key, w, wOr } from "./words";

const PARTS: Record<string, readonly string[]> = {
  identity: ["identity"],
  records: ["record", "meter", "coverage"],
  land: ["land", "parcel", "finding"],
  facts: ["fact", "correction"],
  figures: ["amount", "indicator"],
  ranks: ["rank"],
  grade: ["quota", "adjustment", "grade"],
};
const ORDER = ["identity", "records", "land", "facts", "figures", "score", "ranks", "grade"] as const;
const APART = ["next"];

const partOf = (kind: string): string => Object.keys(PARTS).find((name) => PARTS[name]!.includes(kind)) ?? "score";

export type Explained = { steps: Step[] };

export const useStory = (p: Shown): Known<Explained> =>
  useOwn<Explained>(p, "/explain", { lang: lang() }, may(p.catalogue, "explain"));

export function Story(p: Shown) {
  const known = useStory(p);
  const facts = useFacts(p).data;
  const steps = (known.data?.steps ?? []).filter((s) => !APART.includes(s.kind));
  return (
    <Section name="story" title={w("story")} note={w("story_note")} known={known} empty={!known.data && !known.loading && w("hidden")}>
      {ORDER.map((name) => {
        const lines = steps.filter((s) => partOf(s.kind) === name);
        if (!lines.length) return null;
        return (
          <details key={name} open={name === "score" || name === "grade" || name === "figures"}>
            <summary>
              {w(`part_${name}` as Key)} <span class="note">{w("lines", { n: lines.length })}</span>
            </summary>
            <ol class="steps">{lines.map((s, i) => <Line key={i} step={s} p={p} facts={facts} />)}</ol>
          </details>
        );
      })}
    </Section>
  );
}

function Line({ step, p, facts }: { step: Step; p: Shown; facts?: Facts }) {
  const value = typeof step.value === "number" ? figure(step.value, Number.isInteger(step.value) ? 0 : 4) : step.value;
  const from = step.source;
  return (
    <li>
      <span class="step-name">{named(p, step.name, facts)}</span>
      <b class="step-value">
        {value ?? "–"} {step.unit && <span class="unit">{step.unit}</span>}
      </b>
      <span class="note">{step.note}</span>
      {from && <span class="note id">{w("row", { file: from.file ?? from.load_id, sheet: from.sheet, row: from.row })}</span>}
    </li>
  );
}

/** `score/industry_2` and plain column names, in words where there are words. */
function named(p: Shown, name: string, facts?: Facts): string {
  const [metric, grouping] = name.split("/") as [string, string?];
  const fact = facts?.facts.find((f) => f.field === metric);
  const amount = metric.replace(/_fen$/, "_wan_yuan");
  const title = fact ? either(fact.zh, fact.en) : titleOf(p.catalogue, p.catalogue.columns.some((x) => x.name === amount) ? amount : metric);
  const own = wOr(`amount_${metric}`, title);
  return grouping ? `${title} · ${wOr(`g_${grouping}`, grouping)}` : wOr(`kind_${metric}`, wOr(`g_${metric}`, own));
}

export function Next(p: Shown) {
  const known = useStory(p);
  const steps = (known.data?.steps ?? []).filter((s) => s.kind === "next");
  return (
    <Section name="next" title={w("next")} known={known} empty={known.data ? !steps.length && w("next_none") : !known.loading && w("hidden")}>
      <ol class="steps">{steps.map((s, i) => <Line key={i} step={s} p={p} />)}</ol>
    </Section>
  );
}

/** Where sources differ, findings of the land, and what was corrected by hand. */
export function Issues(p: Shown) {
  const known = useStory(p);
  const facts = useFacts(p).data;
  const steps = (known.data?.steps ?? []).filter((s) => ["correction", "finding", "coverage"].includes(s.kind));
  const year = String(p.catalogue.release?.year);
  const disputed = facts?.facts.filter((f) => f.values[year]?.how === "disputed") ?? [];
  return (
    <Section name="issues" title={w("issues")} known={known} empty={known.data ? !steps.length && !disputed.length && w("issues_none") : !known.loading && w("hidden")}>
      <ol class="steps">
        {disputed.map((f) => {
          const v = f.values[year]!;
          return (
            <li key={f.field}>
              <span class="step-name">{lang() === "zh" ? f.zh : f.en}</span>
              <b class="step-value">
                {figure(v.value, 2)} <span class="unit">{lang() === "zh" ? f.unit : f.unit_en}</span>
              </b>
              <span class="note">
                {w("how_disputed")}: {v.claims?.map((c) => `${source(c.source)} ${figure(c.value, 2)}`).join(" · ")}
              </span>
            </li>
          );
        })}
        {steps.map((s, i) => <Line key={i} step={s} p={p} />)}
      </ol>
    </Section>
  );
}
