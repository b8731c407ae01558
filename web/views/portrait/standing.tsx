// Each indicator against its base and against the median of every group that it is ranked in.
import { Figure, figure, NoData } from "../../parts/number";
import { type Catalogue, decimalsOf, placeName } from "../../state/catalogue";
import { either, tOr } from "../../words";
import { type Shown, useOwn } from "./ask";
import { Section, Wide } from "./section";
import { w, wOr } from "./words";

interface Group {
  grouping: string;
  key: Record<string, string>;
  rank: number | null;
  of: number | null;
  median: number | null;
  with_value: number;
}

interface Line {
  metric: string;
  title: string;
  title_en: string;
  unit: string;
  unit_en: string;
  value: number | null;
  base: number | null;
  points: number | null;
  groups: Group[];
}

export function Standing(p: Shown) {
  const known = useOwn<{ metrics: Line[] }>(p, "/standing");
  const lines = known.data?.metrics ?? [];
  const isRanked = (line: Line) => line.groups.some((g) => g.rank !== null || g.of !== null);
  const [ranked, others] = [lines.filter(isRanked), lines.filter((line) => !isRanked(line))];
  return (
    <Section name="standing" title={w("standing")} note={w("standing_note")} known={known}>
      <div class="metrics">{ranked.map((line) => <Metric key={line.metric} line={line} c={p.catalogue} />)}</div>
      {others.length > 0 && (
        <details>
          <summary>{w("more")}</summary>
          <div class="metrics">{others.map((line) => <Metric key={line.metric} line={line} c={p.catalogue} />)}</div>
        </details>
      )}
    </Section>
  );
}

function Metric({ line, c }: { line: Line; c: Catalogue }) {
  const d = decimalsOf(c, line.metric);
  const title = either(line.title, line.title_en);
  const unit = either(line.unit, line.unit_en);
  const ranked = line.groups.some((g) => g.of !== null);
  return (
    <article class="metric">
      <h3>
        {title} <b><Figure value={line.value} decimals={d} unit={unit} /></b>
        {line.base !== null && (
          <span class="note">
            {w("base")} {figure(line.base, d)}
            {line.value !== null && line.base !== 0 && ` · ${w("times_base", { x: figure(line.value / line.base, 2) })}`}
            {line.points !== null && ` · ${figure(line.points, 2)} ${w("points")}`}
          </span>
        )}
      </h3>
      <Wide label={title}>
        <table class="plain ranks">
          <thead>
            <tr>
              <th scope="col">{w("grouping")}</th>
              {ranked && <th scope="col">{w("percentile")}</th>}
              {ranked && <th scope="col" class="number">{w("rank")}</th>}
              <th scope="col" class="number">{w("median")}</th>
              <th scope="col" class="number">{w("against")}</th>
            </tr>
          </thead>
          <tbody>{line.groups.map((g) => <Line key={g.grouping} c={c} g={g} value={line.value} d={d} ranked={ranked} />)}</tbody>
        </table>
      </Wide>
    </article>
  );
}

function Line({ c, g, value, d, ranked }: { c: Catalogue; g: Group; value: number | null; d: number; ranked: boolean }) {
  const percentile = g.rank === null || g.of === null || g.of === 1 ? null : (100 * (g.of - g.rank)) / (g.of - 1);
  const ratio = value !== null && g.median ? value / g.median : null;
  return (
    <tr>
      <th scope="row">
        {wOr(`g_${g.grouping}`, g.grouping)} <span class="note">{Object.entries(g.key).map(([k, v]) => keyed(c, k, v)).join(" · ")}</span>
      </th>
      {ranked && (
        <td>
          {percentile === null ? <NoData /> : (
            <span class="percentile">
              <i><i style={{ width: `${percentile}%` }} /></i>
              {figure(percentile, 1)}
            </span>
          )}
        </td>
      )}
      {ranked && <td class="number">{g.rank === null ? <NoData /> : `${figure(g.rank, 0)} / ${figure(g.of, 0)}`}</td>}
      <td class="number">{g.median === null ? <NoData /> : figure(g.median, d)}</td>
      <td class="number">{ratio === null ? <NoData /> : `${figure(ratio, 2)} ×`}</td>
    </tr>
  );
}

function keyed(c: Catalogue, key: string, code: string): string {
  if (key.startsWith("region")) return c.regions.find((r) => r.code === code)?.name ?? placeName(c.regions, code);
  if (key.startsWith("industry")) return c.industries.find((i) => i.code === code)?.name ?? code;
  return tOr(`${key === "size" ? "size" : "group"}_${code}`, code);
}
