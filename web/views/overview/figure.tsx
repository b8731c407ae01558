// The frame of every figure: title, what it says, the drawing, its numbers as a table, PNG and CSV.
import type { ECharts } from "echarts/core";
import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { type Row, saveNumbers, savePicture } from "../../parts/download";
import { figure, MISSING } from "../../parts/number";
import { complain, sentence } from "../../parts/toasts";
import { ApiError, type Known } from "../../state/api";
import { type Catalogue, origin } from "../../state/catalogue";
import { t } from "../../words";
import { Chart, drawn, type Option, picture } from "./charts";
import { w } from "./words";

export interface Numbers {
  heads: readonly string[];
  rows: readonly Row[];
}

interface Shown {
  /** File name of the downloads, and the figure's address on the page. */
  name: string;
  title: string;
  note?: string;
  hint?: string;
  catalogue: Catalogue;
  known: Known<unknown>;
  /** null: nothing to draw, `empty` says why. */
  option?: Option | null;
  height?: number;
  /** What takes the drawing's place (a table of its own). */
  children?: ComponentChildren;
  /** The drawing for the PNG where the page shows a table. */
  aside?: () => { option: Option; width: number; height: number };
  empty?: string;
  numbers: Numbers;
  controls?: ComponentChildren;
  wide?: boolean;
  onPick?: (data: unknown) => void;
}

export function Figure(p: Shown) {
  const ident = useId();
  const chart = useRef<ECharts | null>(null);
  const nothing = p.option === null || (p.option === undefined && !p.children);
  const words = () => ({ title: p.title, origin: origin(p.catalogue, t), lines: p.note ? [p.note] : [] });
  const save = (canvas: HTMLCanvasElement) => savePicture(p.name, canvas, words()).catch(complain);
  const aside = p.aside;
  return (
    <section class={`panel figure-box ${p.wide ? "wide" : ""}`} aria-labelledby={ident} aria-busy={p.known.loading} data-figure={p.name}>
      <header>
        <h2 id={ident}>{p.title}</h2>
        {p.controls}
      </header>
      {p.note && !nothing && <p class="says">{p.note}</p>}
      {nothing ? (
        <p class="empty">{p.known.error ? refusal(p.known.error) : p.known.data ? (p.empty ?? t("no_data")) : t("loading")}</p>
      ) : (
        (p.children ?? <Chart option={p.option!} height={p.height ?? 300} label={`${p.title}. ${p.note ?? ""}`} chart={chart} onPick={p.onPick} />)
      )}
      {p.hint && !nothing && <p class="note">{p.hint}</p>}
      {!nothing && (
        <footer class="noprint">
          {(p.option || aside) && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                if (aside) {
                  const { option, width, height } = aside();
                  save(drawn(option, width, height));
                } else if (chart.current) save(picture(chart.current));
              }}
            >
              {w("picture")}
              <span class="hidden"> {p.title}</span>
            </button>
          )}
          <button type="button" class="quiet" onClick={() => saveNumbers(p.name, p.numbers.heads, p.numbers.rows, origin(p.catalogue, t))}>
            {w("numbers")}
            <span class="hidden"> {p.title}</span>
          </button>
          {p.option && <Table title={p.title} {...p.numbers} />}
        </footer>
      )}
    </section>
  );
}

/** Why a figure is not shown: one line where it is a matter of the role. */
function refusal(error: Error): string {
  return error instanceof ApiError && error.problem.code === "forbidden" ? w("not_yours") : sentence(error);
}

const MOST = 200;

/** The numbers behind the drawing, for who cannot see it or wants to read them. */
function Table(p: Numbers & { title: string }) {
  const [open, set] = useState(false);
  const cell = (x: Row[number]) => (typeof x === "number" ? figure(x, Number.isInteger(x) ? 0 : 2) : (x ?? MISSING));
  return (
    <details onToggle={(e) => set(e.currentTarget.open)}>
      <summary>
        {w("table")}
        <span class="hidden"> {p.title}</span>
      </summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${w("table")} ${p.title}`}>
          <table class="plain">
            <thead>
              <tr>{p.heads.map((h, i) => <th key={h} scope="col" class={i ? "number" : ""}>{h}</th>)}</tr>
            </thead>
            <tbody>
              {p.rows.slice(0, MOST).map((row) => (
                <tr key={row.join("|")}>{row.map((x, i) => <td key={i} class={typeof x === "number" ? "number" : ""}>{cell(x)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
