"""Open tile sets by layer and viewer: what a tile needs of release, rights and archive, settled once."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from api.layers import limits_of
from api.ogc import tilesets
from api.respond import encoding_of
from api.rights import Viewer, viewer_of
from api.routes.layers import files, seen, tag_of
from api.store import Listed, Store
from engine.layers.archive import Archive

_READY = 256
VECTOR = "application/vnd.mapbox-vector-tile"
Key = tuple[int, str | None, str, Viewer]


@dataclass(frozen=True)
class Ready:
    """An open tile set, and what it was opened from."""

    entries: tuple[Listed, ...]
    place: Path
    stamp: int
    archive: Archive
    tag: str
    release_id: str
    files: tuple[Path, ...]  # without these the release is gone
    limits: dict[int, tuple[range, range]]

    def covers(self, z: int, y: int, x: int) -> bool:
        """Whether the tile lies within the limits of the tile set."""
        rows, columns = self.limits.get(z, (range(0), range(0)))
        return y in rows and x in columns

    def tile(self, z: int, y: int, x: int, offered: str) -> tuple[dict[str, str], bytes | None]:
        """Headers and bytes as stored, None where nothing is there; without Content-Encoding where gzip is not taken."""
        packed = encoding_of(offered + ",zstd;q=0") == "gzip"
        headers = {
            "cache-control": "private, no-cache", "vary": "Accept-Encoding, Authorization",
            "etag": f'"{self.tag}.{z}.{y}.{x}{"" if packed else ".plain"}"',
        }  # fmt: skip
        body = self.archive.get(z, x, y)
        if body is not None:
            headers["content-type"] = VECTOR
            headers |= {"content-encoding": "gzip"} if packed else {}
        return headers, body


_held: OrderedDict[Key, Ready] = OrderedDict()


def at_hand(
    store: Store, entries: tuple[Listed, ...] | None, named: str | None, layer: str, viewer: Viewer
) -> Ready | None:
    """The open tile set, if it still stands and the ledger lists what it did (``entries``): nothing is read for it."""
    key = (id(store), named, layer, viewer)
    found = _held.get(key)
    if found is None or (entries is not found.entries and entries != found.entries):
        return None
    try:
        if found.place.stat().st_mtime_ns != found.stamp or not all(file.is_file() for file in found.files):
            return None
    except OSError:
        return None
    with suppress(KeyError):  # a thread may have let it go just now
        _held.move_to_end(key)
    return found


def opened(request: Request, named: str | None, layer: str) -> Ready:
    """The tile set, made and opened if need be: for a worker thread. PermuError as the layer's files."""
    whole: Store = request.app.state.store
    viewer = viewer_of(request)
    entries = whole.ledger.index()
    release = whole.seen_by(viewer.sees_release).find(named)
    limits = limits_of(seen(request, release, layer))
    archive = files.archive(release.release, layer, limits)
    place = files.file(release.release, layer, "pmtiles", limits)
    stamp = place.stat().st_mtime_ns
    within = {
        int(one["tileMatrix"]): (
            range(one["minTileRow"], one["maxTileRow"] + 1), range(one["minTileCol"], one["maxTileCol"] + 1),
        )
        for one in tilesets.limits(archive)
    }  # fmt: skip
    ready = Ready(entries, place, stamp, archive, tag_of(place)[1:-1], release.listed.release_id, release.files, within)
    _held[(id(whole), named, layer, viewer)] = ready
    if len(_held) > _READY:
        _held.popitem(last=False)
    return ready
