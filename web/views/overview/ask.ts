// What the overview's figures ask and get.
import type { Asked } from "../../state/address";
import { type Known, path, useData } from "../../state/api";
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

/** An answer about the group asked. */
export function useFigure<T>(p: Shown, route: string, more: Record<string, string | undefined> = {}, wanted = true): Known<T> {
  return useData<T>(p.catalogue.release && wanted ? path(route, { ...question(p), ...more }) : null);
}

/** Cities; within a city or county that is asked, the next level below. */
export function below(region: string | undefined): "region_city" | "region_county" | "region_town" {
  if (!region || region.length <= 2) return "region_city";
  return region.length <= 4 && /^\d+$/.test(region) ? "region_county" : "region_town";
}
