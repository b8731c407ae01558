"""Drawn parcels against each other and against the region of their code: overlaps, and parcels that lie elsewhere.

Both answers are about ground, so pieces are measured in m² (:mod:`ingest.geometry`); where they are cut, edges are
straight in degrees, which at a parcel's length is the same line.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from ingest.geometry import area_m2

Shapes = NDArray[np.object_]
Places = NDArray[np.int64]
_METRES_A_DEGREE = 111_700.0  # no degree of GRS80 is longer: an upper bound of a piece's area
_BATCH = 100_000
_OVERLAP = {"parcel_code": pl.String, "other": pl.String, "value": pl.Int64}
_OUTSIDE = {"parcel_code": pl.String, "region_code": pl.String, "other": pl.String, "value": pl.Int64}


def overlaps(codes: pl.Series, areas: pl.Series, shapes: Shapes, percent: int, least_dm2: int) -> pl.DataFrame:
    """Pairs of parcels that share more than ``least_dm2`` and ``percent`` of the smaller one.

    Returns ``parcel_code, other, value`` (dm² shared), each pair once, in order of the codes. ``areas``: dm².
    """
    found = [pl.DataFrame(schema=_OVERLAP)]
    for one, two in _near(shapes, least_dm2):
        shared = _dm2(_intersections(shapes[one], shapes[two]))
        smaller = np.minimum(areas.gather(one).to_numpy(), areas.gather(two).to_numpy())
        at = (shared > least_dm2) & (shared * 100 > smaller * percent)
        pair = pl.DataFrame(
            {"a": codes.gather(one[at]), "b": codes.gather(two[at]), "value": shared[at]},
            schema={"a": pl.String, "b": pl.String, "value": pl.Int64},
        )
        first, second = pl.min_horizontal("a", "b"), pl.max_horizontal("a", "b")
        found.append(pair.select(parcel_code=first, other=second, value="value"))
    return pl.concat(found).sort("parcel_code", "other")


def _near(shapes: Shapes, least_dm2: int) -> Iterator[tuple[Places, Places]]:
    """Pairs (each once, by place) whose boxes share more than ``least_dm2``: all that can overlap by that much."""
    tree = shapely.STRtree(shapes)
    west, south, east, north = shapely.bounds(shapes).T
    for at in range(0, len(shapes), _BATCH):
        one, two = tree.query(shapes[at : at + _BATCH])
        one = one + at
        once = one < two
        one, two = one[once], two[once]
        wide = np.minimum(east[one], east[two]) - np.maximum(west[one], west[two])
        high = np.minimum(north[one], north[two]) - np.maximum(south[one], south[two])
        middle = np.radians(np.minimum(np.abs(south[one]), np.abs(south[two])))
        boxes = wide * high * np.cos(middle) * _METRES_A_DEGREE**2 * 100
        yield one[boxes > least_dm2], two[boxes > least_dm2]


def _intersections(one: Shapes, two: Shapes) -> Shapes:
    """What each pair shares, on two threads (GEOS works without Python's lock)."""
    half = len(one) // 2
    parts = [(one[:half], two[:half]), (one[half:], two[half:])]
    with ThreadPoolExecutor(2) as pool:
        return np.concatenate(list(pool.map(lambda pair: shapely.intersection(*pair), parts)))


def _dm2(pieces: Shapes) -> Places:
    """Whole dm² of each piece; lines and points, where two only touch, are nothing."""
    mixed = np.flatnonzero(shapely.get_type_id(pieces) == shapely.GeometryType.GEOMETRYCOLLECTION)
    for at in mixed:
        pieces[at] = shapely.union_all([g for g in pieces[at].geoms if g.geom_type in ("Polygon", "MultiPolygon")])
    return np.rint(np.nan_to_num(area_m2(pieces)) * 100).astype(np.int64)


def outside_regions(
    codes: pl.Series,
    areas: pl.Series,
    shapes: Shapes,
    counties: dict[str, shapely.Geometry],
    percent: int,
    least_dm2: int,
) -> pl.DataFrame:
    """Parcels of which more than ``percent`` and ``least_dm2`` lie outside the county of their code's first six digits.

    Returns ``parcel_code, region_code`` (of the code), ``other`` (the county in which most of it lies, if any of those
    drawn) and ``value`` (dm² outside), in order of the codes. Codes of counties that were not drawn are not judged.
    """
    found = [pl.DataFrame(schema=_OUTSIDE)]
    own = codes.str.slice(0, 6).to_numpy()
    for county, area in counties.items():
        shapely.prepare(area)
        mine = np.flatnonzero(own == county)
        mine = mine[~shapely.covers(area, shapes[mine])]
        outside = areas.gather(mine).to_numpy() - _dm2(shapely.intersection(shapes[mine], area))
        away = (outside > least_dm2) & (outside * 100 > areas.gather(mine).to_numpy() * percent)
        mine, outside = mine[away], outside[away]
        lies = [_county_of(shapes[at], counties) for at in mine]
        rows = {"parcel_code": codes.gather(mine), "region_code": [county] * len(mine), "other": lies, "value": outside}
        found.append(pl.DataFrame(rows, schema=_OUTSIDE))
    return pl.concat(found).sort("parcel_code")


def _county_of(shape: shapely.Geometry, counties: dict[str, shapely.Geometry]) -> str | None:
    point = shape.representative_point()
    return next((code for code, area in counties.items() if area.covers(point)), None)
