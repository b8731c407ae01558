"""Files of a release's layers, made once and kept in the release's ``layers`` folder, one folder for each view.

They follow from the release alone and are no part of it: its hash does not cover them, and whoever deletes them gets
them again at the next ask.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.layers import files, tiles
from engine.layers.catalogue import require, table
from engine.layers.features import collection
from engine.layers.limits import EVERYTHING, Limits
from engine.layers.origin import origin
from engine.releases import Release
from engine.schema.errors import PermuError

VERSION = 3  # raise when the content of a layer's files changes
# Ending of a layer's file → its format.
FORMS = {
    "geojson": "geojson",
    "pmtiles": "pmtiles",
    "fgb": "fgb",
    "gpkg": "gpkg",
    "parquet": "geoparquet",
    "shp.zip": "shp",
}
_TOLD, _ORIGIN = ".tiles.json", ".origin.json"


def folder_of(release: Release, limits: Limits = EVERYTHING) -> Path:
    """Where the files for a view are kept."""
    plain = re.sub(r"[^0-9A-Za-z-]+", "_", limits.key)
    mark = "" if plain == limits.key else "-" + hashlib.blake2b(limits.key.encode(), digest_size=4).hexdigest()
    return release.folder / "layers" / f"v{VERSION}" / (plain + mark)


def held(release: Release, layer: str, ending: str, limits: Limits = EVERYTHING) -> Path | None:
    """The prepared file, if it is there."""
    place = folder_of(release, limits) / f"{layer}.{ending}"
    return place if place.is_file() else None


def prepare(release: Release, layer: str, ending: str, limits: Limits = EVERYTHING) -> Path:
    """The prepared file, made now if it is not there yet. One process makes files of a view at a time, the others wait.

    Raises:
        PermuError: unknown_layer, no_layer, tiles_failed, cannot_prepare (the folder may not be written).
    """
    require(release, layer)
    found = held(release, layer, ending, limits)
    if found is not None:
        return found
    place = folder_of(release, limits) / f"{layer}.{ending}"
    try:
        with _making(place.parent) as part:
            if not place.is_file():
                _make(release, layer, ending, part / place.name, limits)
                # what belongs beside a file stands there before the file itself
                for made in sorted(part.iterdir(), key=lambda f: f.name == place.name):
                    made.replace(place.with_name(made.name))
    except OSError as error:
        raise PermuError(
            "cannot_prepare",
            f"{place}: {error}; the release's layers folder must be writable for whoever serves it, and the disk have room",
            f"{place}：{error}；服务进程须能写入该发布的 layers 目录，且磁盘有空间",
        ) from error
    return place


@contextlib.contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """A place for unfinished files while this process is the only one that makes any; what a killed one left goes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(".part-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
            yield Path(part)


def _make(release: Release, layer: str, ending: str, place: Path, limits: Limits) -> None:
    if ending == "geojson":
        rows = _geojson(release, layer, place, limits)
    elif ending == "pmtiles":
        told = tiles.write(release, layer, place, limits)
        place.with_name(layer + _TOLD).write_text(json.dumps(told.told(), indent=1), encoding="utf-8")
        rows = told.features
    else:
        rows = files.write(release, layer, FORMS[ending], place, limits=limits)["features"]
    told_of = json.dumps(origin(release, layer, rows, limits), ensure_ascii=False, indent=1)
    place.with_name(layer + _ORIGIN).write_text(told_of, encoding="utf-8")


def _geojson(release: Release, layer: str, place: Path, limits: Limits) -> int:
    """The file, and beside it the same in gzip, written in one go; how many rows they have."""
    packed = place.with_name(place.name + ".gz")
    rows = table(release, layer, limits)
    with place.open("wb") as plain, files.packing(packed) as gz:
        for part in collection(release, layer, rows, limits):
            plain.write(part)
            gz.write(part)
    return rows.height


def counted(release: Release, layer: str, limits: Limits = EVERYTHING) -> dict[str, object]:
    """What the prepared archive of a layer holds at each zoom (:class:`engine.layers.tiles.Tiled` as JSON)."""
    return json.loads((folder_of(release, limits) / (layer + _TOLD)).read_text(encoding="utf-8"))


def origin_of(release: Release, layer: str, limits: Limits = EVERYTHING) -> dict[str, object]:
    """What the prepared files of a layer say of themselves (:func:`engine.layers.origin.origin`), without opening one."""
    return json.loads((folder_of(release, limits) / (layer + _ORIGIN)).read_text(encoding="utf-8"))


def prepare_all(release: Release, say: Callable[[str], None], limits: Limits = EVERYTHING) -> list[Path]:
    """The files that the page and map software ask for first: GeoJSON and tiles of every layer that the release has."""
    made = []
    for layer in files.layers_of(release):
        for ending in ("geojson", "pmtiles"):
            say(f"{layer}.{ending}")
            made.append(prepare(release, layer, ending, limits))
    return made
