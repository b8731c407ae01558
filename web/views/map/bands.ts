// Bands of a figure: where the colours change, and what the legend says of it.
import type { Known } from "../../state/api";
import { figure, percent } from "../../parts/number";
import type { Band } from "../../parts/legend";
import { t } from "../../words";

/** Quantiles of a metric as /summary gives them. */
export interface Spread {
  of: number;
  ratio: number | null;
  p10: number | null;
  p25: number | null;
  p50: number | null;
  p75: number | null;
  p90: number | null;
}

export interface Group {
  key: Record<string, string | null>;
  enterprises: number;
  metrics: Record<string, Spread>;
  grades: Record<string, number>;
}

export type Groups = Known<{ groups: Group[] }>;

/** The nearest of 1, 2, 5 × 10ⁿ: edges that a person can remember, equal from year to year while figures are alike. */
export function plain(value: number): number {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const near = [1, 2, 5, 10].reduce((a, b) => (Math.abs(b - value / power) < Math.abs(a - value / power) ? b : a));
  return near * power;
}

const rising = (edges: readonly number[]): number[] => edges.filter((x, i) => i === 0 || x > edges[i - 1]!);

/** Four edges at the quartiles and the ninth tenth: five bands (fewer where quantiles coincide). */
export const quantileEdges = (s: Spread | undefined): number[] =>
  s ? rising([s.p25, s.p50, s.p75, s.p90].filter((x): x is number => x !== null)) : [];

/** Plain numbers over the range of the figures. */
export const fixedEdges = (s: Spread | undefined): number[] => rising(quantileEdges(s).map(plain));

/** Edges at the fifths of values: for a few dozen regions. */
export function fifths(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return rising([1, 2, 3, 4].map((k) => sorted[Math.floor((k * sorted.length) / 5)]!).filter((x) => x !== undefined));
}

/** Decimals that tell the edges apart. */
export function decimalsFor(edges: readonly number[]): number {
  const largest = Math.max(...edges.map(Math.abs), 0);
  return largest >= 100 ? 0 : largest >= 10 ? 1 : 2;
}

/** Colours of the ramp for a number of bands: always from light to dark. */
export const rampSteps = (bands: number): number[] =>
  Array.from({ length: bands }, (_, i) => (bands === 1 ? 3 : 1 + Math.round((i * 4) / (bands - 1))));

/** Shares of 1 as per cent, with as many decimals as tell the edges apart. */
export function sharer(edges: readonly number[]): (x: number) => string {
  const isApart = (decimals: number) => new Set(edges.map((x) => percent(x, decimals))).size === edges.length;
  const decimals = [0, 1, 2].find(isApart) ?? 2;
  return (x) => percent(x, decimals);
}

const SHARES = ["25 %", "25 %", "25 %", "15 %", "10 %"];

/** Lines of the legend, highest first, and "no data" last. */
export function legendOf(edges: readonly number[], show: (x: number) => string, shares = false): Band[] {
  const steps = rampSteps(edges.length + 1);
  const label = (i: number): string => {
    if (edges.length === 0) return t("all_values");
    if (i === 0) return `< ${show(edges[0]!)}`;
    if (i === edges.length) return `≥ ${show(edges[i - 1]!)}`;
    return `${show(edges[i - 1]!)} – ${show(edges[i]!)}`;
  };
  const lines = steps.map((step, i): Band => {
    const share = shares && edges.length === 4 ? ` · ${SHARES[i]}` : "";
    return { swatch: `swatch-ramp-${step}`, label: label(i) + share };
  });
  return [...lines.reverse(), { swatch: "swatch-none", label: t("no_data") }];
}

export const shower = (edges: readonly number[]) => (x: number) => figure(x, decimalsFor(edges));
