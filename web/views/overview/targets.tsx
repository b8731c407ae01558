// The regional targets of 2017: value now, base year, goal, and why there is no progress where there is none.
import { figure, percent } from "../../parts/number";
import { either } from "../../words";
import { type Shown, useFigure } from "./ask";
import { Figure } from "./figure";
import { w } from "./words";

interface Target {
  id: string;
  zh: string;
  en: string;
  kind: "change" | "growth" | "level";
  goal: number;
  unit_zh: string;
  unit_en: string;
  chosen: { zh: string; en: string } | null;
}

interface Line {
  region: string;
  region_name: string | null;
  applies: boolean;
  target: string;
  of: number;
  members: number;
  value: number | null;
  base: { value: number; source: string } | null;
  progress: number | null;
  goal: number;
  met: boolean | null;
  reason: "no_base" | "no_facts" | "too_few" | null;
}

interface Progress {
  year: number;
  title: { zh: string; en: string };
  number: string;
  base_year: number;
  until: number;
  targets: Target[];
  lines: Line[];
}

const signed = (x: number | null): string => (x !== null && x > 0 ? `+${percent(x)}` : percent(x));

export function Targets(p: Shown) {
  const known = useFigure<Progress>(p, "overview/targets");
  const found = known.data?.lines.length ? known.data : undefined;
  const heads = [w("region"), w("target"), w("value"), "", `${found?.base_year ?? ""}`, w("source"), w("change"), w("goal"), w("count")];
  const titles = new Map(found?.targets.map((x) => [x.id, x]));
  return (
    <Figure
      name="targets"
      title={w("targets")}
      note={found && w("targets_note", { number: found.number, base: found.base_year, until: found.until, year: found.year })}
      hint={found && !found.lines.some((x) => x.base) ? w("bases_missing", { base: found.base_year }) : undefined}
      catalogue={p.catalogue}
      known={known}
      wide
      numbers={{
        heads,
        rows: (found?.lines ?? []).map((x) => {
          const target = titles.get(x.target)!;
          const name = x.region_name ?? x.region;
          return [name, either(target.zh, target.en), x.value, either(target.unit_zh, target.unit_en), x.base?.value, x.base?.source, x.progress, x.goal, x.of];
        }),
      }}
    >
      {found && <Table found={found} />}
    </Figure>
  );
}

function Table({ found }: { found: Progress }) {
  const regions = [...new Map(found.lines.map((x) => [x.region, x])).values()];
  return (
    <div class="scroll targets" tabIndex={0} role="region" aria-label={w("targets")}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{w("target")}</th>
            {regions.map((r) => (
              <th key={r.region} scope="col">
                {r.region_name ?? r.region}
                {!r.applies && <span class="note">{w("elsewhere")}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.targets.map((x) => (
            <tr key={x.id}>
              <th scope="row">
                {either(x.zh, x.en)} <span class="unit">{either(x.unit_zh, x.unit_en)}</span>
                <span class="note">{w(`goal_${x.kind}`, { goal: signed(x.goal).replace("+", x.kind === "level" ? "" : "+"), base: found.base_year })}</span>
                {x.chosen && <span class="note">{either(x.chosen.zh, x.chosen.en)}</span>}
              </th>
              {regions.map((r) => (
                <Cell key={r.region} line={found.lines.find((l) => l.region === r.region && l.target === x.id)!} target={x} base={found.base_year} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ line, target, base }: { line: Line; target: Target; base: number }) {
  const value = target.kind === "level" ? percent(line.value, 2) : figure(line.value, (line.value ?? 0) < 1 ? 3 : 2);
  const reason = line.reason === "no_base" ? w("no_base", { base }) : line.reason && w(line.reason);
  return (
    <td title={line.base?.source}>
      <b>{value}</b>
      {target.kind !== "level" && line.progress !== null && <span> {signed(line.progress)}</span>}
      {line.met !== null && <span class={line.met ? "met" : "unmet"}>{line.met ? `✓ ${w("met")}` : `✗ ${w("unmet")}`}</span>}
      {reason && line.reason !== "no_facts" && <span class="note">{reason}</span>}
      <span class="note">{w("coverage", { of: figure(line.of, 0), members: figure(line.members, 0) })}</span>
    </td>
  );
}
