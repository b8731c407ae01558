// What there is to ask: releases, and the industries, regions, metrics and columns of the release asked.
import { lang, type Word } from "../words";
import type { Asked } from "./address";
import { type Known, path, useData } from "./api";

export interface Release {
  release_id: string;
  year: number;
  policy: string;
  state: "draft" | "public" | "final" | "withdrawn" | null;
  created_at: string;
  rows: number;
  available: boolean;
  synthetic?: boolean;
  default_metric?: string;
  metrics?: string[];
  /** What the policy is called. */
  policy_title?: { zh: string; en: string } | null;
  /** Layers that it has what they need for. */
  layers?: string[];
}

export interface Place {
  code: string;
  name: string | null;
  level: string;
  enterprises: number;
}

export interface Size {
  code: string;
  name: string;
  name_en: string;
  enterprises: number;
}

export interface Indicator {
  name: string;
  title: string;
  title_en: string;
  unit: string;
  unit_en: string;
  groupings: string[];
  default: boolean;
  /** false: the role may not see it. */
  shown?: boolean;
}

/** A column of ranking rows as engine.schema.columns says it. */
export interface Column {
  name: string;
  title: string;
  title_en: string;
  unit: string;
  unit_en: string;
  kind: "text" | "code" | "integer" | "number" | "points";
  decimals: number;
  /** Whether the role sees it. */
  shown: boolean;
}

/** Who asks, and what their role may do. */
export interface Me {
  name: string;
  role: string;
  region?: string | null;
  enterprise?: string | null;
  can: string[];
}

const DEFAULT_POLICY = "sunan-2017";

/** The release that the address asks: by id, else the newest of year and policy, as the API chooses. */
export function chosen(releases: readonly Release[], asked: Asked): Release | undefined {
  if (asked.release) return releases.find((r) => r.release_id === asked.release);
  const usable = releases.filter((r) => r.state !== "withdrawn" && (!asked.year || String(r.year) === asked.year));
  const policy = asked.policy ?? (usable.some((r) => r.policy === DEFAULT_POLICY) ? DEFAULT_POLICY : undefined);
  return usable.find((r) => !policy || r.policy === policy);
}

export interface Catalogue {
  releases: Release[];
  /** Whether the list of releases is there (it may be empty). */
  isListed: boolean;
  release?: Release;
  industries: Place[];
  regions: Place[];
  indicators: Indicator[];
  columns: Column[];
  me?: Me;
  /** The metric asked, else the release's own. */
  by: string;
  error?: Error;
  loading: boolean;
}

/** The catalogue of the release asked. Lists are empty until they are there. */
export function useCatalogue(asked: Asked): Catalogue {
  const all = useData<{ releases: Release[] }>(path("releases"));
  const release = all.data && chosen(all.data.releases, asked);
  const of = (route: string) => (release ? path(route, { release: release.release_id }) : null);
  const industries = useData<{ industries: Place[] }>(of("industries"));
  const regions = useData<{ regions: Place[] }>(of("regions"));
  const indicators = useData<{ indicators: Indicator[] }>(of("indicators"));
  const columns = useData<{ columns: Column[] }>(path("columns"));
  const me = useData<Me>(path("me"));
  const parts: Known<unknown>[] = [all, industries, regions, indicators, columns, me];
  return {
    releases: all.data?.releases ?? [],
    isListed: all.data !== undefined,
    release,
    industries: industries.data?.industries ?? [],
    regions: regions.data?.regions ?? [],
    indicators: indicators.data?.indicators.filter((i) => i.shown !== false) ?? [],
    columns: columns.data?.columns ?? [],
    me: me.data,
    by: asked.by ?? release?.default_metric ?? "output_per_mu",
    error: parts.find((p) => p.error)?.error,
    loading: parts.some((p) => p.loading),
  };
}

/** The policy of a release by its title, else by its id. */
export const policyOf = (r: Release): string => (lang() === "zh" ? r.policy_title?.zh : r.policy_title?.en) ?? r.policy;

/** Title of a column or metric in the page's language. */
export function titleOf(c: Pick<Catalogue, "columns">, name: string): string {
  const found = c.columns.find((x) => x.name === name);
  return found ? (lang() === "zh" ? found.title : found.title_en) : name;
}

/** Unit of a column or metric; "" where it has none. */
export function unitOf(c: Pick<Catalogue, "columns">, name: string): string {
  const found = c.columns.find((x) => x.name === name);
  return found ? (lang() === "zh" ? found.unit : found.unit_en) : "";
}

export const decimalsOf = (c: Pick<Catalogue, "columns">, name: string): number =>
  c.columns.find((x) => x.name === name)?.decimals ?? 2;

/** May the one who asks do this? What the browser hides the API refuses as well. */
export const may = (c: Pick<Catalogue, "me">, what: string): boolean => c.me?.can.includes(what) ?? false;

/** A place with those that it lies in: 苏州市 昆山市. */
export function placeName(regions: readonly Place[], code: string): string {
  const lengths = [4, 6, 9].filter((n) => n <= code.length);
  const names = lengths.map((n) => regions.find((r) => r.code === code.slice(0, n))?.name).filter(Boolean);
  return names.slice(-2).join(" ") || code;
}

/** Where a figure comes from: goes under every picture and into every file of numbers. */
export function origin(c: Pick<Catalogue, "release">, word: (w: Word) => string): string {
  if (!c.release) return "";
  const label = c.release.synthetic ? ` · ${word("synthetic")}` : "";
  return `permu · ${c.release.year} · ${c.release.policy} · ${word("release")} ${c.release.release_id}${label}`;
}
