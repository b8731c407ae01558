// What the colours rest on: which figures there are, their bands, the regions' values at a zoom.
import type { Asked } from "../../state/address";
import { type Known, path, useData } from "../../state/api";
import type { Catalogue } from "../../state/catalogue";
import { fifths, fixedEdges, type Group, quantileEdges } from "./bands";
import type { Colour } from "./style";

interface Summary {
  groups: Group[];
}

export interface Painted {
  colour: Colour;
  /** The metric of colours and heights; "" where this viewer sees none. */
  metric: string;
  /** Metrics that the parcels carry. */
  metrics: readonly string[];
  isGraded: boolean;
  whole: Group | undefined;
  /** Region code → value: Σ/Σ of the metric; where there is none, the share of grades C and D. */
  regions: ReadonlyMap<string, number>;
  /** Region code → enterprises that are asked. */
  counts: ReadonlyMap<string, number>;
  regionEdges: readonly number[];
  level: string;
  loading: boolean;
  error?: Error;
}

const PLACES = [0.25, 0.5, 0.75, 0.9];

/** Regions drawn at a zoom (the archive holds cities to 6, counties to 8, then towns). */
export const levelAt = (zoom: number): string => (zoom < 7 ? "region_city" : zoom < 9 ? "region_county" : "region_town");

const lowShare = (g: Group): number | null => {
  const all = Object.values(g.grades).reduce((a, b) => a + b, 0);
  return all ? ((g.grades.C ?? 0) + (g.grades.D ?? 0)) / all : null;
};

function colourOf(asked: Asked, catalogue: Catalogue, fields: ReadonlySet<string>, whole: Group | undefined): Colour {
  const metrics = metricsOf(catalogue, fields);
  const graded = isGraded(catalogue, fields);
  if (asked.color === "grade" || (!asked.color && !asked.by && graded)) return { kind: "grade" };
  const metric = metrics.includes(asked.by ?? "") ? asked.by! : metrics.includes(catalogue.by) ? catalogue.by : metrics[0];
  if (asked.color === "rank" || !metric) return { kind: "rank", metric: metric ?? "", edges: PLACES };
  const spread = whole?.metrics[metric];
  return { kind: "metric", metric, edges: asked.bands === "fixed" ? fixedEdges(spread) : quantileEdges(spread) };
}

const metricsOf = (c: Catalogue, fields: ReadonlySet<string>): string[] =>
  (c.release?.metrics ?? []).filter((name) => fields.has(name) && name !== "score");

const isGraded = (c: Catalogue, fields: ReadonlySet<string>): boolean =>
  fields.has("grade") && (c.release?.metrics?.includes("score") ?? false);

/** Everything that the drawing and its legend need for what is asked. */
export function usePainted(asked: Asked, catalogue: Catalogue, fields: ReadonlySet<string>, zoom: number): Painted {
  const question = { release: catalogue.release?.release_id, industry: asked.industry, region: asked.region, size: asked.size, group: asked.group };
  // bands by fixed numbers rest on the whole release, so that they stay when the filter changes
  const bandsOf = asked.bands === "fixed" ? { release: question.release } : question;
  const whole: Known<Summary> = useData(path("summary", bandsOf));
  const level = levelAt(zoom);
  // regions are of the very rows that are asked; bands and ranks are of their group
  const parts: Known<Summary> = useData(zoom < 10 ? path("summary", { ...question, grade: asked.grade, q: asked.q, group_by: level }) : null);
  const group = whole.data?.groups[0];
  const colour = colourOf(asked, catalogue, fields, group);
  const metrics = metricsOf(catalogue, fields);
  const metric = colour.kind === "grade" ? (metrics.includes(catalogue.by) ? catalogue.by : (metrics.at(-1) ?? "")) : colour.metric;
  const regions = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const g of parts.data?.groups ?? []) {
    // shares of grades are quotas within a county: only where no figure may be seen do they colour regions
    const value = metric ? g.metrics[metric]?.ratio : lowShare(g);
    const code = g.key[level];
    if (code) counts.set(code, g.enterprises);
    if (code && value !== null && value !== undefined) regions.set(code, value);
  }
  return {
    colour, metric, metrics, isGraded: isGraded(catalogue, fields), whole: group, regions, counts, level,
    regionEdges: fifths([...regions.values()]), loading: whole.loading || parts.loading, error: whole.error ?? parts.error,
  };
}
