"""Coordinate systems of OGC API Features part 2: their URIs, their axes, and the way to and from lon/lat.

Geometries are kept in CRS84 (lon/lat). An EPSG URI means the axes of the register: latitude first for 4326 and 4490,
northing first for 4549. CGCS2000 and WGS 84 are taken as one (they agree to centimetres).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from pyproj import Transformer

from engine.schema.errors import PermuError

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@dataclass(frozen=True)
class Crs:
    """A coordinate system that is offered: URI, EPSG code, whether its first axis is the northern one, decimals."""

    uri: str
    epsg: int
    northern_first: bool
    decimals: int


SYSTEMS = {
    c.uri: c
    for c in (
        Crs(CRS84, 4326, False, 7),
        Crs("http://www.opengis.net/def/crs/EPSG/0/4326", 4326, True, 7),
        Crs("http://www.opengis.net/def/crs/EPSG/0/4490", 4490, True, 7),
        Crs("http://www.opengis.net/def/crs/EPSG/0/4549", 4549, True, 3),
        Crs("http://www.opengis.net/def/crs/EPSG/0/3857", 3857, False, 3),
    )
}
DEFAULT = SYSTEMS[CRS84]
# Widely used clients write a system in these ways too.
_SHORT = {f"EPSG:{c.epsg}": c for c in SYSTEMS.values()} | {
    "OGC:CRS84": DEFAULT,
    **{f"urn:ogc:def:crs:EPSG::{c.epsg}": c for c in SYSTEMS.values() if c.uri != CRS84},
    "urn:ogc:def:crs:OGC:1.3:CRS84": DEFAULT,
}


def read_crs(parameter: str, value: str | None) -> Crs:
    """The system that a parameter names, CRS84 where it was not given; PermuError bad_parameter."""
    if value is None:
        return DEFAULT
    found = SYSTEMS.get(value) or _SHORT.get(value.removeprefix("[").removesuffix("]"))
    if found is None:
        allowed = ", ".join(SYSTEMS)
        raise PermuError(
            "bad_parameter",
            f"{parameter}={value[:100]}: not a coordinate system that is offered: use one of {allowed}",
            f"{parameter}={value[:100]}：不提供该坐标系，可用：{allowed}",
            parameter=parameter,
            allowed=allowed,
        )
    return found


@lru_cache(maxsize=16)
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _geographic(crs: Crs) -> bool:
    return crs.epsg in (4326, 4490)


def _moved(points: np.ndarray, source: int, target: int) -> np.ndarray:
    x, y = _transformer(source, target).transform(points[:, 0], points[:, 1])
    return np.column_stack((x, y))


def from_lonlat(shapes: np.ndarray, crs: Crs) -> np.ndarray:
    """Shapes in lon/lat (degrees) → in ``crs``, in its order of axes, rounded to what a survey supports; none of a shape
    that has no coordinates there."""

    def move(points: np.ndarray) -> np.ndarray:
        found = points if _geographic(crs) else _moved(points, 4326, crs.epsg)
        return np.round(found[:, ::-1] if crs.northern_first else found, crs.decimals)

    found = np.asarray(shapely.transform(shapes, move))
    points, of = shapely.get_coordinates(found, return_index=True)
    found[of[~np.isfinite(points).all(axis=1)]] = None
    return found


def to_lonlat(shapes: np.ndarray, crs: Crs) -> np.ndarray:
    """Shapes in ``crs`` (in its order of axes) → lon/lat in degrees."""

    def move(points: np.ndarray) -> np.ndarray:
        found = points[:, ::-1] if crs.northern_first else points
        return np.array(found if _geographic(crs) else _moved(found, crs.epsg, 4326))

    return np.asarray(shapely.transform(shapes, move))
