// Figures for people: rounded only here, thousands separated, missing is said and is never 0.
import type { ComponentChildren } from "preact";
import { lang, t } from "../words";

export const MISSING = "–";
const formats = new Map<string, Intl.NumberFormat>();

/** A figure as text; "–" where there is none. */
export function figure(value: number | null | undefined, decimals = 2): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  const key = `${lang()}${decimals}`;
  let format = formats.get(key);
  if (!format) {
    const locale = lang() === "zh" ? "zh-CN" : "en-GB";
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(key, format);
  }
  return format.format(value);
}

/** A share of 1 as per cent. */
export const percent = (share: number | null | undefined, decimals = 1): string =>
  share === null || share === undefined ? MISSING : `${figure(share * 100, decimals)} %`;

/** A figure with its unit. Without a value: a dash that is read as "no data". */
export function Figure(p: { value: number | null | undefined; decimals?: number; unit?: string }) {
  if (p.value === null || p.value === undefined) return <NoData />;
  return (
    <span class="figure">
      {figure(p.value, p.decimals)}
      {p.unit && <span class="unit"> {p.unit}</span>}
    </span>
  );
}

export function NoData() {
  return (
    <span class="nodata" title={t("no_data")}>
      <span aria-hidden="true">{MISSING}</span>
      <span class="hidden">{t("no_data")}</span>
    </span>
  );
}

/** A large figure with its title: what stands on top of a view. */
export function Card(p: { title: string; unit?: string; note?: string; children: ComponentChildren }) {
  return (
    <div class="card">
      <dt>{p.title}</dt>
      <dd>
        <b>{p.children}</b>
        {p.unit && <span class="unit"> {p.unit}</span>}
        {p.note && <span class="note">{p.note}</span>}
      </dd>
    </div>
  );
}
