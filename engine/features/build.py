"""Writing prepared features: a folder is complete before it has its name."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from engine.features.geojson import DECIMALS, geometries, heads, oriented

BETWEEN = b",\n"
_KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")


def build(frame: pl.DataFrame, identity: str, folder: Path, decimals: int = DECIMALS) -> Path:
    """Prepare the rows of ``frame`` in ``folder``: properties, ``geometry`` (WKB, lon/lat) and ``identity`` that names
    the column of ids, unique and never null. The order is that of the ids.

    Another process that prepares the same at the same time does no harm: whoever is first stays.
    """
    ordered = frame.sort(identity)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(ordered, identity, part, decimals)
        part.rename(folder)
    except OSError:
        if not (folder / "about.json").is_file():
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _write(frame: pl.DataFrame, identity: str, part: Path, decimals: int) -> None:
    wkb = np.asarray(frame["geometry"].to_list(), dtype=object)
    shapes = oriented(shapely.from_wkb(wkb, on_invalid="ignore"), decimals)
    boxes = np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(-1, 4)
    _write_bytes(frame.drop("geometry"), identity, shapes, part)
    np.save(part / "boxes.npy", boxes)
    frame.with_columns(geometry=pl.Series(list(shapely.to_wkb(shapes)), dtype=pl.Binary)).write_ipc(
        part / "table.arrow", compression="uncompressed"
    )
    about = {"identity": identity, "count": frame.height, "extent": extent(boxes), "kind": kind(shapes)}
    (part / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _write_bytes(rows: pl.DataFrame, identity: str, shapes: np.ndarray, part: Path) -> None:
    """features.bin: every feature, ``,\\n`` after each; places.npy: start, start of the geometry, end."""
    places = np.empty((rows.height, 3), dtype=np.int64)
    at = 0
    with (part / "features.bin").open("wb") as file:
        for number, (head, shape) in enumerate(zip(heads(rows, identity), geometries(shapes), strict=True)):
            middle = at + len(head)
            places[number] = at, middle, middle + len(shape) + 1
            at += file.write(head + shape + b"}" + BETWEEN)
    np.save(part / "places.npy", places)


def extent(boxes: np.ndarray) -> list[float] | None:
    """West, south, east, north of all boxes; None where nothing is drawn."""
    drawn = boxes[~np.isnan(boxes[:, 0])]
    if not len(drawn):
        return None
    return [float(x) for x in (*drawn[:, :2].min(axis=0), *drawn[:, 2:].max(axis=0))]


def kind(shapes: np.ndarray) -> str | None:
    """The one GeoJSON type of all shapes (the multiple where both are found), ``Geometry`` where they differ."""
    number_of = {0: 0, 1: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6}
    found: set[Any] = {number_of[n] for n in np.unique(shapely.get_type_id(shapes)) if n in number_of}
    if not found:
        return None
    if len(found) == 1:
        return _KINDS[found.pop()]
    single, several = min(found), max(found)
    return _KINDS[several] if len(found) == 2 and several == single + 3 else "Geometry"
