// The portrait of one enterprise: who it is, where it stands, on what figures, how that came about. Made to be printed.
import type { View } from "..";
import { Grade } from "../../parts/grade";
import { Card, Figure, figure } from "../../parts/number";
import { useReady } from "../../parts/ready";
import { sentence } from "../../parts/toasts";
import { toView } from "../../state/address";
import { path } from "../../state/api";
import { decimalsOf, may, placeName, titleOf, unitOf } from "../../state/catalogue";
import { t, tOr } from "../../words";
import { type Row, useOwn } from "./ask";
import { FactTable } from "./facts";
import { Land } from "./land";
import { Standing } from "./standing";
import { Issues, Next, Story } from "./story";
import "./portrait.css";
import { w, wOr } from "./words";
import { Years } from "./years";

export default function Portrait(p: View) {
  const known = useOwn<Row>(p, "");
  if (!p.asked.enterprise) return <Nobody {...p} />;
  if (known.error)
    return (
      <section class="empty" role="alert">
        <h1>{t("error")}</h1>
        <p>{sentence(known.error)}</p>
        <a href={toView(p.asked, "rankings")}>{w("to_rankings")}</a>
      </section>
    );
  if (!known.data) return <p class="empty" role="status">{t("loading")}</p>;
  return <Whole p={p} row={known.data} />;
}

function Whole({ p, row }: { p: View; row: Row }) {
  const box = useReady<HTMLDivElement>();
  return (
    <div class="portrait" ref={box}>
      <Head p={p} row={row} />
      <div class="parts">
        <Next {...p} />
        <Years {...p} />
        <Standing {...p} />
        <Land {...p} />
        <Issues {...p} />
        <FactTable {...p} />
        <Story {...p} />
      </div>
    </div>
  );
}

function Nobody(p: View) {
  return (
    <section class="empty" data-ready="true">
      <h1>{w("none")}</h1>
      <p>{w("none_how")}</p>
      <a href={toView(p.asked, "rankings")}>{w("to_rankings")}</a>
    </section>
  );
}

const CARDS = ["output_per_mu", "benefit_per_mu", "score", "land_mu", "output_wan_yuan", "tax_wan_yuan"] as const;

function Head({ p, row }: { p: View; row: Row }) {
  const c = p.catalogue;
  const shown = CARDS.filter((m) => typeof row[m] === "number" || (m !== "score" && m in row));
  return (
    <>
      <header class="who-head">
        <div>
          <h1>
            {row.name} {row.grade && <Grade grade={row.grade} />}
          </h1>
          <p class="traits">
            <span class="id">{row.uscc}</span>
            <span>{row.industry_name ?? row.industry_code}</span>
            <span>{placeName(c.regions, row.region_code)}</span>
            {row.size && <span>{tOr(`size_${row.size}`, row.size)}</span>}
            {row.scale_group && <span>{tOr(`group_${row.scale_group}`, row.scale_group)}</span>}
            {row.flags?.map((flag) => <span key={flag} class="stamp">{wOr(`flag_${flag}`, flag)}</span>)}
          </p>
        </div>
        <Actions p={p} row={row} />
      </header>
      <dl class="cards" aria-label={w("summary")}>
        {row.rank !== null && row.rank !== undefined && (
          <Card title={`${titleOf(c, row.by)} · ${w("rank")}`} note={w("of_all", { of: figure(row.of, 0) })}>
            {figure(row.rank, 0)}
          </Card>
        )}
        {shown.map((m) => (
          <Card key={m} title={titleOf(c, m)} unit={unitOf(c, m)}>
            <Figure value={row[m] as number | null} decimals={decimalsOf(c, m)} />
          </Card>
        ))}
      </dl>
    </>
  );
}

function Actions({ p, row }: { p: View; row: Row }) {
  const sheet = (format: string) => path(`enterprises/${row.enterprise_id}/checkup`, { release: p.catalogue.release?.release_id, format, lang: p.asked.lang });
  return (
    <div class="toolbar noprint">
      {may(p.catalogue, "check_up") && (
        <>
          <a class="button" href={sheet("pdf")} download="">{w("pdf")}</a>
          <a class="button" href={sheet("xlsx")} download="">{w("xlsx")}</a>
        </>
      )}
      <button type="button" onClick={() => print()}>{w("print")}</button>
    </div>
  );
}
