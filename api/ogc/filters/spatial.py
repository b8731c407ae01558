"""Space in filters: by box first, then by shape on what is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import shapely

from api.ogc.boxes import areas
from api.ogc.crs import Crs, to_lonlat
from api.ogc.filters.guard import refused
from api.ogc.filters.values import BOOLEAN, Value
from engine.features import Features

if TYPE_CHECKING:
    from api.ogc.filters.compile import Filter

Predicate = Callable[[Any, Any], Any]
PREDICATES: dict[str, Predicate] = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
    "s_crosses": shapely.crosses,
    "s_within": shapely.within,
    "s_contains": shapely.contains,
    "s_overlaps": shapely.overlaps,
}
_TURNED = {"s_within": "s_contains", "s_contains": "s_within"}


def compare(over: Filter, op: str, args: list[Any]) -> Value:
    """A spatial predicate as a truth value; null where a row has no geometry. PermuError bad_parameter."""
    own = [isinstance(arg, dict) and arg.get("property") == over.geometry for arg in args]
    if all(own):
        found = _itself(over.features, op)
    elif own[1]:
        return compare(over, _TURNED.get(op, op), args[::-1])
    elif own[0]:
        found = holds(over.features, op, shape(args[1], over.crs))
    else:
        return Value(BOOLEAN, pl.lit(bool(PREDICATES[op](shape(args[0], over.crs), shape(args[1], over.crs)))))
    drawn = pl.lit(pl.Series(~over.features.undrawn))
    return Value(BOOLEAN, pl.when(drawn).then(pl.lit(pl.Series(found))))


def holds(features: Features, op: str, other: shapely.Geometry) -> np.ndarray:
    """Mask of the rows whose geometry stands in that relation to a shape in lon/lat."""
    if op == "s_disjoint":
        return ~holds(features, "s_intersects", other)
    near = np.zeros(features.count, dtype=bool)
    if shapely.is_empty(other):
        return near
    rows = np.flatnonzero(features.meeting(*shapely.bounds(other)))
    if len(rows):
        shapely.prepare(other)
        # shapely uses what it prepared of the first argument
        near[rows] = PREDICATES[_TURNED.get(op, op)](other, features.shapes(rows))
    return near


def _itself(features: Features, op: str) -> np.ndarray:
    always = op in ("s_intersects", "s_equals", "s_within", "s_contains")
    return np.full(features.count, always)


def shape(tree: Any, crs: Crs) -> shapely.Geometry:
    """A shape or box of the filter → lon/lat. PermuError bad_parameter where it is none, or lies off the earth."""
    if not isinstance(tree, dict) or not ({"bbox", "type"} & set(tree)):
        raise refused("a spatial function takes the geometry or a shape", "空间函数需要几何属性或图形")
    if "bbox" in tree:
        parts = areas([float(x) for x in tree["bbox"]], crs, json.dumps(tree["bbox"]), "filter")
        return parts[0] if len(parts) == 1 else shapely.union_all(np.array(parts))
    try:
        found = shapely.force_2d(shapely.from_geojson(json.dumps(tree)))
        found = to_lonlat(np.array([found]), crs)[0]
    except (shapely.GEOSException, ValueError, TypeError) as error:
        raise refused(f"not a shape: {str(error)[:100]}", f"不是有效图形：{str(error)[:100]}") from error
    at = shapely.get_coordinates(found)
    if not np.isfinite(at).all() or (np.abs(at) > (180 + 1e-9, 90 + 1e-9)).any():
        raise refused("a coordinate lies outside of the coordinate system", "坐标超出坐标系范围")
    return found if shapely.is_valid(found) else shapely.make_valid(found)
