"""Which features answer a question: masks over the rows, one condition after the other."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import numpy as np
import polars as pl
import shapely

from api.ogc.collections import Collection
from api.ogc.filters import mask
from api.ogc.filters.compile import Filter
from api.ogc.filters.values import NUMBER, Value, aligned, kind_of, literal
from api.ogc.literals import number
from api.ogc.question import Question, bad
from api.ogc.shelf import Shelf
from engine.features import Features


def find(shelf: Shelf, collection: Collection, asked: Question) -> np.ndarray:
    """The numbers of the rows that answer, in order. Answers to filters are kept for the pages that follow."""
    features = collection.features()
    if asked.tree is None and not asked.equal:
        return _rows(features, collection, asked)
    return shelf.rows((features.folder, asked.identity), partial(_rows, features, collection, asked))


def _rows(features: Features, collection: Collection, asked: Question) -> np.ndarray:
    held = np.ones(features.count, dtype=bool)
    if asked.areas:
        held &= within(features, asked.areas)
    if asked.span:
        held &= during(features, collection, asked.span)
    for name, value in asked.equal.items():
        held &= equal(features, name, value)
    if asked.tree is not None:
        over = Filter(features, collection.queryables(), collection.geometry, asked.filter_crs)
        held &= mask(over, asked.tree)
    return np.flatnonzero(held)


def within(features: Features, areas: tuple[shapely.Geometry, ...]) -> np.ndarray:
    """Mask: the geometry meets one of the areas, or there is none (such rows match every bbox, as the standard's
    test asks)."""
    found = np.array(features.undrawn)
    for area in areas:
        near = features.meeting(*shapely.bounds(area))
        if not _is_box(area):
            found |= _exactly(features, area, near)
            continue
        # A geometry whose box lies wholly within meets it; only those on the edge are looked at.
        west, south, east, north = shapely.bounds(area)
        b = features.boxes
        inside = near & (b[:, 0] >= west) & (b[:, 2] <= east) & (b[:, 1] >= south) & (b[:, 3] <= north)
        found |= inside | _exactly(features, area, near & ~inside)
    return found


def _is_box(area: shapely.Geometry) -> bool:
    return area.geom_type == "Polygon" and len(area.exterior.coords) == 5 and bool(area.equals(area.envelope))


def _exactly(features: Features, area: shapely.Geometry, near: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(near)
    found = np.zeros(features.count, dtype=bool)
    if len(rows):
        shapely.prepare(area)
        found[rows] = shapely.intersects(area, features.shapes(rows))
    return found


def year_span(year: int) -> tuple[datetime, datetime]:
    """The first and the last second of a year."""
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)


def during(features: Features, collection: Collection, span: tuple[datetime, datetime]) -> np.ndarray:
    """Mask: the feature's time meets the span; features without a time match."""
    low, high = span
    if collection.year is not None:
        first, last = year_span(collection.year)
        return np.full(features.count, first <= high and last >= low)
    if collection.times is None:
        return np.ones(features.count, dtype=bool)
    start, end = (pl.col(c).cast(pl.Datetime("us")) for c in collection.times)
    earliest, latest = (pl.lit(t.replace(tzinfo=None), dtype=pl.Datetime("us")) for t in span)
    timed = start.is_not_null() | end.is_not_null()
    meets = (start <= latest).fill_null(True) & (end >= earliest).fill_null(True)
    found: np.ndarray = features.table.select((~timed | meets).alias("m"))["m"].to_numpy()
    return found


def equal(features: Features, name: str, value: str) -> np.ndarray:
    """Mask: the property has that value (a parameter named as a queryable)."""
    dtype = features.schema[name]
    column, kind = pl.col(name), kind_of(dtype)
    if isinstance(dtype, pl.List):
        condition = column.list.contains(value)
    elif kind == NUMBER:
        condition = column == _number(name, value)
    elif dtype == pl.Boolean:
        if value not in ("true", "false"):
            raise bad(name, value, "true or false", "true 或 false")
        condition = column == (value == "true")
    else:
        left, right = aligned(Value(kind, column), literal(value))
        condition = left.expr == right.expr
    found: np.ndarray = features.table.select(condition.fill_null(False).alias("m"))["m"].to_numpy()
    return found


def _number(name: str, value: str) -> float:
    try:
        return number(value)
    except ValueError as error:
        raise bad(name, value, "a finite number", "须为有限数字") from error
