"""What is asked of every route in the test of rights, and what figures an answer holds, in whatever format."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import openpyxl
import orjson
import polars as pl
import pyogrio
import pypdf
from pmtiles.reader import MemorySource, all_tiles

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")


def addresses(template: str, firm: str, other: str, release: str) -> list[str]:
    """Addresses of a route; [] for one that tells nothing about enterprises (sign-in, health, the page itself)."""
    at = f"release={release}"
    if template in _SILENT or template.startswith(("/login", "/docs", "/static")):
        return []
    if "{enterprise_id}" in template:
        return [f"{template.replace('{enterprise_id}', who)}{_more(template, at)}" for who in (firm, other)]
    if template.startswith("/layers/"):
        layers = _LAYERS if template.endswith((".geojson", ".parquet")) else ("parcels", "regions")
        return [f"{template.replace('{layer}', layer)}?{at}" for layer in layers]
    if template.startswith("/ogc"):
        return _ogc(template, release)
    found = {
        "/api/v1/rankings": [
            f"{template}?{at}&{more}"
            for more in (
                "limit=500",
                "order=worst",
                "format=csv",
                "format=xlsx",
                "format=parquet",
                "format=arrow",
                "grade=D",
            )
        ],
        "/api/v1/rankings/bottom": [
            f"{template}?{at}&percent=20{more}" for more in ("", "&format=csv", "&within=region")
        ],
        "/api/v1/summary": [
            f"{template}?{at}{more}" for more in ("", "&group_by=region_town", "&group_by=industry_4,size")
        ],
        "/api/v1/overview/movement": [f"{template}?{at}"],
    }
    plain = template.replace("{policy_id}", "huaian-2024").replace("{release_id}", release).replace("{item_id}", "x")
    plain = plain.replace("{parcel_code}", "x")
    return found.get(template, [f"{plain}?{at}" if template in _BY_RELEASE or "overview" in template else plain])


_SILENT = (
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/me",
    "/logout",
    "/",
    "/enterprises/{enterprise_id}",
)
_BY_RELEASE = ("/api/v1/industries", "/api/v1/regions", "/api/v1/sizes", "/api/v1/indicators")
_LAYERS = ("parcels", "enterprises", "regions", "low_efficiency", "idle")


def _more(template: str, at: str) -> str:
    return "" if template.endswith(("/history", "/facts")) else f"?{at}"


def _ogc(template: str, release: str) -> list[str]:
    if "{release_id}" not in template and "{release}" not in template:
        return []  # the same routes of the default release
    start = template.replace("{release_id}", release).replace("{release}", release)
    if "{collection_id}" not in start:
        return []  # documents about the service
    found = [start.replace("{collection_id}", layer) for layer in _LAYERS]
    found = [f.replace("{tms}", "WebMercatorQuad").replace("{feature_id:path}", "1") for f in found]
    if "{z}" in template:
        return [f.replace("{z}/{y}/{x}", place) for f in found for place in ("10/416/854", "8/104/213")]
    return [f"{f}?f=json&limit=1000" if f.endswith("/items") else f for f in found]


def figures(content: bytes, media: str) -> set[float]:
    """Every number of an answer that could be a figure."""
    return {n for n in _numbers(content, media) if n == n and abs(n) not in (0.0, 1.0)}


def _numbers(content: bytes, media: str) -> Iterator[float]:
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if "json" in media:
        yield from _of_json(orjson.loads(content))
    elif "spreadsheet" in media:
        for sheet in openpyxl.load_workbook(io.BytesIO(content), read_only=True):
            yield from _of_json([list(row) for row in sheet.iter_rows(values_only=True)])
    elif "parquet" in media and content[:4] == b"PAR1":
        yield from _of_json(pl.read_parquet(io.BytesIO(content)).select(pl.exclude("geometry")).rows())
    elif "arrow" in media:
        yield from _of_json(pl.read_ipc(io.BytesIO(content)).rows())
    elif "pdf" in media:
        words = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
        yield from (float(n) for n in _NUMBER.findall(words))
    elif media.startswith("text/"):
        yield from (float(n) for n in _NUMBER.findall(content.decode("utf-8", "replace")))
    else:
        yield from _of_file(content)


def _of_json(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in ("coordinates", "geometry", "bbox"):
                yield from _of_json(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _of_json(part)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, str) and len(value) < 200:
        yield from (float(n) for n in _NUMBER.findall(value))


def _of_file(content: bytes) -> Iterator[float]:
    """A GeoPackage, FlatGeobuf or zipped shapefile."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / ("layer.gpkg" if content[:6] == b"SQLite" else "layer.fgb")
        if content[:2] == b"PK":
            zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
            place = next(Path(folder).rglob("*.shp"))
        else:
            place.write_bytes(content)
        yield from _of_json(pyogrio.read_dataframe(place, read_geometry=False).to_numpy().tolist())


def drawn(content: bytes, media: str) -> list[dict[str, Any]] | None:
    """The properties of the features of a tile or of every tile of an archive; None for any other answer."""
    if content[:7] == b"PMTiles":
        tiles = [tile for _, tile in all_tiles(MemorySource(content))]
    elif "vector-tile" in media or "protobuf" in media or "mvt" in media:
        tiles = [content]
    else:
        return None
    plain = [gzip.decompress(t) if t[:2] == b"\x1f\x8b" else t for t in tiles]
    layers = [layer for tile in plain for layer in mapbox_vector_tile.decode(tile).values()]
    return [feature["properties"] for layer in layers for feature in layer["features"]]
