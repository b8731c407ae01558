// The overview of a group: its sums, where it stands by industry, region and size, how it is spread, who moved.
import type { View } from "..";
import { Card, Figure as Number } from "../../parts/number";
import { useReady } from "../../parts/ready";
import { decimalsOf, placeName, titleOf, unitOf } from "../../state/catalogue";
import { tOr } from "../../words";
import { type Group, useFigure } from "./ask";
import { Groups, named } from "./groups";
import { Heat } from "./heat";
import { Moved } from "./movement";
import { Fields } from "./quadrant";
import { Concentration, Distribution } from "./spread";
import { Targets } from "./targets";
import "./overview.css";
import { w } from "./words";

export default function Overview(p: View) {
  const box = useReady<HTMLDivElement>();
  return (
    <div class="overview" ref={box}>
      <Head {...p} />
      <div class="figures">
        <Groups {...p} />
        <Distribution {...p} />
        <Concentration {...p} />
        <Fields {...p} />
        <Moved {...p} />
        <Heat {...p} />
        <Targets {...p} />
      </div>
    </div>
  );
}

/** What the group is, in words, and its sums. */
function Head(p: View) {
  const c = p.catalogue;
  const known = useFigure<{ groups: Group[] }>(p, "summary");
  const group = known.data?.groups[0];
  const { industry, region, size, group: scale } = p.asked;
  const parts = [
    region && placeName(c.regions, region),
    industry && named(c, "industry", industry),
    size && tOr(`size_${size}`, size),
    scale && tOr(`group_${scale}`, scale),
  ].filter(Boolean);
  const ratios = ["output_per_mu", "benefit_per_mu"].filter((m) => group?.metrics[m]);
  return (
    <>
      <h1>
        {w("heading", { year: c.release!.year })}
        {parts.length > 0 && ` · ${parts.join(" · ")}`}
      </h1>
      <dl class="cards" aria-busy={known.loading}>
        <Card title={w("enterprises")} unit={w("firms")}>
          <Number value={group?.enterprises} decimals={0} />
        </Card>
        {(["land_mu", "output_wan_yuan", "tax_wan_yuan"] as const).map((name) => (
          <Card key={name} title={titleOf(c, name)} unit={unitOf(c, name)}>
            <Number value={group?.[name]} decimals={0} />
          </Card>
        ))}
        {ratios.map((m) => (
          <Card key={m} title={`${titleOf(c, m)} ${w("sigma")}`} unit={unitOf(c, m)} note={w("sigma_note")}>
            <Number value={group!.metrics[m]!.ratio} decimals={decimalsOf(c, m)} />
          </Card>
        ))}
      </dl>
    </>
  );
}
