// The table: pages come by cursor as one scrolls; only the rows in sight are in the document.
import type { ColumnDefinition, Tabulator } from "tabulator-tables";
import "tabulator-tables/dist/css/tabulator_simple.min.css";
import { get, path } from "../../state/api";
import { t } from "../../words";
import type { Places, Row } from "./columns";

let lib: typeof import("../../libs/rankings");

/** Fetch what shows tables; to be awaited before the first. */
export const loadTable = async (): Promise<void> => void (lib = await import("../../libs/rankings"));

export const PAGE = 50;
export type Question = Record<string, string | undefined>;

interface Page {
  of: number | null;
  total: number;
  rows: Row[];
  next: string | null;
}

export interface Told {
  onPage: (page: { of: number | null; total: number }) => void;
  onPlaces: (places: Places, year: number) => void;
  onError: (error: unknown) => void;
}

/** The pages of a question: page n needs the cursor that page n−1 gave. */
class Pages {
  private readonly cursors: (string | null)[] = [null];

  constructor(private readonly question: Question, private readonly hasYearBefore: boolean, private readonly on: Told) {}

  async load(number: number): Promise<{ data: Row[]; last_page: number }> {
    const asked = { ...this.question, limit: PAGE, cursor: this.cursors[number - 1] };
    if (this.hasYearBefore) this.places(asked);
    const page = await get<Page>(path("rankings", asked));
    this.cursors[number] = page.next;
    this.on.onPage(page);
    return { data: page.rows, last_page: page.next ? number + 1 : number };
  }

  private places(asked: Record<string, string | number | null | undefined>): void {
    const found = get<{ places: Places; against: { year: number } }>(path("rankings/places", asked));
    found.then((x) => this.on.onPlaces(x.places, x.against.year), this.on.onError);
  }
}

/** A table in `box` for a question. */
export function makeTable(box: HTMLElement, question: Question, columns: ColumnDefinition[], hasYearBefore: boolean, on: Told): Tabulator {
  const pages = new Pages(question, hasYearBefore, on);
  const table = new lib.Tabulator(box, {
    index: "enterprise_id",
    columns,
    height: "100%",
    layout: "fitDataFill",
    rowHeight: 38,
    renderHorizontal: "basic",
    columnHeaderVertAlign: "bottom",
    placeholder: t("map_nobody"),
    ajaxURL: "rankings",
    ajaxRequestFunc: async (_url: string, _config: unknown, given: { page: number }) => {
      try {
        return await pages.load(given.page);
      } catch (error) {
        on.onError(error);
        return { data: [], last_page: given.page };
      }
    },
    progressiveLoad: "scroll",
    progressiveLoadScrollMargin: 800,
    paginationSize: PAGE,
    dataLoader: false,
  });
  table.on("tableBuilt", () => {
    // what scrolls takes the focus, so it is the group of rows; what lies within it has no meaning of its own
    box.querySelector(".tabulator-tableholder")?.setAttribute("role", "rowgroup");
    box.querySelector(".tabulator-table")?.setAttribute("role", "presentation");
    box.setAttribute("aria-label", t("view_rankings"));
  });
  return table;
}
