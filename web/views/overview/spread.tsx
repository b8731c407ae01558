// How a metric is spread, and how unevenly land yields it.
import { token } from "../../parts/legend";
import { figure, percent } from "../../parts/number";
import { decimalsOf, titleOf, unitOf } from "../../state/catalogue";
import { type Group, type Shown, useFigure } from "./ask";
import { axis, type Option } from "./charts";
import { Figure } from "./figure";
import { w } from "./words";

interface Bins {
  by: string;
  of: number;
  missing: number;
  edges: number[];
  counts: number[];
}

/** An edge as short as it is exact. */
const edge = (x: number): string => figure(x, Number.isInteger(x) ? 0 : Math.min(4, String(x).split(".")[1]?.length ?? 2));

export function Distribution(p: Shown) {
  const by = p.catalogue.by;
  const known = useFigure<Bins>(p, "overview/distribution", { by });
  const whole = useFigure<{ groups: Group[] }>(p, "summary", { by });
  const m = whole.data?.groups[0]?.metrics[by];
  const d = decimalsOf(p.catalogue, by);
  const found = known.data;
  const unit = unitOf(p.catalogue, by);
  const values = m && Object.fromEntries((["p50", "ratio", "mean", "p25", "p90"] as const).map((k) => [k, figure(m[k], d)]));
  return (
    <Figure
      name="distribution"
      title={w("distribution", { metric: titleOf(p.catalogue, by) })}
      note={values && m?.p50 != null ? w(m.ratio == null ? "distribution_note_mean" : "distribution_note", values) : undefined}
      hint={found && w("of_note", { of: figure(found.of, 0), missing: figure(found.missing, 0) })}
      catalogue={p.catalogue}
      known={known}
      option={found?.of ? bars(found, unit) : null}
      numbers={{
        heads: [`${w("from")} (${unit})`, `${w("to")} (${unit})`, w("count")],
        rows: (found?.counts ?? []).map((n, i) => [found!.edges[i - 1], found!.edges[i], n]),
      }}
    />
  );
}

function bars(found: Bins, unit: string): Option {
  const { edges, counts } = found;
  const name = (i: number) => {
    if (i === 0) return w("below", { x: edge(edges[0] ?? 0) });
    if (i === edges.length) return w("above", { x: edge(edges.at(-1) ?? 0) });
    return `${edge(edges[i - 1]!)} – ${edge(edges[i]!)}`;
  };
  const label = (i: number) => (i === 0 ? `<${edge(edges[0] ?? 0)}` : edge(edges[i - 1]!) + (i === edges.length ? "+" : ""));
  return {
    grid: { left: 8, right: 12, top: 12, bottom: 40, containLabel: true },
    tooltip: { formatter: (x: { dataIndex: number; value: number }) => `${name(x.dataIndex)} ${unit}\n${figure(x.value, 0)} ${w("firms")}` },
    xAxis: axis({ type: "category", data: counts.map((_, i) => label(i)), name: unit, nameGap: 28 }),
    yAxis: axis({ type: "value", minInterval: 1 }),
    series: [{ type: "bar", data: counts, barCategoryGap: "8%", itemStyle: { color: token("--ramp-4") } }],
  };
}

interface Curve {
  by: string;
  of: number;
  missing: number;
  below: string;
  gini: number | null;
  half: number | null;
  points: [number, number][];
  reason: "no_positive_sum" | "no_amounts" | null;
}

export function Concentration(p: Shown) {
  const asked = p.asked.by === "score" ? undefined : p.asked.by;
  const known = useFigure<Curve>(p, "overview/concentration", { by: asked?.includes("_per_") ? asked : undefined });
  const found = known.data;
  const x = w(found?.below === "land_dm2_days" ? "curve_x" : "curve_x_other");
  const y = w("curve_y", { metric: found ? titleOf(p.catalogue, found.by) : "" });
  return (
    <Figure
      name="concentration"
      title={w("curve")}
      note={found?.points.length ? w("curve_note", { half: percent(found.half), gini: figure(found.gini, 3) }) : undefined}
      hint={found && w("of_note", { of: figure(found.of, 0), missing: figure(found.missing, 0) })}
      catalogue={p.catalogue}
      known={known}
      option={found?.points.length ? line(found, x, y) : null}
      empty={found?.reason ? w(found.reason) : undefined}
      numbers={{ heads: [x, y], rows: found?.points ?? [] }}
    />
  );
}

function line(found: Curve, x: string, y: string): Option {
  const share = { formatter: (v: number) => `${Math.round(v * 100)} %` };
  const low = Math.min(0, ...found.points.map((point) => point[1]));
  return {
    grid: { left: 8, right: 24, top: 28, bottom: 40, containLabel: true },
    tooltip: { trigger: "axis", formatter: (v: { value: number[] }[]) => `${percent(v[0]?.value[0])} → ${percent(v[0]?.value[1])}` },
    xAxis: axis({ type: "value", min: 0, max: 1, name: x, nameGap: 28, axisLabel: share }),
    yAxis: axis({ type: "value", min: low < -0.02 ? Math.floor(low * 10) / 10 : 0, max: 1, name: y, nameLocation: "end", nameTextStyle: { align: "left", color: token("--ink-soft") }, axisLabel: share }),
    series: [
      { type: "line", data: found.points, showSymbol: false, lineStyle: { width: 2.5, color: token("--accent") }, areaStyle: { color: token("--accent"), opacity: 0.08 }, itemStyle: { color: token("--accent") } },
      { type: "line", data: [[0, 0], [1, 1]], showSymbol: false, silent: true, lineStyle: { width: 1, type: "dashed", color: token("--ink-soft") }, endLabel: { show: false } },
    ],
  };
}
