"""Prepared features as they are read: rows found by box, by id or by mask, and put together as bytes."""

from __future__ import annotations

import json
import mmap
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import shapely

from engine.features.build import BETWEEN
from engine.features.geojson import geometries
from engine.schema.errors import PermuError


class Features:
    """The features of one folder that :func:`engine.features.build` wrote; rows are numbered in order of their ids."""

    def __init__(self, folder: Path) -> None:
        """Map the folder's files (nothing is read before it is used): they may be removed while this one lives.

        ``table``: properties and ``geometry`` (WKB); ``boxes``: west, south, east, north of each row (n × 4, degrees,
        NaN where nothing is drawn). PermuError release_gone where a file is missing or damaged.
        """
        self.folder = folder
        try:
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            self.table = _mapped_table(folder / "table.arrow")
            self.boxes: np.ndarray = np.load(folder / "boxes.npy", mmap_mode="r")
            self._places: np.ndarray = np.load(folder / "places.npy", mmap_mode="r")
            self._bytes = _mapped_bytes(folder / "features.bin")
        except (OSError, ValueError, pa.ArrowException) as error:
            raise _gone(folder, error) from error
        self.identity: str = about["identity"]
        self.count: int = about["count"]
        self.extent: list[float] | None = about["extent"]
        self.kind: str | None = about["kind"]

    @cached_property
    def schema(self) -> pl.Schema:
        """The properties' names and types."""
        return pl.Schema({n: t for n, t in self.table.schema.items() if n != "geometry"})

    def number(self, identity: str) -> int | None:
        """The row of an id."""
        place = int(self.table[self.identity].search_sorted(identity))
        found = place < self.count and self.table[self.identity][place] == identity
        return place if found else None

    def shapes(self, rows: np.ndarray) -> np.ndarray:
        """Their geometries as shapely objects, None where there is none."""
        wkb = self.table["geometry"].gather(rows.astype(np.uint32)).to_list()
        return np.asarray(shapely.from_wkb(np.asarray(wkb, dtype=object)))

    def meeting(self, west: float, south: float, east: float, north: float) -> np.ndarray:
        """Whether a row's box meets this one (mask of n); false where nothing is drawn."""
        b = self.boxes
        found: np.ndarray = (b[:, 0] <= east) & (b[:, 2] >= west) & (b[:, 1] <= north) & (b[:, 3] >= south)
        return found

    @cached_property
    def undrawn(self) -> np.ndarray:
        """Mask of the rows without a geometry."""
        found: np.ndarray = np.isnan(self.boxes[:, 0])
        return found

    def size(self, rows: np.ndarray) -> int:
        """Bytes of the rows as features."""
        return int((self._places[rows, 2] - self._places[rows, 0]).sum())

    def joined(self, rows: np.ndarray) -> bytes:
        """The rows as features, a comma between two; rows that follow each other are one read."""
        if not len(rows):
            return b""
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        starts = self._places[rows[np.concatenate(([0], breaks))], 0].tolist()
        ends = self._places[rows[np.concatenate((breaks - 1, [len(rows) - 1]))], 2].tolist()
        held = self._bytes
        return BETWEEN.join([held[start:end] for start, end in zip(starts, ends, strict=True)])

    def joined_with(self, rows: np.ndarray, shapes: np.ndarray) -> bytes:
        """The rows as features with other geometries."""
        held, places = self._bytes, self._places[rows].tolist()
        texts = zip(places, geometries(shapes), strict=True)
        return BETWEEN.join([held[start:middle] + text + b"}" for (start, middle, _), text in texts])

    def rows(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The rows' properties."""
        found: list[dict[str, Any]] = self.table.drop("geometry")[rows.astype(np.uint32)].to_dicts()
        return found


def _mapped_table(place: Path) -> pl.DataFrame:
    # pyarrow maps the file; polars would copy it into the memory of each worker.
    with pa.memory_map(str(place)) as mapped:
        frame = pl.from_arrow(pa.ipc.open_file(mapped).read_all())
    assert isinstance(frame, pl.DataFrame)
    return frame


def _mapped_bytes(place: Path) -> mmap.mmap | bytes:
    with place.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if place.stat().st_size else b""


def _gone(place: Path, error: Exception) -> PermuError:
    return PermuError(
        "release_gone",
        f"{place} is not readable ({type(error).__name__}): remove the folder, it is made again at the next request",
        f"{place} 无法读取（{type(error).__name__}）：请删除该目录，下次请求时会重新生成",
    )
