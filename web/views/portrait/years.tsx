// Through the years and policies: rank that decides, percentile, movement, grade.
import { Grade } from "../../parts/grade";
import { figure, NoData } from "../../parts/number";
import { toView } from "../../state/address";
import { type Row, type Shown, useYears } from "./ask";
import { Section, Wide } from "./section";
import { w } from "./words";

export function Years(p: Shown) {
  const known = useYears<{ years: Row[] }>(p, "/history");
  const rows = [...(known.data?.years ?? [])].sort((a, b) => a.policy.localeCompare(b.policy) || a.year - b.year);
  return (
    <Section name="years" title={w("years")} note={w("years_note")} known={known}>
      <Wide label={w("years")}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{w("policy")}</th>
              <th scope="col">{w("year")}</th>
              <th scope="col" class="number">{w("rank")}</th>
              <th scope="col">{w("percentile")}</th>
              <th scope="col" class="number">{w("movement")}</th>
              <th scope="col" class="number">{w("in_bottom")}</th>
              <th scope="col">{w("part_grade")}</th>
            </tr>
          </thead>
          <tbody>{rows.map((r) => <Year key={`${r.policy} ${r.year}`} row={r} p={p} />)}</tbody>
        </table>
      </Wide>
    </Section>
  );
}

function Year({ row, p }: { row: Row; p: Shown }) {
  const s = row.standing;
  const shown = p.catalogue.release?.year === row.year && p.catalogue.release.policy === row.policy;
  const href = toView({ lang: p.asked.lang ?? "" }, "portrait", { enterprise: p.asked.enterprise, year: String(row.year), policy: row.policy });
  return (
    <tr class={shown ? "current" : ""}>
      <td>{row.policy}</td>
      <th scope="row">{shown ? row.year : <a href={href}>{row.year}</a>}</th>
      <td class="number">{s?.rank == null ? <NoData /> : `${figure(s.rank, 0)} / ${figure(s.of, 0)}`}</td>
      <td>
        {s?.percentile == null ? <NoData /> : (
          <span class="percentile">
            <i><i style={{ width: `${s.percentile}%` }} /></i>
            {figure(s.percentile, 1)}
          </span>
        )}
      </td>
      <td class="number">{s?.places == null ? <NoData /> : `${s.places > 0 ? "▲ +" : s.places < 0 ? "▼ " : ""}${figure(s.places, 0)}`}</td>
      <td class="number">{s ? figure(s.years_in_bottom, 0) : <NoData />}</td>
      <td><Grade grade={row.grade} /></td>
    </tr>
  );
}
