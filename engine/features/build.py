"""Writing prepared features: a folder is complete before it has its name."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import shapely

from engine.features.geojson import DECIMALS, geometries, heads, oriented

BETWEEN = b",\n"
_KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")
_NUMBER = {0: 0, 1: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6}  # GEOS type → place in _KINDS
_BATCH = 20_000


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
    """A batch at a time: the shapes of a large layer do not stand in memory together.

    features.bin: every feature, ``,\\n`` after each; places.npy: start, start of the geometry, end.
    """
    places, boxes, wkb, kinds = [], [], [], set()
    at = 0
    with (part / "features.bin").open("wb") as file:
        for rows in frame.iter_slices(_BATCH):
            raw = np.asarray(rows["geometry"].to_list(), dtype=object)
            shapes = oriented(shapely.from_wkb(raw, on_invalid="ignore"), decimals)
            for head, shape in zip(heads(rows.drop("geometry"), identity), geometries(shapes), strict=True):
                middle = at + len(head)
                places.append((at, middle, middle + len(shape) + 1))
                at += file.write(head + shape + b"}" + BETWEEN)
            boxes.append(np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(-1, 4))
            wkb.append(pl.Series("geometry", list(shapely.to_wkb(shapes)), dtype=pl.Binary))
            kinds |= set(np.unique(shapely.get_type_id(shapes)).tolist())
    all_boxes = np.concatenate(boxes) if boxes else np.empty((0, 4))
    np.save(part / "places.npy", np.array(places, dtype=np.int64).reshape(-1, 3))
    np.save(part / "boxes.npy", all_boxes)
    shown = pl.concat(wkb) if wkb else pl.Series("geometry", [], dtype=pl.Binary)
    frame.with_columns(shown).write_ipc(part / "table.arrow", compression="uncompressed")
    about = {"identity": identity, "count": frame.height, "extent": extent(all_boxes), "kind": kind(kinds)}
    (part / "about.json").write_text(json.dumps(about), encoding="utf-8")


def extent(boxes: np.ndarray) -> list[float] | None:
    """West, south, east, north of all boxes; None where nothing is drawn."""
    drawn = boxes[~np.isnan(boxes[:, 0])]
    if not len(drawn):
        return None
    return [float(x) for x in (*drawn[:, :2].min(axis=0), *drawn[:, 2:].max(axis=0))]


def kind(type_ids: set[int]) -> str | None:
    """The one GeoJSON type of all shapes (the multiple where both are found), ``Geometry`` where they differ."""
    found = {_NUMBER[n] for n in type_ids if n in _NUMBER}
    if not found:
        return None
    if len(found) == 1:
        return _KINDS[found.pop()]
    single, several = min(found), max(found)
    return _KINDS[several] if len(found) == 2 and several == single + 3 else "Geometry"
