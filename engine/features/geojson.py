"""Rows as RFC 7946 features, in two parts so that a geometry can be put in another coordinate system."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import polars as pl
import shapely

DECIMALS = 7  # degrees, about 1 cm: RFC 7946 advises no more than the survey supports
_UTC = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def heads(frame: pl.DataFrame, identity: str) -> Iterator[bytes]:
    """Each row up to its geometry: ``{"type":"Feature","id":…,"properties":{…},"geometry":``."""
    for row in frame.iter_rows(named=True):
        opening = b'{"type":"Feature","id":' + orjson.dumps(row[identity])
        yield opening + b',"properties":' + orjson.dumps(row, option=_UTC) + b',"geometry":'


def oriented(shapes: np.ndarray, decimals: int = DECIMALS) -> np.ndarray:
    """Shapes (objects, None where there is none) rounded, exterior rings counter-clockwise."""
    return np.asarray(shapely.orient_polygons(shapely.transform(shapes, lambda xy: np.round(xy, decimals))))


def geometries(shapes: np.ndarray) -> list[bytes]:
    """Shapes as GeoJSON texts; ``null`` where there is none."""
    return [b"null" if found is None else found.encode() for found in shapely.to_geojson(shapes)]
