// The bar of choices, shared by the views: what is chosen goes into the address.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ask, type Asked } from "../state/address";
import { type Catalogue, type Place, policyOf } from "../state/catalogue";
import { either, lang, t, tOr, type Word } from "../words";
import type { Filter } from "../views";
import { figure } from "./number";

interface Shown {
  asked: Asked;
  catalogue: Catalogue;
  shown: readonly Filter[];
}

type Choice = readonly [value: string, label: string];
const SIZES = ["large", "medium", "small", "micro"] as const;
const GROUPS = ["above_scale", "below_scale", "land_3mu_up", "land_below_3mu"] as const;

/** A labelled list. */
export function Select(p: {
  label: string;
  value: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
  name?: string;
}) {
  const ident = useId();
  const known = p.choices.some(([value]) => value === p.value);
  return (
    <div class="field">
      <label for={ident}>{p.label}</label>
      <select id={ident} name={p.name} value={p.value} onChange={(e) => p.onChange(e.currentTarget.value)}>
        {!known && p.value && <option value={p.value}>{p.value}</option>}
        {p.choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

const named = (x: Place, indent = ""): Choice => [
  x.code,
  `${indent}${x.code} ${x.name ?? ""} (${figure(x.enterprises, 0)})`,
];
const WIDE = "\u3000";

/** Divisions; below the chosen one its groups and classes. */
function industryChoices(all: readonly Place[], asked: string | undefined): Choice[] {
  const near = (x: Place) => x.code.length > 2 && asked?.slice(0, 2) === x.code.slice(0, 2);
  const listed = all.filter((x) => x.level === "division" || x.level === "local" || near(x));
  return listed.map((x) => named(x, WIDE.repeat(Math.max(0, x.code.length - 2))));
}

/** Cities with their counties, towns of the chosen county, zones last. */
function regionChoices(all: readonly Place[], asked: string | undefined): Choice[] {
  const near = (x: Place) => x.code.length === 6 || asked?.slice(0, 6) === x.code.slice(0, 6);
  const listed = all.filter((x) => x.level === "city" || x.level === "zone" || near(x));
  const depth = (x: Place) => (x.level === "zone" ? 0 : { 4: 0, 6: 1 }[x.code.length] ?? 2);
  return listed.map((x) => named(x, WIDE.repeat(depth(x))));
}

function ReleaseFields(p: { asked: Asked; catalogue: Catalogue }) {
  const { releases, release } = p.catalogue;
  const usable = releases.filter((r) => r.state !== "withdrawn");
  const years = [...new Set(usable.map((r) => String(r.year)))];
  // the newest of a policy stands first: its title counts
  const policies = new Map(usable.filter((r) => r.year === release?.year).reverse().map((r) => [r.policy, policyOf(r)]));
  const setYear = (year: string) => {
    const kept = usable.some((r) => String(r.year) === year && r.policy === release?.policy);
    ask({ year, release: null, policy: kept ? p.asked.policy : null, by: kept ? p.asked.by : null });
  };
  return (
    <>
      <Select name="year" label={t("year")} value={String(release?.year ?? "")} choices={years.map((y) => [y, y])} onChange={setYear} />
      <Select
        name="policy"
        label={t("policy")}
        value={release?.policy ?? ""}
        choices={[...policies]}
        onChange={(policy) => ask({ policy, year: String(release?.year ?? ""), release: null, by: null, grade: null })}
      />
    </>
  );
}

/** Search as one types; the address follows after a breath. */
function Search(p: { asked: Asked }) {
  const ident = useId();
  const [text, set] = useState(p.asked.q ?? "");
  const timer = useRef(0);
  useEffect(() => set(p.asked.q ?? ""), [p.asked.q]);
  const say = (value: string) => {
    set(value);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => ask({ q: value.trim() }, true), 350);
  };
  return (
    <div class="field field-q">
      <label for={ident}>{t("q")}</label>
      <input id={ident} name="q" type="search" maxLength={100} value={text} placeholder={t("q_hint")} onInput={(e) => say(e.currentTarget.value)} />
    </div>
  );
}

const worded = (prefix: string, codes: readonly string[]): Choice[] => codes.map((c) => [c, tOr(`${prefix}_${c}`, c)]);

function fields(p: Shown): Record<Exclude<Filter, "release" | "q">, { all?: Word; choices: Choice[] }> {
  const c = p.catalogue;
  return {
    industry: { all: "all_industries", choices: industryChoices(c.industries, p.asked.industry) },
    region: { all: "all_regions", choices: regionChoices(c.regions, p.asked.region) },
    size: { all: "all_sizes", choices: worded("size", SIZES) },
    group: { all: "all_groups", choices: worded("group", GROUPS) },
    grade: { all: "all_grades", choices: worded("grade", ["A", "B", "C", "D", "T"]) },
    by: { choices: c.indicators.map((m) => [m.name, `${either(m.title, m.title_en)} ${lang() === "zh" ? m.unit : m.unit_en}`]) },
  };
}

/** Whether enterprises of this release have grades; one that is ranked by single metrics has none. */
export const isGraded = (c: Catalogue): boolean => c.release?.metrics?.includes("score") ?? false;

export function Filters(p: Shown) {
  const made = fields(p);
  const [open, setOpen] = useState(false);
  const active = p.shown.filter((name) => name !== "by" && p.asked[name]).length;
  const shown = p.shown.filter((name) => name !== "grade" || isGraded(p.catalogue));
  return (
    <form class={`filters ${open ? "open" : ""}`} aria-label={t("filters")} onSubmit={(e) => e.preventDefault()}>
      <button type="button" class="filters-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t("filters")} {active > 0 && <span class="count">{active}</span>}
      </button>
      <div class="fields">
        {shown.map((name) => {
          if (name === "release") return <ReleaseFields key={name} {...p} />;
          if (name === "q") return <Search key={name} asked={p.asked} />;
          const { all, choices } = made[name];
          const value = name === "by" ? p.catalogue.by : (p.asked[name] ?? "");
          const every: Choice[] = all ? [["", t(all)]] : [];
          return (
            <Select key={name} name={name} label={t(name)} value={value} choices={[...every, ...choices]} onChange={(v) => ask({ [name]: v })} />
          );
        })}
        {active > 0 && (
          <button type="button" class="quiet" onClick={() => ask({ industry: null, region: null, size: null, group: null, grade: null, q: null })}>
            {t("clear")}
          </button>
        )}
      </div>
    </form>
  );
}
