// The columns that a ranking row can show: which there are, which are chosen, how each is written.
import type { CellComponent, ColumnDefinition } from "tabulator-tables";
import { figure, MISSING } from "../../parts/number";
import { toView, type Asked } from "../../state/address";
import { type Catalogue, decimalsOf, placeName, titleOf, unitOf } from "../../state/catalogue";
import { isGraded } from "../../parts/filters";
import { t, tOr } from "../../words";

export interface Row {
  enterprise_id: string;
  /** Not there for who may not see ranks. */
  rank?: number | null;
  of: number | null;
  percentile: number | null;
  name: string | null;
  [column: string]: unknown;
}

export type Places = Record<string, { rank: number; of: number }>;

const ALWAYS = ["rank", "name", "moved"] as const;
const MORE = ["percentile", "uscc", "industry_code", "scale_group", "land_group", "flags"];
const TEXT = new Set(["industry_name", "region_name", "size", "scale_group", "land_group", "uscc", "industry_code", "flags"]);

/** All columns that can be chosen, in order. */
export function offered(c: Catalogue): string[] {
  const own = (c.release?.metrics ?? []).filter((m) => m !== "score");
  const graded = isGraded(c) ? ["score", "grade"] : [];
  const indicators = c.indicators.map((i) => i.name);
  const figures = ["land_mu", "output_wan_yuan", "tax_wan_yuan", ...own, ...graded];
  const grade = isGraded(c) ? ["grade"] : [];
  const all = [...ALWAYS, c.by, ...grade, "industry_name", "region_name", "size", ...figures, ...indicators, ...MORE];
  const hidden = new Set(c.columns.filter((x) => !x.shown).map((x) => x.name));
  if (hidden.has("rank")) hidden.add("moved");
  return [...new Set(all)].filter((name) => !hidden.has(name));
}

/** The columns shown: those of the address, else the usual ones and the metric asked. */
export function shownColumns(asked: Asked, c: Catalogue): string[] {
  const all = offered(c);
  const wanted = asked.cols?.split(",") ?? [];
  const usual = ["industry_name", "region_name", "size", "land_mu", "output_wan_yuan", "tax_wan_yuan", ...(c.release?.metrics ?? []), c.by, isGraded(c) ? "grade" : ""];
  const chosen = new Set<string>([...ALWAYS, ...(wanted.length ? wanted : usual)]);
  return all.filter((name) => chosen.has(name));
}

function element(name: string, text: string, cls = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = cls;
  return made;
}

/** "No data": a dash that is read as such. */
function none(): HTMLElement {
  const made = element("span", "", "nodata");
  const dash = element("span", MISSING);
  dash.setAttribute("aria-hidden", "true");
  made.append(dash, element("span", t("no_data"), "hidden"));
  return made;
}

const isNarrow = (): boolean => innerWidth <= 720;

function rankCell(cell: CellComponent): HTMLElement {
  const row = cell.getData() as Row;
  if (row.rank === null || row.rank === undefined) return none();
  const made = element("span", "");
  made.append(element("b", figure(row.rank, 0)));
  if (!isNarrow()) made.append(element("span", ` / ${figure(row.of, 0)}`, "unit"));
  return made;
}

/** Places up or down against the year before; the arrow and the word say it, the colour repeats it. */
export function movedText(row: Row, places: Places): { text: string; cls: string; told: string } | null {
  const before = places[row.enterprise_id];
  if (row.rank === null || row.rank === undefined) return null;
  if (!before) return { text: t("rank_new"), cls: "moved-new", told: t("rank_new_told") };
  const up = before.rank - row.rank;
  const told = t("rank_before", { rank: figure(before.rank, 0), of: figure(before.of, 0) });
  if (up === 0) return { text: "＝", cls: "", told: `${t("rank_same")}; ${told}` };
  const words = { text: `${up > 0 ? "▲" : "▼"} ${figure(Math.abs(up), 0)}`, cls: up > 0 ? "moved-up" : "moved-down" };
  return { ...words, told: `${t(up > 0 ? "rank_up" : "rank_down", { n: Math.abs(up) })}; ${told}` };
}

function gradeCell(cell: CellComponent): HTMLElement {
  const grade = cell.getValue() as string | null;
  if (!grade) return none();
  const badge = element("span", grade, `grade grade-${grade}`);
  badge.title = tOr(`grade_${grade}`, grade);
  return badge;
}

function textOf(name: string, row: Row, c: Catalogue): string {
  const value = row[name];
  if (name === "region_name") return placeName(c.regions, String(row.region_code ?? ""));
  if (name === "size" || name === "scale_group") return tOr(`${name === "size" ? "size" : "group"}_${value}`, String(value ?? ""));
  if (name === "land_group") return tOr(`group_${value}`, String(value ?? ""));
  return Array.isArray(value) ? value.join(" ") : String(value ?? "");
}

function formatter(name: string, asked: Asked, c: Catalogue, places: () => Places | null) {
  const decimals = decimalsOf(c, name);
  const cells: Record<string, (cell: CellComponent) => HTMLElement> = {
    rank: rankCell,
    grade: gradeCell,
    moved: (cell) => {
      const known = places();
      const moved = known && movedText(cell.getData() as Row, known);
      if (!moved) return known ? none() : element("span", "");
      const made = element("span", moved.text, moved.cls);
      made.title = moved.told;
      return made;
    },
    name: (cell) => {
      const row = cell.getData() as Row;
      const link = element("a", row.name ?? t("unnamed")) as HTMLAnchorElement;
      link.href = toView(asked, "portrait", { enterprise: row.enterprise_id });
      return link;
    },
  };
  if (cells[name]) return cells[name];
  if (TEXT.has(name)) {
    return (cell: CellComponent) => {
      const text = textOf(name, cell.getData() as Row, c);
      return text ? element("span", text, "clip") : none();
    };
  }
  return (cell: CellComponent) => {
    const value = cell.getValue() as number | null | undefined;
    return value === null || value === undefined ? none() : element("span", figure(value, decimals));
  };
}

const WIDTHS: Record<string, number> = { rank: 130, moved: 92, name: 260, industry_name: 190, region_name: 170, size: 78, grade: 74, uscc: 190 };

const NARROW: Record<string, number> = { rank: 64, name: 168, moved: 84 };

const headTitle = (name: string, c: Catalogue): string => (name === "moved" ? t("rank_moved") : titleOf(c, name));

/** Tabulator's columns. The head holds the title and, on a line of its own, the unit. */
export function columnsFor(names: readonly string[], asked: Asked, c: Catalogue, places: () => Places | null): ColumnDefinition[] {
  return names.map((name) => {
    const isNumber = !TEXT.has(name) && name !== "name" && name !== "grade";
    return {
      title: headTitle(name, c),
      field: name,
      frozen: name === "rank" || name === "name",
      width: isNarrow() ? (NARROW[name] ?? WIDTHS[name]) : WIDTHS[name],
      minWidth: 56,
      hozAlign: isNumber ? "right" : "left",
      headerHozAlign: isNumber ? "right" : "left",
      resizable: "header",
      cssClass: name === c.by ? "asked" : "",
      formatter: formatter(name, asked, c, places),
      titleFormatter: () => {
        const made = element("span", headTitle(name, c));
        const unit = unitOf(c, name);
        if (unit) made.append(element("span", unit, "unit"));
        return made;
      },
    } as ColumnDefinition;
  });
}
