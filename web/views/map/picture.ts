// The map as a picture: title, legend and where it comes from are part of it.
import type { Map } from "maplibre-gl";
import { savePicture } from "../../parts/download";
import { token, type Band } from "../../parts/legend";
import { t } from "../../words";

/** A copy of what the map shows now; the buffer lives only while it draws. */
export function copyOf(map: Map): HTMLCanvasElement {
  map.redraw();
  const from = map.getCanvas();
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [from.width, from.height];
  const pen = copy.getContext("2d")!;
  pen.fillStyle = token("--ground");
  pen.fillRect(0, 0, copy.width, copy.height);
  pen.drawImage(from, 0, 0);
  return copy;
}

function addLegend(canvas: HTMLCanvasElement, title: string, bands: readonly Band[], scale: number): void {
  const pen = canvas.getContext("2d")!;
  const family = getComputedStyle(document.body).fontFamily;
  const line = 22 * scale;
  pen.font = `600 ${13 * scale}px ${family}`;
  const widest = Math.max(pen.measureText(title).width, ...bands.map((b) => pen.measureText(b.label).width + 34 * scale));
  const [width, height] = [widest + 28 * scale, line * (bands.length + 1.4)];
  const [x, y] = [14 * scale, canvas.height - height - 14 * scale];
  pen.fillStyle = "rgb(255 255 255 / 92%)";
  pen.fillRect(x, y, width, height);
  pen.fillStyle = token("--ink");
  pen.fillText(title, x + 12 * scale, y + line * 0.95);
  pen.font = `${13 * scale}px ${family}`;
  bands.forEach((band, i) => {
    const top = y + line * (i + 1.35);
    pen.fillStyle = token(`--${band.swatch.replace("swatch-none", "swatch-no-data").replace("swatch-", "")}`);
    pen.fillRect(x + 12 * scale, top, 22 * scale, 14 * scale);
    pen.fillStyle = token("--ink");
    pen.fillText(band.label, x + 42 * scale, top + 12 * scale);
  });
}

export async function saveMap(map: Map, words: { title: string; question: string; origin: string }, legend: { title: string; bands: readonly Band[] }): Promise<void> {
  const copy = copyOf(map);
  addLegend(copy, legend.title, legend.bands, devicePixelRatio);
  const day = new Date().toISOString().slice(0, 10);
  await savePicture(`permu-${t("view_map")}-${day}`, copy, { title: words.title, origin: words.origin, lines: words.question ? [words.question] : [] });
}
