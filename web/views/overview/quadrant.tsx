// Output against benefit on log scales: points while there are few, else counted cells; the cross is the medians.
import { GRADES } from "../../parts/grade";
import { token } from "../../parts/legend";
import { figure } from "../../parts/number";
import { go, toView } from "../../state/address";
import { titleOf, unitOf } from "../../state/catalogue";
import { type Shown, useFigure } from "./ask";
import { axis, type Option } from "./charts";
import { Figure, type Numbers } from "./figure";
import { w } from "./words";

interface Point {
  enterprise_id: string;
  name: string;
  grade: string | null;
  x: number;
  y: number;
}
type Cell = [number | null, number | null, number];
type Pair = { x: number | null; y: number | null };

interface Quadrant {
  x: string;
  y: string;
  of: number;
  missing: number;
  cross: { median: Pair; base: Pair } | null;
  counts: Record<"high_high" | "high_low" | "low_high" | "low_low", number> | null;
  points: Point[] | null;
  cells: Cell[] | null;
  per_decade: number;
  hidden: number;
}

export function Fields(p: Shown) {
  const known = useFigure<Quadrant>(p, "overview/quadrant");
  const found = known.data;
  const n = found?.counts;
  const note = n && w("quadrant_note", { hh: figure(n.high_high, 0), ll: figure(n.low_low, 0), hl: figure(n.high_low, 0), lh: figure(n.low_high, 0) });
  const how = found && w(found.cells ? "quadrant_cells" : "quadrant_points");
  const few = found?.hidden ? w("hidden", { n: found.hidden }) : "";
  return (
    <Figure
      name="quadrant"
      title={w("quadrant")}
      note={note ?? undefined}
      hint={found && [how, few, w("of_note", { of: figure(found.of, 0), missing: figure(found.missing, 0) })].filter(Boolean).join(" · ")}
      catalogue={p.catalogue}
      known={known}
      option={found?.of ? option(p, found) : null}
      height={360}
      numbers={found ? numbers(p, found) : { heads: [], rows: [] }}
      onPick={(data) => {
        const id = (data as { id?: string }).id;
        if (id) go(toView(p.asked, "portrait", { enterprise: id }));
      }}
    />
  );
}

const log = Math.log10;

/** Places on a log scale; what is not above 0 stands half a decade below the least. */
interface Scale {
  place: (v: number | null) => number;
  min: number;
  max: number;
  ticks: number[];
  /** Whether the first tick stands for what is not above 0. */
  open: boolean;
}

function placed(values: readonly (number | null)[]): Scale {
  const logs = values.filter((v): v is number => v !== null && v > 0).map(log);
  const any = values.some((v) => v === null || v <= 0);
  const [least, most] = logs.length ? [Math.min(...logs), Math.max(...logs)] : [0, 1];
  const floor = Math.floor(least * 2) / 2;
  const max = Math.ceil(most * 4 + 0.4) / 4;
  const under = floor - 0.3;
  const whole = Array.from({ length: 20 }, (_, i) => Math.ceil(floor) + i).filter((v) => v <= max);
  return { place: (v) => (v !== null && v > 0 ? log(v) : under), min: any ? floor - 0.5 : floor, max, ticks: any ? [under, ...whole] : whole, open: any };
}

const scale = (v: number): string => {
  const x = 10 ** v;
  return x >= 1 ? figure(x, 0) : figure(x, -Math.floor(v));
};

