// From which grade to which between two years; who entered, left or has no grade stands beside.
import { token } from "../../parts/legend";
import { figure } from "../../parts/number";
import { titleOf } from "../../state/catalogue";
import { t, tOr } from "../../words";
import { type Shown, useFigure } from "./ask";
import type { Option } from "./charts";
import { Figure } from "./figure";
import { w } from "./words";

interface Movement {
  year: number;
  against: { year: number; release_id: string };
  kind: "grade" | "band";
  by: string | null;
  states: { state: string; before: number; after: number }[];
  links: { from: string; to: string; count: number }[];
  hidden: number;
}

const ASIDE = ["ungraded", "outside", "absent"];
const BAND_COLOURS = ["A", "B", "C", "D"];

export function Moved(p: Shown) {
  const { against } = p.asked;
  const own = p.catalogue.release;
  const before = p.catalogue.releases.some((r) => r.policy === own?.policy && r.year === own.year - 1 && r.state !== "withdrawn");
  const first = !against && !before;
  const known = useFigure<Movement>(p, "overview/movement", { against }, !first);
  const found = known.data && known.data.links.length ? known.data : undefined;
  const kind = found && w(`kind_${found.kind}`);
  const hints = found && [found.by && w("movement_band", { by: titleOf(p.catalogue, found.by) }), found.hidden && w("movement_hidden", { n: found.hidden })];
  return (
    <Figure
      name="movement"
      title={w("movement", { kind: kind ?? w("kind_grade"), from: found?.against.year ?? "", to: found?.year ?? p.catalogue.release?.year ?? "" })}
      note={found && w("movement_note", tally(found))}
      hint={hints?.filter(Boolean).join(" · ") || undefined}
      catalogue={p.catalogue}
      known={first ? { loading: false, data: {} } : known}
      option={found ? option(found) : null}
      empty={first ? w("no_earlier") : undefined}
      height={380}
      numbers={{
        heads: [String(found?.against.year ?? ""), String(found?.year ?? ""), w("count")],
        rows: (found?.links ?? []).map((x) => [name(found!, x.from), name(found!, x.to), x.count]),
      }}
    />
  );
}

function name(found: Movement, state: string): string {
  if (state === "ungraded") return w(found.kind === "grade" ? "state_ungraded" : "state_unranked");
  if (state === "outside" || state === "absent") return w(`state_${state}`);
  return found.kind === "grade" ? tOr(`grade_${state}`, state) : state;
}

/** Up, down and unchanged among those with a grade (or band) in both years. */
function tally(found: Movement): Record<string, string> {
  const order = found.states.map((s) => s.state).filter((s) => !ASIDE.includes(s) && s !== "T");
  const count = { up: 0, down: 0, same: 0, entered: 0, left: 0 };
  for (const { from, to, count: n } of found.links) {
    const [a, b] = [order.indexOf(from), order.indexOf(to)];
    if (from === "absent") count.entered += n;
    else if (to === "absent") count.left += n;
    else if (a >= 0 && b >= 0) count[b < a ? "up" : b > a ? "down" : "same"] += n;
  }
  return Object.fromEntries(Object.entries(count).map(([k, n]) => [k, figure(n, 0)]));
}

function colour(found: Movement, state: string): string {
  if (ASIDE.includes(state)) return token("--no-data");
  if (found.kind === "grade") return token(state === "T" ? "--line-strong" : `--grade-${state}`);
  const bands = found.states.map((s) => s.state).filter((s) => !ASIDE.includes(s));
  return token(`--grade-${BAND_COLOURS[Math.min(3, bands.indexOf(state))]}`);
}

function option(found: Movement): Option {
  const node = (side: "before" | "after") =>
    found.states.filter((s) => s[side]).map((s) => ({
      name: `${side} ${s.state}`,
      value: s[side],
      depth: side === "before" ? 0 : 1,
      told: `${side === "before" ? found.against.year : found.year} ${name(found, s.state)}: ${figure(s[side], 0)} ${w("firms")}`,
      shown: `${short(found, s.state)} ${figure(s[side], 0)}`,
      itemStyle: { color: colour(found, s.state), borderColor: token("--ink"), borderWidth: 0.5 },
      label: { position: side === "before" ? "left" : "right" },
    }));
  const links = found.links.map((x) => ({
    source: `before ${x.from}`,
    target: `after ${x.to}`,
    value: x.count,
    told: `${name(found, x.from)} → ${name(found, x.to)}\n${figure(x.count, 0)} ${w("firms")}`,
  }));
  return {
    tooltip: { formatter: (x: { data: { told: string } }) => x.data.told },
    series: [
      {
        type: "sankey",
        left: 108,
        right: 108,
        top: 12,
        bottom: 12,
        nodeWidth: 14,
        nodeGap: 10,
        layoutIterations: 0,
        draggable: false,
        emphasis: { focus: "adjacency" },
        data: [...node("before"), ...node("after")],
        links,
        label: { color: token("--ink"), fontSize: 12, formatter: (x: { data: { shown: string } }) => x.data.shown },
        lineStyle: { color: "source", opacity: 0.35, curveness: 0.5 },
      },
    ],
  };
}

/** The letter, or the short word, that stands beside a node. */
const short = (found: Movement, state: string): string => (found.kind === "grade" && !ASIDE.includes(state) ? `${state} ${t("grade")}`.slice(0, 1) : name(found, state));
