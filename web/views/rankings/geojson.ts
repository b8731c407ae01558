// The enterprises of a question as one GeoJSON file: OGC API Features, page after page until none is left.
import { get, path } from "../../state/api";
import { save } from "../../parts/download";
import type { Question } from "./table";

const MOST_FOUND = 200;
const PAGE = 10_000;

interface Features {
  numberMatched: number;
  links: { rel: string; href: string }[];
  features: unknown[];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** GB/T 4754-2017: the divisions of section B are 06–12, of C 13–43, of D 44–46. */
function industry(code: string): string {
  const [low, high] = { B: ["06", "12"], C: ["13", "43"], D: ["44", "46"] }[code.toUpperCase()] ?? [];
  if (!low) return `industry_code LIKE ${quoted(`${code}%`)}`;
  return `(industry_code >= ${quoted(low)} AND industry_code < ${quoted(String(Number(high) + 1))})`;
}

function group(name: string): string {
  if (name === "land_3mu_up") return "land_mu >= 3";
  return name === "land_below_3mu" ? "land_mu < 3" : `scale_group = ${quoted(name)}`;
}

/** Those that a search found, by id; by name where they are too many for an address. */
async function search(question: Question): Promise<string> {
  const found = await get<{ total: number; rows: { enterprise_id: string }[] }>(path("rankings", { ...question, limit: MOST_FOUND }));
  if (found.total > MOST_FOUND) return `name LIKE ${quoted(`%${question.q}%`)}`;
  return `enterprise_id IN (${found.rows.map((r) => quoted(r.enterprise_id)).join(", ") || "''"})`;
}

/** The question as CQL2 text; "" where everything is asked. */
export async function filterOf(question: Question): Promise<string> {
  const parts: string[] = [];
  if (question.industry) parts.push(industry(question.industry));
  if (question.region) parts.push(`region_code LIKE ${quoted(`${question.region.length === 6 ? question.region.replace(/(00)+$/, "") : question.region}%`)}`);
  if (question.size) parts.push(`size = ${quoted(question.size)}`);
  if (question.group && question.group !== "all") parts.push(group(question.group));
  if (question.grade) parts.push(`grade = ${quoted(question.grade)}`);
  if (question.q) parts.push(await search(question));
  return parts.join(" AND ");
}

/** Fetch every page and save them as one file. */
export async function saveFeatures(question: Question): Promise<void> {
  const filter = await filterOf(question);
  const asked = new URLSearchParams({ limit: String(PAGE), f: "json", ...(filter ? { filter, "filter-lang": "cql2-text" } : {}) });
  let href: string | undefined = `/ogc/releases/${question.release}/collections/enterprises/items?${asked}`;
  const features: unknown[] = [];
  while (href) {
    const page: Features = await get<Features>(href);
    features.push(...page.features);
    const next = page.links.find((l) => l.rel === "next")?.href;
    href = next && page.features.length ? new URL(next).pathname + new URL(next).search : undefined;
  }
  const whole = { type: "FeatureCollection", permu: { ...question, filter }, features };
  save(new Blob([JSON.stringify(whole)], { type: "application/geo+json" }), `permu-${question.release}.geojson`);
}
