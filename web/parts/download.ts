// Files made in the browser: a figure as PNG, its numbers as CSV.

export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const RISKY = /^[=+\-@\t\r]/;

/** One field; text that a spreadsheet would run as a formula is disarmed, quotes are doubled. */
function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = RISKY.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export type Row = readonly (string | number | null | undefined)[];

/** The numbers behind a figure: with BOM (Excel reads UTF-8 by it); `origin` says where they come from. */
export function saveNumbers(name: string, heads: readonly string[], rows: readonly Row[], origin: string): void {
  const lines = [[`# ${origin}`], heads, ...rows].map((row) => row.map(field).join(","));
  save(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" }), `${name}.csv`);
}

/** A drawing as PNG, with its title above and its origin below, on white. */
export async function savePicture(
  name: string,
  drawing: CanvasImageSource & { width: number; height: number },
  words: { title: string; origin: string; lines?: readonly string[] },
): Promise<void> {
  const canvas = document.createElement("canvas");
  const scale = Math.max(1, drawing.width / 1200);
  const [top, bottom] = [56 * scale, (28 + 20 * (words.lines?.length ?? 0)) * scale];
  canvas.width = drawing.width;
  canvas.height = drawing.height + top + bottom;
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(drawing, 0, top);
  const family = getComputedStyle(document.body).fontFamily;
  pen.fillStyle = "#1c2733";
  pen.font = `600 ${22 * scale}px ${family}`;
  pen.fillText(words.title, 20 * scale, 36 * scale, canvas.width - 40 * scale);
  pen.font = `${13 * scale}px ${family}`;
  [...(words.lines ?? []), words.origin].forEach((line, i) => {
    pen.fillText(line, 20 * scale, drawing.height + top + (20 + 20 * i) * scale, canvas.width - 40 * scale);
  });
  const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (made) save(made, `${name}.png`);
}
