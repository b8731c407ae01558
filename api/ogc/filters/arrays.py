"""Arrays in filters: a list column against a list of literals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from api.ogc.filters.guard import refused
from api.ogc.filters.values import ARRAY, BOOLEAN, Value

if TYPE_CHECKING:
    from api.ogc.filters.compile import Filter

_SWAPPED = {"a_contains": "a_containedby", "a_containedby": "a_contains"}
PREDICATES: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "a_contains": lambda a, b: b.list.set_difference(a).list.len() == 0,
    "a_containedby": lambda a, b: a.list.set_difference(b).list.len() == 0,
    "a_equals": lambda a, b: a.list.set_symmetric_difference(b).list.len() == 0,
    "a_overlaps": lambda a, b: a.list.set_intersection(b).list.len() > 0,
}


def compare(over: Filter, op: str, args: list[Any]) -> Value:
    """Two arrays as sets; at least one of them a queryable."""
    if isinstance(args[0], list) and not isinstance(args[1], list):
        return compare(over, _SWAPPED.get(op, op), args[::-1])
    left = over.compile(args[0]) if isinstance(args[0], dict) else None
    if left is None or left.kind != ARRAY:
        raise refused(f"{op} takes a queryable that is an array", f"{op} 需要数组类型的可查询属性")
    if isinstance(args[1], list):
        items = [over.compile(item) for item in args[1]]
        if not all(isinstance(item.literal, str) for item in items):
            raise refused(f"{op}: the items are texts", f"{op}：数组元素须为文本")
        right = pl.lit(pl.Series([[item.literal for item in items]], dtype=pl.List(pl.String))).first()
    else:
        other = over.compile(args[1])
        if other.kind != ARRAY:
            raise refused(f"{op} takes two arrays", f"{op} 需要两个数组")
        right = other.expr
    return Value(BOOLEAN, PREDICATES[op](left.expr, right))
