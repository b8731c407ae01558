"""A layer as RFC 7946 GeoJSON. Properties and geometry are written column by column: no row ever is a Python object."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import polars as pl
import shapely

from engine.layers.catalogue import layer_of, table
from engine.layers.limits import EVERYTHING, Limits
from engine.layers.origin import origin, words
from engine.releases import Release

_DECIMALS = 7  # about 1 cm: RFC 7946 advises no more than the survey supports
_BATCH = 20_000


def geometries(wkb: pl.Series) -> pl.Series:
    """WKB → GeoJSON geometry texts: exterior rings counter-clockwise, seven decimals; ``null`` where there is none."""
    shapes = shapely.from_wkb(np.asarray(wkb.to_list(), dtype=object), on_invalid="ignore")
    shapes = shapely.orient_polygons(shapely.transform(shapes, lambda xy: np.round(xy, _DECIMALS)))
    return pl.Series(shapely.to_geojson(shapes), dtype=pl.String).fill_null("null")


def encoded(columns: list[str]) -> pl.Expr:
    """These columns of a row as one JSON object; NaN and infinite values become null."""
    return pl.struct(columns).struct.json_encode()


def features(frame: pl.DataFrame, identity: str) -> Iterator[list[str]]:
    """Batches of rows as GeoJSON features; ``identity`` names the column that is a feature's id."""
    alone = pl.struct(i=identity).struct.json_encode().str.slice(len('{"i":')).str.head(-1)
    for start in range(0, frame.height, _BATCH):
        part = frame.slice(start, _BATCH)
        told = part.select(
            pl.concat_str(
                pl.lit('{"type":"Feature","id":'), alone, pl.lit(',"properties":'),
                encoded([c for c in part.columns if c != "geometry"]), pl.lit(',"geometry":'),
                geometries(part["geometry"]).alias("shape"), pl.lit("}"),
            )
        )  # fmt: skip
        yield told.to_series().to_list()


def collection(release: Release, layer: str, rows: pl.DataFrame, limits: Limits) -> Iterator[bytes]:
    """Rows of a layer as a FeatureCollection (RFC 7946, lon/lat) in parts of some MB. Its origin stands first, as foreign
    members: ``description`` is what GDAL and QGIS show."""
    head = {"description": words(release, layer), "permu": origin(release, layer, rows.height, limits)}
    yield b'{"type":"FeatureCollection",' + orjson.dumps(head)[1:-1] + b',"features":[\n'
    join = ""
    for batch in features(rows, layer_of(layer).identity):
        yield (join + ",\n".join(batch)).encode()
        join = ",\n"
    yield b"\n]}\n"


def geojson(release: Release, layer: str = "parcels", limits: Limits = EVERYTHING) -> bytes:
    """A whole layer as GeoJSON."""
    return b"".join(collection(release, layer, table(release, layer, limits), limits))
