// The views. To add one: a folder with a default export (a component that takes View), a line here, words in both
// languages. A view is loaded when it is first shown; what it imports alone stays out of the first load.
import type { ComponentType } from "preact";
import type { Asked } from "../state/address";
import type { Catalogue } from "../state/catalogue";
import type { Word } from "../words";

/** What every view gets. Change the address with `ask({...})`; read answers with `useData(path(...))`. */
export interface View {
  asked: Asked;
  catalogue: Catalogue;
}

export type Filter = "release" | "industry" | "region" | "size" | "group" | "grade" | "by" | "q";

export interface Entry {
  title: Word;
  load: () => Promise<{ default: ComponentType<View> }>;
  /** The fields of the filter bar that mean something here. */
  filters: readonly Filter[];
  /** Only for who may do this (Me.can); absent: for all. */
  needs?: string;
  /** Not in the navigation: reached by a link. */
  linked?: boolean;
}

const QUESTION: readonly Filter[] = ["release", "industry", "region", "size", "group", "grade", "by", "q"];

export const VIEWS: Record<string, Entry> = {
  map: { title: "view_map", load: () => import("./map"), filters: QUESTION.filter((f) => f !== "by") },
  overview: {
    title: "view_overview",
    load: () => import("./overview"),
    filters: ["release", "industry", "region", "size", "group", "by"],
  },
  portrait: { title: "view_portrait", load: () => import("./portrait"), filters: ["release"], linked: true },
  rankings: { title: "view_rankings", load: () => import("./rankings"), filters: QUESTION },
  whatif: { title: "view_whatif", load: () => import("./whatif"), filters: ["release", "industry", "region", "size", "group"], needs: "desk_simulate" },
  desk: { title: "view_desk", load: () => import("./desk"), filters: [], needs: "desk_status" },
};
