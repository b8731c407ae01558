// Industry × region as a table whose cells are coloured by fifths: figures first, colour second.
import { token } from "../../parts/legend";
import { figure } from "../../parts/number";
import { toView } from "../../state/address";
import { decimalsOf, titleOf, unitOf } from "../../state/catalogue";
import { t } from "../../words";
import { below, type Group, type Shown, useFigure } from "./ask";
import { axis, type Option } from "./charts";
import { Figure } from "./figure";
import { named } from "./groups";
import { w } from "./words";

interface Held {
  rows: string[];
  columns: string[];
  at: (row: string, column: string) => Group | undefined;
  rowTotal: (row: string) => Group | undefined;
  columnTotal: (column: string) => Group | undefined;
  band: (value: number | null | undefined) => number;
}

const value = (g: Group | undefined, by: string): number | null | undefined => g && (g.metrics[by]?.ratio ?? g.metrics[by]?.mean ?? null);

export function Heat(p: Shown) {
  const by = p.catalogue.by;
  const key = below(p.asked.region);
  const known = useFigure<{ groups: Group[] }>(p, "summary", { group_by: `industry,${key}`, by });
  const rows = useFigure<{ groups: Group[] }>(p, "summary", { group_by: "industry", by });
  const columns = useFigure<{ groups: Group[] }>(p, "summary", { group_by: key, by });
  const ready = known.data && rows.data && columns.data;
  const held = ready ? hold(known.data!.groups, rows.data!.groups, columns.data!.groups, key, by) : null;
  const title = w("heat", { metric: titleOf(p.catalogue, by) });
  const stated = held?.rows.some((r) => typeof value(held.rowTotal(r), by) === "number");
  const codes = held ? held.rows.flatMap((r) => held.columns.map((c) => [r, c] as const)) : [];
  return (
    <Figure
      name="heat"
      title={title}
      note={w(!held || columns.data!.groups.some((g) => g.metrics[by]?.ratio != null) ? "heat_note" : "heat_note_mean", { unit: unitOf(p.catalogue, by) })}
      catalogue={p.catalogue}
      known={known}
      wide
      aside={held && stated ? () => ({ option: option(p, held, key, by), width: Math.max(640, 260 + held.columns.length * 90), height: held.rows.length * 26 + 60 }) : undefined}
      numbers={{
        heads: [w("dim_industry"), "#", w("dim_region"), "#", w("enterprises"), w("sigma"), w("median")],
        rows: codes.flatMap(([r, c]) => {
          const g = held!.at(r, c);
          return g ? [[named(p.catalogue, "industry", r), r, named(p.catalogue, key, c), c, g.enterprises, g.metrics[by]?.ratio, g.metrics[by]?.p50]] : [];
        }),
      }}
    >
      {held && stated && <Table p={p} held={held} keyed={key} by={by} title={title} />}
    </Figure>
  );
}

function hold(cells: readonly Group[], rows: readonly Group[], columns: readonly Group[], key: string, by: string): Held {
  const found = new Map(cells.map((g) => [`${g.key.industry} ${g.key[key]}`, g]));
  const order = (a: Group, b: Group) => (value(b, by) ?? -Infinity) - (value(a, by) ?? -Infinity);
  const known = rows.filter((g) => g.key.industry).sort(order);
  const places = columns.filter((g) => g.key[key]);
  const values = cells.map((g) => value(g, by)).filter((v): v is number => typeof v === "number").sort((a, b) => a - b);
  const limits = [0.2, 0.4, 0.6, 0.8].map((q) => values[Math.floor(q * values.length)] ?? Infinity);
  return {
    rows: known.map((g) => g.key.industry!),
    columns: places.map((g) => g.key[key]!),
    at: (r, c) => found.get(`${r} ${c}`),
    rowTotal: (r) => known.find((g) => g.key.industry === r),
    columnTotal: (c) => places.find((g) => g.key[key] === c),
    band: (v) => (v === null || v === undefined ? 0 : 1 + limits.filter((l) => v >= l).length),
  };
}

function Table({ p, held, keyed, by, title }: { p: Shown; held: Held; keyed: string; by: string; title: string }) {
  const d = Math.min(decimalsOf(p.catalogue, by), 2) > 1 ? 1 : decimalsOf(p.catalogue, by);
  const cell = (g: Group | undefined) => (g ? figure(value(g, by), d) : "");
  const hover = (g: Group | undefined) => (g ? `${figure(g.enterprises, 0)} ${w("firms")}` : undefined);
  return (
    <div class="scroll heat" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption class="hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{w("dim_industry")}</th>
            <th scope="col">{w("heat_all")}</th>
            {held.columns.map((c) => <th key={c} scope="col">{distinct(p, held, keyed, c)}</th>)}
          </tr>
        </thead>
        <tbody>
          {held.rows.map((r) => (
            <tr key={r}>
              <th scope="row"><a href={toView({ ...p.asked, industry: r }, "rankings")}>{named(p.catalogue, "industry", r)}</a></th>
              <td title={hover(held.rowTotal(r))}>{cell(held.rowTotal(r))}</td>
              {held.columns.map((c) => {
                const g = held.at(r, c);
                return <td key={c} class={g ? `heat-${held.band(value(g, by))}` : ""} title={hover(g)}>{cell(g)}</td>;
              })}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{w("heat_all")}</th>
            <td />
            {held.columns.map((c) => <td key={c}>{cell(held.columnTotal(c))}</td>)}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** A place's name, with its code where another bears the same name. */
function distinct(p: Shown, held: Held, key: string, code: string): string {
  const name = named(p.catalogue, key, code);
  return held.columns.some((c) => c !== code && named(p.catalogue, key, c) === name) ? `${name} ${code}` : name;
}

/** The same for the PNG. */
function option(p: Shown, held: Held, key: string, by: string): Option {
  const cells = held.rows.flatMap((r, j) =>
    held.columns.flatMap((c, i) => {
      const g = held.at(r, c);
      if (!g) return [];
      const band = held.band(value(g, by));
      const colour = { color: band ? token(`--ramp-${band}`) : token("--no-data") };
      return [{ value: [i, held.rows.length - 1 - j, value(g, by) ?? 0], itemStyle: colour, label: { color: band > 3 ? "#fff" : token("--ink"), formatter: value(g, by) === null ? t("no_data") : figure(value(g, by), 1) } }];
    }),
  );
  return {
    grid: { left: 8, right: 16, top: 32, bottom: 8, containLabel: true },
    xAxis: axis({ type: "category", position: "top", data: held.columns.map((c) => distinct(p, held, key, c)), axisLabel: { interval: 0 } }),
    yAxis: axis({ type: "category", data: [...held.rows].reverse().map((r) => named(p.catalogue, "industry", r)), axisLabel: { interval: 0 } }),
    series: [{ type: "heatmap", data: cells, label: { show: true } }],
  };
}
