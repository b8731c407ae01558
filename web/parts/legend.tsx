// What the colours mean, with the numbers behind them; "no data" is a line of its own.
import { t } from "../words";
import { figure } from "./number";

export interface Band {
  /** The name of a CSS class that gives the swatch its colour: `swatch-ramp-1`, `swatch-grade-A`, `swatch-none`. */
  swatch: string;
  label: string;
  count?: number | null;
}

export function Legend(p: { title: string; bands: readonly Band[]; note?: string }) {
  return (
    <section class="legend-box" aria-label={t("legend")}>
      <h2 class="legend-title">{p.title}</h2>
      <ul class="legend">
        {p.bands.map((band) => (
          <li key={band.label}>
            <i class={band.swatch} aria-hidden="true" />
            <span>{band.label}</span>
            {band.count !== undefined && <span class="number">{figure(band.count, 0)}</span>}
          </li>
        ))}
      </ul>
      {p.note && <p class="note">{p.note}</p>}
    </section>
  );
}

/** The value of a design token: for what draws on a canvas. */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
