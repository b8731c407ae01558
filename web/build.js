// Builds the page: web/ -> api/pages/static/app/ (git-ignored, carried by the wheel).
// Names hold a hash of their content, so a browser may keep a file for ever; index.html is never kept.
import { build, context } from "esbuild";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = path.dirname(fileURLToPath(import.meta.url));
const place = path.join(here, "../api/pages/static/app");
const out = `${place}.${process.pid}`; // made beside and put in place whole: a server may be reading
const base = "/static/app/";

const options = {
  entryPoints: {
    app: path.join(here, "main.tsx"),
    // MapLibre draws in a worker of its own; it is a file of this origin, so that no blob: is needed in the CSP
    mapworker: path.join(here, "../node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs"),
  },
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  assetNames: "[name]-[hash]",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "file", ".png": "file" },
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
  plugins: [{ name: "index", setup: (b) => b.onEnd(writeIndex) }],
};

/** A copy in gzip beside the file: what the server sends. */
const pack = async (file) => writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: 9 }));

/** Writes index.html with the hashed names. The entry's stylesheet holds that of every view: the others go. */
async function writeIndex(result) {
  if (result.errors.length) return;
  const outputs = Object.entries(result.metafile.outputs);
  const name = (file) => base + path.basename(file);
  const [script, main] = outputs.find(([, o]) => o.entryPoint?.endsWith("web/main.tsx"));
  const [worker] = outputs.find(([, o]) => o.entryPoint?.endsWith("maplibre-gl-worker.mjs"));
  // every file that an entry needs at once, found through the imports of its imports
  const needed = (file, found = new Set([file])) => {
    for (const i of result.metafile.outputs[file].imports) {
      if (i.kind === "import-statement" && !found.has(i.path)) needed(i.path, found.add(i.path));
    }
    return found;
  };
  const first = needed(script);
  const links = (files) => files.map((f) => `<link rel="modulepreload" href="${name(f)}">`).join("\n    ");
  // the server puts in the links of the view that is asked (api/pages/assets.py)
  const views = outputs.flatMap(([file, o]) => {
    const view = /web\/libs\/(\w+)\.ts$/.exec(o.entryPoint ?? "")?.[1];
    return view ? [[view, links([...needed(file)].filter((f) => !first.has(f)))]] : [];
  });
  const page = (await readFile(path.join(here, "index.html"), "utf8"))
    .replaceAll("{{style}}", name(main.cssBundle))
    .replaceAll("{{script}}", name(script))
    .replaceAll("{{worker}}", name(worker))
    .replaceAll("{{preload}}", links([...first].filter((f) => f !== script)));
  const spare = outputs.map(([file]) => file).filter((file) => file.endsWith(".css") && file !== main.cssBundle);
  await Promise.all(spare.map((file) => rm(file)));
  await writeFile(path.join(out, "index.html"), page);
  await writeFile(path.join(out, "views.json"), JSON.stringify(Object.fromEntries(views), null, 1));
  await Promise.all(outputs.map(([file]) => file).filter((file) => /\.(js|css)$/.test(file) && !spare.includes(file)).map(pack));
  await rm(place, { recursive: true, force: true });
  await rename(out, place);
}

if (process.argv.includes("--watch")) {
  await (await context({ ...options, minify: false })).watch();
} else {
  await build(options).catch(async (error) => {
    await rm(out, { recursive: true, force: true });
    throw error;
  });
}
