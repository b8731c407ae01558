// What the overview's figures ask and get.
import type { Asked } from "../../state/address";
import { ApiError, type Known, path, useData } from "../../state/api";
import type { Catalogue } from "../../state/catalogue";

export interface Shown {
  asked: Asked;
  catalogue: Catalogue;
}

export interface Spread {
  of: number;
  ratio: number | null;
  mean: number | null;
  p10: number | null;
  p25: number | null;
  p50: number | null;
  p75: number | null;
  p90: number | null;
}

export interface Group {
  key: Record<string, string | null>;
  enterprises: number;
  land_mu: number | null;
  output_wan_yuan: number | null;
  tax_wan_yuan: number | null;
  metrics: Record<string, Spread>;
  grades: Record<string, number>;
}

/** The group asked: industry, region, size and scale; a figure is about all its grades and names. */
export function question(p: Shown): Record<string, string | undefined> {
  const { industry, region, size, group } = p.asked;
  return { release: p.catalogue.release?.release_id, industry, region, size, group };
}

const OF_AMOUNTS = ["overview/distribution", "overview/concentration", "overview/quadrant", "overview/targets"];
const REFUSED = new ApiError({ status: 403, code: "forbidden" });

/** Whether the API would refuse (docs/rights.md): who sees neither a column nor sums of groups gets nothing computed from it. */
function isRefused(p: Shown, route: string, by: string | undefined): boolean {
  const { columns, me } = p.catalogue;
  if (me?.role === "public" || me?.role === "enterprise") return false; // sums of groups, though not the figures of single firms
  const hides = (name: string): boolean => columns.find((c) => c.name === name)?.shown === false;
  return (by !== undefined && hides(by)) || (OF_AMOUNTS.includes(route) && hides("tax_wan_yuan"));
}

/** An answer about the group asked; what would only be refused is not asked. */
export function useFigure<T>(p: Shown, route: string, more: Record<string, string | undefined> = {}, wanted = true): Known<T> {
  const refused = isRefused(p, route, more.by);
  const known = useData<T>(p.catalogue.release && wanted && !refused ? path(route, { ...question(p), ...more }) : null);
  return refused ? { error: REFUSED, loading: false } : known;
}

/** Cities; within a city or county that is asked, the next level below. */
export function below(region: string | undefined): "region_city" | "region_county" | "region_town" {
  if (!region || region.length <= 2) return "region_city";
  return region.length <= 4 && /^\d+$/.test(region) ? "region_county" : "region_town";
}
