// Charts, drawn on canvas, tooltips too: the page allows no inline style.
import type { ECharts, EChartsCoreOption } from "echarts/core";
import { useEffect, useRef } from "preact/hooks";
import { token } from "../../parts/legend";

let lib: typeof import("../../libs/overview");

/** Fetch what draws; to be awaited before the first chart. */
export const loadCharts = async (): Promise<void> => void (lib = await import("../../libs/overview"));

export type Option = EChartsCoreOption;

/** What every chart shares: the page's letters and colours, no movement, tooltips drawn on the canvas. */
function dressed(option: Option): Option {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: token("--ink") },
    ...option,
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: token("--ink"),
      borderWidth: 0,
      textStyle: { color: "#fff", fontSize: 12 },
      ...(option.tooltip as object),
    },
  };
}

interface Shown {
  option: Option;
  height: number;
  /** What is seen, for who cannot see it; the numbers stand in the table below. */
  label: string;
  onPick?: (data: unknown) => void;
  chart: { current: ECharts | null };
}

/** A chart that follows the width it is given. */
export function Chart(p: Shown) {
  const box = useRef<HTMLDivElement>(null);
  const pick = useRef(p.onPick);
  pick.current = p.onPick;
  useEffect(() => {
    const made = lib.init(box.current!);
    p.chart.current = made;
    made.on("click", (event) => pick.current?.(event.data));
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current!);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    p.chart.current?.resize({ height: p.height });
    p.chart.current?.setOption(dressed(p.option), { notMerge: true });
  });
  return <div ref={box} class="chart" role="img" aria-label={p.label} style={{ height: `${p.height}px` }} />;
}

/** A drawing that is not on the page, at twice the size for print. */
export function drawn(option: Option, width: number, height: number): HTMLCanvasElement {
  const aside = document.createElement("div");
  const made = lib.init(aside, null, { width, height });
  made.setOption(dressed(option));
  const canvas = picture(made);
  made.dispose();
  return canvas;
}

export const picture = (chart: ECharts): HTMLCanvasElement => chart.renderToCanvas({ pixelRatio: 2, backgroundColor: "#fff" });

/** Axes that stay in the background. */
export const axis = (more: object): object => ({
  axisLine: { lineStyle: { color: token("--line-strong") } },
  axisTick: { show: false },
  axisLabel: { color: token("--ink-soft"), fontSize: 12, hideOverlap: true, ...(more as { axisLabel?: object }).axisLabel },
  splitLine: { lineStyle: { color: token("--line") } },
  nameTextStyle: { color: token("--ink-soft"), fontSize: 12 },
  nameLocation: "middle",
  ...Object.fromEntries(Object.entries(more).filter(([k]) => k !== "axisLabel")),
});
