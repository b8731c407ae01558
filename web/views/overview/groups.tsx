// Σ/Σ of a metric by industry, region, size or grade, with the median enterprise beside it.
import { token } from "../../parts/legend";
import { figure } from "../../parts/number";
import { ask } from "../../state/address";
import { type Catalogue, decimalsOf, placeName, titleOf, unitOf } from "../../state/catalogue";
import { t, tOr } from "../../words";
import { isGraded } from "../../parts/filters";
import { below, type Group, type Shown, useFigure } from "./ask";
import { axis, type Option } from "./charts";
import { Figure, type Numbers } from "./figure";
import { type Key, w } from "./words";

export const DIMENSIONS = ["industry", "region", "size", "grade"] as const;
type Dimension = (typeof DIMENSIONS)[number];

/** The name of a code in a dimension. */
export function named(c: Catalogue, dimension: string, code: string | null): string {
  if (code === null) return w("without");
  if (dimension.startsWith("region")) return c.regions.find((r) => r.code === code)?.name ?? placeName(c.regions, code);
  if (dimension.startsWith("industry")) return c.industries.find((i) => i.code === code)?.name ?? code;
  return tOr(`${dimension}_${code}`, code);
}

export function Groups(p: Shown) {
  const graded = isGraded(p.catalogue);
  const wanted = p.asked.dim as Dimension;
  const dim: Dimension = DIMENSIONS.includes(wanted) && (wanted !== "grade" || graded) ? wanted : "industry";
  const by = p.catalogue.by;
  const key = dim === "region" ? below(p.asked.region) : dim;
  const known = useFigure<{ groups: Group[] }>(p, "summary", { group_by: key, by });
  const groups = (known.data?.groups ?? []).filter((g) => key in g.key);
  const rows = ordered(groups.filter((g) => g.metrics[by]), dim, by, key); // the public gets no mean of a score
  const shown = DIMENSIONS.filter((d) => d !== "grade" || graded);
  return (
    <Figure
      name={`groups-${dim}`}
      title={w("groups", { metric: titleOf(p.catalogue, by), dim: w(`dim_${dim}`) })}
      note={w(rows.some((g) => g.metrics[by]?.ratio != null) ? "groups_note" : "groups_note_mean")}
      catalogue={p.catalogue}
      known={known}
      option={rows.length ? option(p.catalogue, rows, key, by) : null}
      height={Math.max(180, rows.length * 24 + 60)}
      numbers={numbers(p.catalogue, groups, key, by)}
      wide
      onPick={(data) => pick(dim, (data as { code?: string }).code)}
      controls={
        <div class="choices" role="group">
          {shown.map((d) => (
            <button key={d} type="button" aria-pressed={d === dim} onClick={() => ask({ dim: d === "industry" ? null : d })}>
              {w(`dim_${d}` as Key)}
            </button>
          ))}
        </div>
      }
    />
  );
}

function pick(dim: Dimension, code: string | undefined): void {
  if (code && dim !== "grade") ask({ [dim]: code });
}

/** By what is shown, greatest on top; sizes and grades in their own order. */
function ordered(groups: readonly Group[], dim: Dimension, by: string, key: string): Group[] {
  const own = { size: ["large", "medium", "small", "micro"], grade: ["A", "B", "C", "D", "T"] }[dim as "size"];
  const place = (g: Group) => (own ? -own.indexOf(g.key[key] ?? "") : (g.metrics[by]?.ratio ?? g.metrics[by]?.mean ?? -Infinity));
  return [...groups].sort((a, b) => place(a) - place(b));
}

function option(c: Catalogue, rows: readonly Group[], key: string, by: string): Option {
  const unit = unitOf(c, by);
  const empty = (g: Group) => (g.metrics[by]?.of ? "" : ` · ${t("no_data")}`);
  const names = rows.map((g) => short(named(c, key, g.key[key]!)) + empty(g));
  const told = (g: Group) => {
    const m = g.metrics[by]!;
    const d = decimalsOf(c, by);
    return `${named(c, key, g.key[key]!)}\n${w("sigma")} ${figure(m.ratio, d)} ${unit}\n${w("median")} ${figure(m.p50, d)} · ${w("mean")} ${figure(m.mean, d)}\n${w("of_note", { of: figure(m.of, 0), missing: figure(g.enterprises - m.of, 0) })}`;
  };
  const bars = rows.map((g) => ({ value: g.metrics[by]?.ratio ?? g.metrics[by]?.mean ?? null, code: g.key[key], told: told(g) }));
  const ticks = rows.map((g, i) => ({ value: [g.metrics[by]?.p50 ?? null, i], code: g.key[key], told: told(g) }));
  return {
    grid: { left: 8, right: 56, top: 4, bottom: 40, containLabel: true },
    tooltip: { formatter: (x: { data: { told: string } }) => x.data.told },
    xAxis: axis({ type: "value", name: unit, nameGap: 26 }),
    yAxis: axis({ type: "category", data: names, axisLabel: { color: token("--ink"), hideOverlap: false, interval: 0 } }),
    series: [
      {
        type: "bar",
        data: bars,
        barMaxWidth: 15,
        itemStyle: { color: token("--ramp-4") },
        label: { show: true, position: "right", color: token("--ink"), fontSize: 12, formatter: (x: { value: number }) => figure(x.value, decimalsOf(c, by) > 2 ? 3 : 1) },
      },
      { type: "scatter", data: ticks, symbol: "rect", symbolSize: [3, 17], itemStyle: { color: token("--ink"), borderColor: "#fff", borderWidth: 0.5 } },
    ],
  };
}

/** A name that leaves room for its bar, also on a telephone. */
function short(name: string): string {
  const longest = innerWidth < 600 ? 8 : 18;
  return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
}

function numbers(c: Catalogue, groups: readonly Group[], key: string, by: string): Numbers {
  const unit = unitOf(c, by) && ` (${unitOf(c, by)})`;
  const [mu, wan] = [` (${unitOf(c, "land_mu")})`, ` (${unitOf(c, "tax_wan_yuan")})`];
  const heads = ["", "", w("enterprises"), w("land") + mu, w("output") + wan, w("tax") + wan, w("sigma") + unit, w("mean") + unit, w("median") + unit];
  const dimension = w(`dim_${key.split("_")[0]}` as Key);
  return {
    heads: [dimension, `${dimension} #`, ...heads.slice(2)],
    rows: groups.map((g) => {
      const m = g.metrics[by];
      return [named(c, key, g.key[key]!), g.key[key], g.enterprises, g.land_mu, g.output_wan_yuan, g.tax_wan_yuan, m?.ratio, m?.mean, m?.p50];
    }),
  };
}
