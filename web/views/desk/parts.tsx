// Parts that the tabs of the desk share.
import type { ComponentChildren } from "preact";
import { Select } from "../../parts/filters";
import { figure } from "../../parts/number";
import { sentence } from "../../parts/toasts";
import { ask } from "../../state/address";
import { t, tOr } from "../../words";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export type Counts = Record<string, Record<string, number>>;

/** Codes with how many there are, the one asked always among them. */
export function counted(counts: Record<string, number> | undefined, prefix: string): [string, string][] {
  return Object.entries(counts ?? {})
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .map(([code, n]) => [code, `${tOr(`${prefix}_${code}`, code)} (${figure(n, 0)})`]);
}

/** A list that goes into the address under `name`; another choice leaves the item that was open. */
export function Choose(p: { name: string; label: string; value?: string; choices: [string, string][]; all?: string }) {
  const choices: [string, string][] = p.all ? [["", p.all], ...p.choices] : p.choices;
  const shown = p.value && !choices.some(([v]) => v === p.value) ? [...choices, [p.value, p.value] as [string, string]] : choices;
  return <Select name={p.name} label={p.label} value={p.value ?? ""} choices={shown} onChange={(v) => ask({ [p.name]: v, item: null, parcel: null })} />;
}

/** Search as one types, into the address under `find`. */
export function Find(p: { value?: string; label: string }) {
  const ident = useId();
  const [text, set] = useState(p.value ?? "");
  const timer = useRef(0);
  useEffect(() => set(p.value ?? ""), [p.value]);
  const say = (value: string) => {
    set(value);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => ask({ find: value.trim(), item: null }, true), 350);
  };
  return (
    <div class="field field-q">
      <label for={ident}>{p.label}</label>
      <input id={ident} type="search" maxLength={100} value={text} onInput={(e) => say(e.currentTarget.value)} />
    </div>
  );
}

/** Years that there is data of. */
export const years = (all: readonly { year: number }[]): [string, string][] => [...new Set(all.map((r) => String(r.year)))].sort().reverse().map((y) => [y, y]);

/** An answer that is not there (yet), said in its place. */
export function Missing(p: { error?: Error; loading: boolean; empty?: string }): ComponentChildren {
  if (p.error) return <p class="empty" role="alert">{sentence(p.error)}</p>;
  return <p class="empty" role="status">{p.loading ? t("loading") : (p.empty ?? "")}</p>;
}

/** Where a row stands: file, sheet, row. */
export const placed = (x: { file?: string | null; sheet?: string | null; row?: number | null }): string =>
  [x.file, x.sheet, x.row ? t("desk_row", { row: x.row }) : null].filter(Boolean).join(" · ");
