// What the map draws with, made ready: a file of its own, fetched while the page's own code already runs.
import { addProtocol, Map, NavigationControl, prewarm, ScaleControl, setWorkerUrl } from "maplibre-gl";
import { FetchSource, type Header, PMTiles, Protocol, type RangeResponse } from "pmtiles";

const FIRST = 1 << 16;
const frame = document.getElementById("page") as HTMLScriptElement;
const protocol = new Protocol();
setWorkerUrl(new URL(frame.dataset.worker!, location.href).href);
prewarm(); // the worker starts while the archive is asked
addProtocol("pmtiles", protocol.tile);

/** The beginning of an archive is read at once and kept: its head, its directory, its words and the low zooms lie there. */
class Kept extends FetchSource {
  private first?: Promise<RangeResponse>;

  override async getBytes(offset: number, length: number, signal?: AbortSignal, etag?: string): Promise<RangeResponse> {
    if (offset === 0) this.first = super.getBytes(0, FIRST);
    const first = await this.first;
    const isIn = first && offset + length <= first.data.byteLength && (!etag || first.etag === etag);
    return isIn ? { ...first, data: first.data.slice(offset, offset + length) } : super.getBytes(offset, length, signal, etag);
  }
}

export interface Archive {
  url: string;
  head: Header;
  /** Figures of the features by the name of their layer: what this viewer may see. */
  fields: Readonly<Record<string, readonly string[]>>;
}

/** An archive's head and words, for the map to find; rejects where it cannot be read. */
export async function open(url: string): Promise<Archive> {
  const file = new PMTiles(new Kept(url));
  protocol.add(file);
  const head = await file.getHeader();
  const told = (await file.getMetadata()) as { vector_layers?: { id: string; fields: Record<string, string> }[] };
  return { url, head, fields: Object.fromEntries(told.vector_layers?.map((l) => [l.id, Object.keys(l.fields)]) ?? []) };
}

export { Map, NavigationControl, ScaleControl };
