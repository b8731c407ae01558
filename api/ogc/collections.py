"""The collections that are offered: the layers of a release as far as the viewer sees them, and further files."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import orjson
import polars as pl

from api.layers import limits_of
from api.ogc.shelf import Shelf
from api.rights import View
from api.store import Opened
from engine.features import Features
from engine.layers import LAYERS, Limits, table
from engine.schema.errors import PermuError

LARGE = 100_000  # enterprises of a release from which layers are prepared by another process


@dataclass(frozen=True)
class Collection:
    """One collection: id, titles, its features, the name of the geometry as a queryable, and its time: ``year`` of all
    features, or the columns of a feature's start and end."""

    id: str
    zh: str
    en: str
    features: Callable[[], Features]
    geometry: str = "geometry"
    year: int | None = None
    times: tuple[str, str] | None = None

    def queryables(self) -> tuple[str, ...]:
        """The properties that may be asked: all that are shown."""
        return tuple(self.features().schema)


def of_release(shelf: Shelf, opened: Opened, view: View, here: bool = False) -> dict[str, Collection]:
    """The layers of a release that the viewer may see and that the release can give. Large layers are prepared by a
    process of their own, unless ``here``: what it takes would stay in the memory of the worker."""
    found = {}
    for name, layer in LAYERS.items():
        if _offered(opened, name, view):
            make = partial(_features, shelf, opened, name, view, here)
            found[name] = Collection(name, layer.zh, layer.en, make, year=opened.board.year)
    return found


def _offered(opened: Opened, name: str, view: View) -> bool:
    return view.viewer.can(f"layer_{name}") and all(opened.release.has(needed) for needed in LAYERS[name].needs)


def open_layer(shelf: Shelf, opened: Opened, name: str, view: View) -> Collection | None:
    """A layer that :func:`of_release` offers and that was asked for before, as this viewer sees it, and is open: nothing
    is read for it."""
    features = shelf.at_hand(*_shelved(opened, name, limits_of(view))) if _offered(opened, name, view) else None
    if features is None:
        return None
    layer = LAYERS[name]
    return Collection(name, layer.zh, layer.en, lambda: features, year=opened.board.year)


def _shelved(opened: Opened, name: str, limits: Limits) -> tuple[str, str]:
    return opened.board.release_id, f"{name}|{opened.listed.rankings_sha256[:12]}|{limits.key}"


def _features(shelf: Shelf, opened: Opened, name: str, view: View, here: bool) -> Features:
    limits = limits_of(view)

    def make() -> tuple[pl.DataFrame, str] | None:
        if opened.listed.rows > LARGE and not here:
            elsewhere(shelf, opened, name, view)
            return None
        return table(opened.release, name, limits), LAYERS[name].identity

    return shelf.features(*_shelved(opened, name, limits), make)


def elsewhere(shelf: Shelf, opened: Opened, name: str, view: View) -> None:
    """Prepare a layer by ``python -m api.ogc.prepare``. PermuError cannot_prepare where that fails."""
    words = [sys.executable, "-m", "api.ogc.prepare", str(shelf.cache.parent), opened.board.release_id, name]
    viewer = {**asdict(view.viewer), "switches": sorted(view.viewer.switches)}
    ran = subprocess.run(words, input=orjson.dumps(viewer), capture_output=True, check=False)
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip()[-300:]
        raise PermuError(
            "cannot_prepare",
            f"the features of {name} could not be prepared: {said}",
            f"图层 {name} 准备失败：{said}",
        )


def of_file(
    shelf: Shelf, place: Path, layer: str | None = None, times: tuple[str, str] | None = None
) -> dict[str, Collection]:
    """A layer of a file that GDAL reads, in lon/lat, as a collection; PermuError bad_file."""
    import pyogrio  # GDAL and pandas: 40 MB

    try:
        name = layer or pyogrio.list_layers(place)[0][0]
        geometry = pyogrio.read_info(place, layer=name)["geometry_name"] or "geometry"
    except pyogrio.errors.DataSourceError as error:
        raise PermuError(
            "bad_file", f"{place}: no map file that can be read: {error}", f"{place}：无法读取的地图文件：{error}"
        ) from error
    stat = place.stat()
    version = hashlib.blake2b(f"{place}|{stat.st_mtime_ns}|{stat.st_size}".encode(), digest_size=8).hexdigest()

    def features() -> Features:
        return shelf.features("files", f"{name}|{version}", partial(_read, place, name), decimals=15)

    return {name: Collection(name, name, name, features, geometry, times=times)}


def _read(place: Path, layer: str) -> tuple[pl.DataFrame, str]:
    """The layer's rows with the file's own feature ids (text) as ``fid``."""
    import pyogrio

    meta, rows = pyogrio.read_arrow(place, layer=layer, return_fids=True, datetime_as_string=False)
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    frame = frame.rename({meta["geometry_name"] or "wkb_geometry": "geometry"})
    number = next(c for c in frame.columns if c not in {*meta["fields"], "geometry"})
    times = [c for c, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    instants = [pl.col(c).dt.convert_time_zone("UTC").dt.replace_time_zone(None) for c in times if _zoned(frame, c)]
    frame = frame.with_columns(*instants, fid=pl.col(number).cast(pl.String))
    return frame.select("fid", pl.exclude("fid", number, "geometry"), "geometry"), "fid"


def _zoned(frame: pl.DataFrame, name: str) -> bool:
    kind = frame.schema[name]
    return isinstance(kind, pl.Datetime) and kind.time_zone is not None
