// Weights that always sum to 100, and the changes of a pack as the API writes them: PATH=VALUE, separated by ";".
export interface Item {
  name: string;
  title: string;
  title_en: string;
  before: number | null;
  after: number | null;
}

export interface Share {
  grade: string;
  before: number;
  after: number;
}

export interface Group {
  group: string;
  title: { zh: string; en: string } | null;
  within: string;
  items: Item[];
  shares: Share[];
}

export type Values = Readonly<Record<string, number>>;
const LEAST = 1;

export const sum = (values: Values): number => Object.values(values).reduce((a, b) => a + b, 0);

/** Whether a group is scored by weights; one ranked by a single value has none. */
export const isWeighted = (group: Group): boolean => group.items.every((i) => i.before !== null);

/** Numbers as people write them: no binary dust. */
export const tidy = (value: number): number => Math.round(value * 10_000) / 10_000;

/**
 * `values` with `name` at `wanted`: the others that are not locked share what is left of 100 in proportion, in whole
 * points by largest remainder, each at least 1. What cannot be reached stops at the nearest that can.
 */
export function balanced(values: Values, name: string, wanted: number, locked: ReadonlySet<string>): Values {
  const free = Object.keys(values).filter((n) => n !== name && !locked.has(n));
  const fixed = Object.keys(values).filter((n) => n !== name && locked.has(n));
  const held = fixed.reduce((a, n) => a + values[n]!, 0);
  if (free.length === 0) return { ...values, [name]: tidy(100 - held) };
  const most = 100 - held - LEAST * free.length;
  const value = Math.min(Math.max(wanted, LEAST), most);
  return { ...values, ...split(free, values, tidy(100 - held - value)), [name]: value };
}

function split(names: readonly string[], values: Values, left: number): Values {
  const whole = names.reduce((a, n) => a + values[n]!, 0);
  const spare = left - LEAST * names.length;
  const exact = names.map((n) => (whole > 0 ? (values[n]! / whole) * spare : spare / names.length));
  const parts = exact.map(Math.floor);
  const rest = tidy(spare - parts.reduce((a, b) => a + b, 0));
  const order = exact.map((x, i) => [x - parts[i]!, i] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  for (let i = 0; i < Math.floor(rest); i++) parts[order[i % order.length]![1]]! += 1;
  parts[order[0]![1]]! += rest - Math.floor(rest); // a locked weight with decimals leaves decimals
  return Object.fromEntries(names.map((n, i) => [n, tidy(parts[i]! + LEAST)]));
}

/** Cumulative shares with `grade` at `wanted`: they keep rising, the last stays 100. */
export function raised(shares: readonly Share[], values: Values, grade: string, wanted: number): Values {
  const at = shares.findIndex((s) => s.grade === grade);
  const low = at === 0 ? 0 : values[shares[at - 1]!.grade]!;
  const high = values[shares[at + 1]?.grade ?? ""] ?? 100;
  return { ...values, [grade]: Math.min(Math.max(wanted, low + 1), high - 1) };
}

/** What differs from the pack, as the API takes it. */
export function changesOf(groups: readonly Group[], weights: Readonly<Record<string, Values>>, shares: Readonly<Record<string, Values>>): string {
  const several = groups.length > 1;
  const lines: string[] = [];
  for (const g of groups) {
    const at = several ? `${g.group}.` : "";
    for (const i of g.items) {
      const now = weights[g.group]?.[i.name];
      if (now !== undefined && now !== i.before) lines.push(`weights.${at}${i.name}=${now}`);
    }
    for (const s of g.shares) {
      const now = shares[g.group]?.[s.grade];
      if (now !== undefined && now !== s.before) lines.push(`shares.${at}${s.grade}=${now}`);
    }
  }
  return lines.join(";");
}

/** The values that an address's changes give over the pack's own: the pack as it is where a line is none of ours. */
export function valuesOf(groups: readonly Group[], changes: string): { weights: Record<string, Values>; shares: Record<string, Values> } {
  const asked = new Map(changes.split(";").map((line) => [line.slice(0, line.indexOf("=")), Number(line.slice(line.indexOf("=") + 1))]));
  const said = (kind: string, group: string, name: string, own: number): number => {
    const value = asked.get(`${kind}.${group}.${name}`) ?? asked.get(`${kind}.${name}`);
    return value === undefined || !Number.isFinite(value) ? own : value;
  };
  const of = (pick: (g: Group) => [string, number][]) => Object.fromEntries(groups.map((g) => [g.group, Object.fromEntries(pick(g))]));
  return {
    weights: of((g) => g.items.map((i) => [i.name, said("weights", g.group, i.name, i.before ?? 0)])),
    shares: of((g) => g.shares.map((s) => [s.grade, said("shares", g.group, s.grade, s.before)])),
  };
}
