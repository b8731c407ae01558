// The views. To add one: a folder with a default export (a component that takes View), a line here, words in both
// languages. The page's own code is one file; a library that one view alone needs is another (web/libs/<view>.ts).
import type { ComponentType } from "preact";
import type { Asked } from "../state/address";
import type { Catalogue } from "../state/catalogue";
import type { Word } from "../words";
import Desk from "./desk";
import MapView from "./map";
import Overview from "./overview";
import { loadCharts } from "./overview/charts";
import Portrait from "./portrait";
import Rankings from "./rankings";
import { loadTable } from "./rankings/table";
import Whatif from "./whatif";

/** What every view gets. Change the address with `ask({...})`; read answers with `useData(path(...))`. */
export interface View {
  asked: Asked;
  catalogue: Catalogue;
}

export type Filter = "release" | "industry" | "region" | "size" | "group" | "grade" | "by" | "q";

export interface Entry {
  title: Word;
  part: ComponentType<View>;
  /** What has to be fetched before the view can be shown. (The map shows its frame first and fetches by itself.) */
  load?: () => Promise<void>;
  /** The fields of the filter bar that mean something here. */
  filters: readonly Filter[];
  /** Only for who may do this (Me.can); absent: for all. */
  needs?: string;
  /** Not in the navigation: reached by a link. */
  linked?: boolean;
}

const QUESTION: readonly Filter[] = ["release", "industry", "region", "size", "group", "grade", "by", "q"];

export const VIEWS: Record<string, Entry> = {
  map: { title: "view_map", part: MapView, filters: QUESTION.filter((f) => f !== "by") },
  overview: {
    title: "view_overview",
    part: Overview,
    load: loadCharts,
    filters: ["release", "industry", "region", "size", "group", "by"],
  },
  portrait: { title: "view_portrait", part: Portrait, filters: ["release"], linked: true },
  rankings: { title: "view_rankings", part: Rankings, load: loadTable, filters: QUESTION },
  whatif: { title: "view_whatif", part: Whatif, filters: ["release", "industry", "region", "size", "group"], needs: "desk_simulate" },
  desk: { title: "view_desk", part: Desk, filters: [], needs: "desk_status" },
};
