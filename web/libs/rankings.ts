// Tabulator, only the parts that the rankings use: a file of its own, which no other view fetches.
import { AjaxModule, FormatModule, FrozenColumnsModule, PageModule, ResizeColumnsModule, ResizeTableModule, Tabulator } from "tabulator-tables";

Tabulator.registerModule([AjaxModule, FormatModule, FrozenColumnsModule, PageModule, ResizeColumnsModule, ResizeTableModule]);

export { Tabulator };
