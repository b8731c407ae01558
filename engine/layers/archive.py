"""A PMTiles archive for reading: the file mapped into memory, its directories read once.

Format: PMTiles version 3; the tiles are Mapbox Vector Tiles 2.1, gzip as stored.
"""

from __future__ import annotations

import gzip
import json
import mmap
import shutil
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pmtiles.tile import (
    Entry,
    HeaderDict,
    deserialize_directory,
    deserialize_header,
    serialize_header,
    tileid_to_zxy,
    zxy_to_tileid,
)


class Archive:
    """Tiles by z, x, y. A look-up touches the mapped file only: no seek, no lock, any number of threads."""

    def __init__(self, place: Path) -> None:
        self.place = place
        with place.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.header = deserialize_header(self._map[:127])
        self._data: int = self.header["tile_data_offset"]
        entries = list(self._entries(self.header["root_offset"], self.header["root_length"]))
        self._ids = array("Q", (e.tile_id for e in entries))
        self._runs = array("Q", (e.tile_id + e.run_length for e in entries))
        self._offsets = array("Q", (e.offset for e in entries))
        self._lengths = array("Q", (e.length for e in entries))

    def _entries(self, offset: int, length: int) -> Iterator[Entry]:
        for entry in deserialize_directory(self._map[offset : offset + length]):
            if entry.run_length:
                yield entry
            else:
                yield from self._entries(self.header["leaf_directory_offset"] + entry.offset, entry.length)

    def get(self, z: int, x: int, y: int) -> bytes | None:
        """The tile's bytes as stored; None where there is none. ``x`` and ``y`` must lie within ``z``."""
        wanted = zxy_to_tileid(z, x, y)
        at = bisect_right(self._ids, wanted) - 1
        if at < 0 or wanted >= self._runs[at]:
            return None
        start = self._data + self._offsets[at]
        return self._map[start : start + self._lengths[at]]

    def tiles(self) -> Iterator[tuple[tuple[int, int, int], bytes]]:
        """Every tile as ((z, x, y), bytes), in the order of the archive."""
        for first, end in zip(self._ids, self._runs, strict=True):
            for wanted in range(first, end):
                z, x, y = tileid_to_zxy(wanted)
                yield (z, x, y), self.get(z, x, y) or b""

    def largest(self) -> int:
        """Bytes of the largest tile as stored."""
        return max(self._lengths, default=0)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The archive's own JSON: name, description, ``vector_layers``."""
        start = self.header["metadata_offset"]
        return json.loads(gzip.decompress(self._map[start : start + self.header["metadata_length"]]))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south, east, north = (self.header[f"{k}_e7"] / 1e7 for k in ("min_lon", "min_lat", "max_lon", "max_lat"))  # type: ignore[literal-required]
        return west, south, east, north


def retell(place: Path, words: dict[str, Any], low: int, high: int) -> None:
    """Write an archive's JSON anew, and from which zoom to which it is asked. The JSON stays before the tiles, where
    readers fetch it with the header; what lies behind it moves."""
    header = Archive(place).header
    start, length = header["metadata_offset"], header["metadata_length"]
    packed = gzip.compress(json.dumps(words, ensure_ascii=False).encode(), mtime=0)
    moved: HeaderDict = {
        **header, "metadata_length": len(packed), "min_zoom": low, "max_zoom": high,
        "leaf_directory_offset": header["leaf_directory_offset"] + len(packed) - length,
        "tile_data_offset": header["tile_data_offset"] + len(packed) - length,
    }  # fmt: skip
    new = place.with_name(place.name + ".new")
    with place.open("rb") as was, new.open("wb") as file:
        head = was.read(start)
        file.write(serialize_header(moved) + head[header["root_offset"] :] + packed)
        was.seek(start + length)
        shutil.copyfileobj(was, file, 1 << 20)
    new.replace(place)


_LAYER, _NAME, _FEATURE, _ID = 3, 1, 2, 1  # field numbers of the Mapbox Vector Tile message


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(body: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(field number, start, end) of a message's length-delimited fields; of a varint its value and -1."""
    while at < end:
        key, at = _varint(body, at)
        if key & 7 == 2:
            length, at = _varint(body, at)
            yield key >> 3, at, at + length
            at += length
        elif key & 7 == 0:
            value, at = _varint(body, at)
            yield key >> 3, value, -1
        else:
            at += 8 if key & 7 == 1 else 4


def feature_ids(tile: bytes) -> dict[str, list[int]]:
    """MVT layer → the ids of its features, of a tile as stored (gzip). Reads no geometry and no attribute."""
    body, found = gzip.decompress(tile), {}
    for number, start, end in _fields(body, 0, len(body)):
        if number == _LAYER:
            parts = list(_fields(body, start, end))
            name = next(body[a:b].decode() for n, a, b in parts if n == _NAME)
            found[name] = [
                value
                for n, a, b in parts
                if n == _FEATURE
                for m, value, end_ in _fields(body, a, b)
                if m == _ID and end_ < 0
            ]
    return found