function option(p: Shown, found: Quadrant): Option {
  const middle = (i: number | null) => (i === null ? null : 10 ** ((i + 0.5) / found.per_decade));
  const xs = placed(found.points?.map((q) => q.x) ?? found.cells!.map((c) => middle(c[0])));
  const ys = placed(found.points?.map((q) => q.y) ?? found.cells!.map((c) => middle(c[1])));
  const [x, y] = [named(p, found.x), named(p, found.y)];
  const lines = found.cross && [
    { xAxis: log(found.cross.median.x!), name: `${w("median")} ${figure(found.cross.median.x, 1)}` },
    { yAxis: log(found.cross.median.y!), name: `${w("median")} ${figure(found.cross.median.y, 1)}` },
  ].filter((l) => Object.values(l).every((v) => typeof v === "string" || Number.isFinite(v)));
  const cross = {
    symbol: "none",
    silent: true,
    lineStyle: { color: token("--ink"), type: "solid", width: 1 },
    label: { color: token("--ink"), fontSize: 12, formatter: "{b}", position: "insideEndTop" },
    data: lines ?? [],
  };
  const shared = { markLine: cross, clip: false };
  const series = found.points
    ? { ...shared, type: "scatter", symbolSize: 7, data: found.points.map((q) => dot(q, xs.place(q.x), ys.place(q.y), x, y)) }
    : { ...shared, type: "custom", renderItem: square(found), data: cells(found, (i) => xs.place(middle(i)), (i) => ys.place(middle(i))) };
  const log10 = (name: string, s: Scale, gap: number, more: object = {}) =>
    axis({
      type: "value", min: s.min, max: s.max, name, nameGap: gap, ...more,
      axisLine: { onZero: false, lineStyle: { color: token("--line-strong") } },
      axisLabel: { customValues: s.ticks, formatter: (v: number) => (v === s.ticks[0] && s.open ? w("not_above_zero") : scale(v)) },
      splitLine: { show: false },
    });
  return {
    grid: { left: 8, right: 24, top: 28, bottom: 40, containLabel: true },
    tooltip: { formatter: (q: { data: { told: string } }) => q.data.told },
    xAxis: log10(x, xs, 28),
    yAxis: log10(y, ys, 10, { nameLocation: "end", nameTextStyle: { align: "left", color: token("--ink-soft") } }),
    series: [series],
  };
}

const named = (p: Shown, metric: string): string => `${titleOf(p.catalogue, metric)} (${unitOf(p.catalogue, metric)})`;

function dot(q: Point, x: number, y: number, xName: string, yName: string): object {
  const told = `${q.name}${q.grade ? ` · ${q.grade}` : ""}\n${xName} ${figure(q.x)}\n${yName} ${figure(q.y)}`;
  const known = q.grade && (GRADES as readonly string[]).includes(q.grade);
  return { value: [x, y], id: q.enterprise_id, told, itemStyle: { color: token(known ? `--grade-${q.grade}` : "--ramp-4"), opacity: 0.75, borderColor: token("--ink"), borderWidth: 0.4 } };
}

const RAMP = [1, 2, 3, 4, 5];

/** Cells as squares; darker holds more, by steps of the count's logarithm. */
function cells(found: Quadrant, x: (i: number | null) => number, y: (i: number | null) => number): object[] {
  const most = Math.max(...found.cells!.map((c) => c[2]));
  const limit = (i: number | null) => (i === null ? w("not_above_zero") : `${figure(10 ** (i / found.per_decade), 1)} – ${figure(10 ** ((i + 1) / found.per_decade), 1)}`);
  return found.cells!.map(([i, j, count]) => {
    const step = RAMP[Math.min(4, Math.floor((Math.log(count) / Math.log(most + 1)) * 5))]!;
    const told = `${limit(i)}\n${limit(j)}\n${figure(count, 0)} ${w("firms")}`;
    return { value: [x(i), y(j)], told, itemStyle: { color: token(`--ramp-${step}`) } };
  });
}

interface Pen {
  value: (dimension: number) => number;
  coord: (place: [number, number]) => [number, number];
  size: (span: [number, number]) => [number, number];
  visual: (name: string) => string;
}

/** A cell as wide and high as an eighth of a decade. */
function square(found: Quadrant) {
  const span = 1 / found.per_decade;
  return (_: unknown, pen: Pen) => {
    const [x, y] = pen.coord([pen.value(0), pen.value(1)]);
    const [wide, high] = pen.size([span, span]);
    const shape = { x: x - wide / 2, y: y - high / 2, width: wide, height: high };
    return { type: "rect", shape, style: { fill: pen.visual("color"), stroke: token("--line-strong"), lineWidth: 0.4 } };
  };
}

function numbers(p: Shown, found: Quadrant): Numbers {
  const [x, y] = [named(p, found.x), named(p, found.y)];
  if (found.points) {
    const heads = [titleOf(p.catalogue, "name"), titleOf(p.catalogue, "enterprise_id"), titleOf(p.catalogue, "grade"), x, y];
    return { heads, rows: found.points.map((q) => [q.name, q.enterprise_id, q.grade, q.x, q.y]) };
  }
  const end = (i: number | null, add: number) => (i === null ? w("not_above_zero") : 10 ** ((i + add) / found.per_decade));
  const heads = [`${x} ${w("from")}`, `${x} ${w("to")}`, `${y} ${w("from")}`, `${y} ${w("to")}`, w("count")];
  return { heads, rows: (found.cells ?? []).map(([i, j, n]) => [end(i, 0), end(i, 1), end(j, 0), end(j, 1), n]) };
}
