// Facts by year, each with its source; where the sources differ, what each of them says.
import { figure, NoData } from "../../parts/number";
import { may } from "../../state/catalogue";
import { either, tOr } from "../../words";
import { type Shown, useYears } from "./ask";
import { Section, Wide } from "./section";
import { w } from "./words";

interface Claim {
  source: string;
  value: number;
  file: string | null;
  sheet: string;
  row: number;
}

export interface Value {
  value: number;
  exact: number;
  source: string;
  how: "only_claim" | "agreed" | "disputed" | "corrected";
  spread: number;
  claims?: Claim[];
}

export interface Facts {
  years: { year: number; release_id: string }[];
  facts: { field: string; zh: string; en: string; unit: string; unit_en: string; values: Record<string, Value> }[];
}

export const useFacts = (p: Shown) => useYears<Facts>(p, "/facts", may(p.catalogue, "explain"));

export function FactTable(p: Shown) {
  const known = useFacts(p);
  const found = known.data;
  return (
    <Section name="facts" title={w("facts")} note={w("facts_note")} known={known} empty={!found && !known.loading && w("hidden")}>
      <Wide label={w("facts")}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{w("fact")}</th>
              <th scope="col">{w("unit")}</th>
              {found?.years.map((y) => <th key={y.year} scope="col" class="number">{y.year}</th>)}
            </tr>
          </thead>
          <tbody>
            {found?.facts.map((f) => (
              <tr key={f.field}>
                <th scope="row">{f.field === "land_dm2_days" ? w("land") : either(f.zh, f.en)}</th>
                <td class="unit">{either(f.unit, f.unit_en)}</td>
                {found.years.map((y) => <td key={y.year} class="number"><Stated value={f.values[y.year]} /></td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </Section>
  );
}

/** A source by name, as people call the department. */
export const source = (name: string): string => tOr(`source_${name}`, name);

const exact = (x: number): string => figure(x, Number.isInteger(x) ? 0 : 2);

function Stated({ value }: { value: Value | undefined }) {
  if (!value) return <NoData />;
  return (
    <>
      {exact(value.value)}
      <span class={`note how how-${value.how}`}>
        {source(value.source)}
        {value.how !== "only_claim" && ` · ${w(`how_${value.how}`)}`}
      </span>
      {value.claims?.map((c) => (
        <span key={`${c.source} ${c.row}`} class="note" title={w("row", { file: c.file ?? "", sheet: c.sheet, row: c.row })}>
          {source(c.source)} {exact(c.value)}
        </span>
      ))}
    </>
  );
}
