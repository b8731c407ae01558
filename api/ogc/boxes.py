"""bbox: four or six numbers in some coordinate system → the areas in lon/lat that are asked (two over 180°)."""

from __future__ import annotations

import math

import numpy as np
import shapely

from api.ogc.crs import Crs, to_lonlat
from api.ogc.literals import number
from engine.schema.errors import PermuError

_EN = "4 numbers west,south,east,north (6 with heights), finite, south <= north; in the axis order of bbox-crs"
_ZH = "4 个数：西,南,东,北（含高程为 6 个），须为有限数且南不大于北；轴序随 bbox-crs"

_SLACK = 1e-9  # degrees: real data say 180.00000000000006


def bad_box(value: str, parameter: str = "bbox") -> PermuError:
    """``bad_parameter`` that says what a box is."""
    return PermuError(
        "bad_parameter",
        f"{parameter}={value[:100]}: write {_EN}",
        f"{parameter}={value[:100]}：须为{_ZH}",
        parameter=parameter,
        allowed=_EN,
    )


def read_box(value: str | None, crs: Crs) -> tuple[shapely.Geometry, ...]:
    """The polygons that a bbox covers, none where it was not given; heights are left aside. PermuError bad_parameter."""
    if value is None:
        return ()
    try:
        numbers = [number(part.strip()) for part in value.split(",", 7)]
    except ValueError as error:
        raise bad_box(value) from error
    return areas(numbers, crs, value)


def areas(numbers: list[float], crs: Crs, shown: str, parameter: str = "bbox") -> tuple[shapely.Geometry, ...]:
    """The polygons in lon/lat of a box's numbers; west > east in degrees goes over the 180th meridian.

    A map that is zoomed far out asks beyond the poles and the meridian: as ``bbox`` that is answered, in a filter it is
    an invalid coordinate.
    """
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise bad_box(shown, parameter)
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    low, high = (numbers[:2], numbers[2:]) if not crs.northern_first else (numbers[1::-1], numbers[:1:-1])
    (west, south), (east, north) = low, high
    degrees = crs.epsg in (4326, 4490)
    if south > north or (west > east and not degrees):
        raise bad_box(shown, parameter)
    on_earth = _longitude(west) and _longitude(east) and -90 - _SLACK <= south <= north <= 90 + _SLACK
    if degrees and not on_earth and (parameter != "bbox" or west > east):
        raise bad_box(shown, parameter)
    halves = [(west, 180.0), (-180.0, east)] if west > east else [(west, east)]
    return tuple(_area(x, south, y, north, crs) for x, y in halves)


def _longitude(value: float) -> bool:
    return -180 - _SLACK <= value <= 180 + _SLACK


def _area(west: float, south: float, east: float, north: float, crs: Crs) -> shapely.Geometry:
    """A box that has no width or no height is a line or a point; sides are followed closely when it is projected."""
    if west == east or south == north:
        flat = shapely.Point(west, south) if (west, south) == (east, north) else None
        shape = flat or shapely.LineString([(west, south), (east, north)])
    else:
        shape = shapely.box(west, south, east, north)
    if crs.epsg in (4326, 4490):
        return shape
    try:
        dense = shapely.segmentize(shape, max((east - west) / 16, (north - south) / 16, 1e-9))
    except shapely.errors.GEOSException as error:  # numbers so far apart that no step lies between them
        raise bad_box(f"{west},{south},{east},{north}") from error
    swapped = shapely.transform(dense, lambda xy: xy[:, ::-1]) if crs.northern_first else dense
    found = to_lonlat(np.array([swapped]), crs)[0]
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise bad_box(f"{west},{south},{east},{north}")
    return found
