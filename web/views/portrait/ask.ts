// What the portrait asks and gets.
import type { Asked } from "../../state/address";
import { type Known, path, useData } from "../../state/api";
import type { Catalogue } from "../../state/catalogue";

export interface Shown {
  asked: Asked;
  catalogue: Catalogue;
}

export interface Place {
  rank: number | null;
  of: number | null;
}

export interface Row extends Place {
  enterprise_id: string;
  uscc: string;
  name: string;
  industry_code: string;
  industry_name: string | null;
  region_code: string;
  region_name: string | null;
  size: string | null;
  scale_group: string | null;
  score?: number | null;
  grade: string | null;
  percentile: number | null;
  flags?: string[];
  by: string;
  year: number;
  policy: string;
  standing?: Place & { percentile: number | null; places: number | null; years_in_bottom: number };
  [metric: string]: unknown;
}

export interface Step {
  kind: string;
  name: string;
  value: number | string | null;
  unit: string;
  note: string;
  source?: { load_id: string; file: string | null; sheet: string; row: number };
}

/** An answer about the enterprise asked, of the release shown; `may` false asks nothing. */
export function useOwn<T>(p: Shown, route: string, more: Record<string, string> = {}, may = true): Known<T> {
  const id = p.asked.enterprise;
  const release = p.catalogue.release?.release_id;
  const base = `enterprises/${encodeURIComponent(id ?? "")}${route}`;
  return useData<T>(id && release && may ? path(base, { release, ...more }) : null);
}

/** An answer about the enterprise through all its years. */
export function useYears<T>(p: Shown, route: string, may = true): Known<T> {
  const id = p.asked.enterprise;
  return useData<T>(id && may ? path(`enterprises/${encodeURIComponent(id)}${route}`) : null);
}
