"""What an answer tells, in whatever format: its numbers, its words and the features of its tiles."""

from __future__ import annotations

import csv
import gzip
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import polars as pl
import pyogrio
import pypdf
from mapbox_vector_tile.Mapbox import vector_tile_pb2
from pmtiles.reader import MemorySource, all_tiles

# 12, 1,234.56 and 1e5, also between Chinese characters; no part of a code or a date
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![A-Za-z0-9_]|\.\d)")
_WORD = re.compile(r"[\w（）]+")
_DRAWING = re.compile(r"<svg.*?</svg>", re.DOTALL)
Leaf = float | str


@dataclass(frozen=True)
class Told:
    """Numbers (in texts, too), words (whole texts and their parts), and the features of tiles."""

    numbers: frozenset[float]
    words: frozenset[str]
    features: tuple[dict[str, Any], ...] = ()


def told(content: bytes, media: str) -> Told:
    """All that an answer says, apart from where things lie."""
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    features = tuple(_features(content, media))
    leaves = _leaves(list(features)) if features else _parts(content, media) if content else ()
    found = set(leaves)
    texts = {leaf for leaf in found if isinstance(leaf, str)}
    written = {float(n.replace(",", "")) for text in texts for n in _NUMBER.findall(text)}
    words = {word for text in texts for word in _WORD.findall(text)}
    return Told(frozenset({n for n in found if isinstance(n, float)} | written), frozenset(words | texts), features)


def _features(content: bytes, media: str) -> Iterator[dict[str, Any]]:
    if content[:7] == b"PMTiles":
        tiles = [tile for _, tile in all_tiles(MemorySource(content))]
    elif "vector-tile" in media:
        tiles = [content]
    else:
        return
    for tile in tiles:
        plain = vector_tile_pb2.tile()
        plain.ParseFromString(gzip.decompress(tile) if tile[:2] == b"\x1f\x8b" else tile)
        for layer in plain.layers:
            values = [value.ListFields()[0][1] for value in layer.values]
            for feature in layer.features:
                tags = iter(feature.tags)
                yield {layer.keys[key]: values[value] for key, value in zip(tags, tags, strict=True)}


def _parts(content: bytes, media: str) -> Iterable[Leaf]:
    if content[:7] == b"PMTiles" or "vector-tile" in media:
        return ()
    if "json" in media:
        return _leaves(orjson.loads(content))
    if "spreadsheet" in media:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        return _leaves([list(row) for sheet in book for row in sheet.iter_rows(values_only=True)])
    if "parquet" in media:
        return _leaves(pl.read_parquet(io.BytesIO(content)).select(pl.exclude("geometry")).rows())
    if "arrow" in media:
        return _leaves(pl.read_ipc(io.BytesIO(content)).rows())
    if "pdf" in media:
        return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    if "csv" in media:
        return (cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row)
    if media.startswith("text/") or "yaml" in media:
        return [re.sub(r"<[^>]*>", "\n", _DRAWING.sub("", content.decode("utf-8", "replace")))]
    return _leaves(_file(content))


def _leaves(value: Any) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield str(name)
            if name not in ("coordinates", "bbox"):
                yield from _leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _file(content: bytes) -> list[Any]:
    """A GeoPackage, FlatGeobuf or zipped shapefile."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / ("layer.gpkg" if content[:6] == b"SQLite" else "layer.fgb")
        if content[:2] == b"PK":
            zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
            place = next(Path(folder).rglob("*.shp"))
        else:
            place.write_bytes(content)
        found: list[Any] = pyogrio.read_dataframe(place, read_geometry=False).to_numpy().tolist()
        return found
