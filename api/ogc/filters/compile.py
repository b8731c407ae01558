"""The tree of a filter → a Polars expression over the queryables, with the three values of logic that CQL2 asks for."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from api.ogc.crs import DEFAULT, Crs
from api.ogc.filters import arrays, spatial, temporal, words
from api.ogc.filters.guard import refused
from api.ogc.filters.values import (
    BOOLEAN,
    GEOMETRY,
    NUMBER,
    TEXT,
    Value,
    aligned,
    as_date,
    as_timestamp,
    kind_of,
    literal,
    need,
)
from engine.features import Features

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
    "^": operator.pow,
}  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """What a filter is compiled over: features, the columns that may be asked, the geometry's name, filter-crs."""

    features: Features
    queryables: tuple[str, ...]
    geometry: str = "geometry"
    crs: Crs = DEFAULT

    def compile(self, tree: Any) -> Value:
        """A part of the tree as a value. PermuError bad_parameter where it is none over these queryables."""
        if not isinstance(tree, dict):
            return literal(tree)
        if "property" in tree:
            return self._property(tree["property"])
        if "date" in tree:
            return as_date(tree["date"])
        if "timestamp" in tree:
            return as_timestamp(tree["timestamp"])
        if "op" not in tree:
            raise refused("an interval or a shape stands alone", "区间或图形不能单独出现")
        return self._operation(str(tree["op"]), tree["args"])

    def _property(self, name: str) -> Value:
        if name == self.geometry:
            return Value(GEOMETRY, pl.lit(pl.Series(~self.features.undrawn)))
        if name not in self.queryables:
            shown = ", ".join(self.queryables[:40])
            raise refused(
                f"no queryable {name[:60]!r}: there are {shown}", f"没有可查询属性 {name[:60]!r}：现有 {shown}"
            )
        return Value(kind_of(self.features.schema[name]), pl.col(name))

    def _operation(self, op: str, args: list[Any]) -> Value:
        """One entry of the families of operators."""
        lowered = op.lower()
        if op in _COMPARE:
            left, right = self._pair(op, args)
            return self._compared(op, self.compile(left), self.compile(right))
        if lowered in ("and", "or"):
            parts = [need(self.compile(arg), BOOLEAN, op).expr for arg in args]
            return Value(BOOLEAN, (pl.all_horizontal if lowered == "and" else pl.any_horizontal)(parts))
        if op in _ARITHMETIC or lowered == "div":
            return self._calculated(lowered, [need(self.compile(a), NUMBER, op) for a in self._pair(op, args)])
        if lowered in spatial.PREDICATES:
            return spatial.compare(self, lowered, self._pair(op, args))
        if lowered in temporal.PREDICATES:
            return temporal.compare(self, lowered, self._pair(op, args))
        if lowered in arrays.PREDICATES:
            return arrays.compare(self, lowered, self._pair(op, args))
        return self._other(lowered, args)

    def _other(self, op: str, args: list[Any]) -> Value:
        if op == "not" and len(args) == 1:
            return Value(BOOLEAN, ~need(self.compile(args[0]), BOOLEAN, op).expr)
        if op == "isnull" and len(args) == 1:
            return self._missing(self.compile(args[0]))
        if op == "between" and len(args) == 3:
            value, low, high = map(self.compile, args)
            return Value(BOOLEAN, self._compared(">=", value, low).expr & self._compared("<=", value, high).expr)
        if op == "in" and len(args) == 2 and isinstance(args[1], list):
            return self._within(self.compile(args[0]), args[1])
        if op == "like" and len(args) == 2:
            return words.like(need(self.compile(args[0]), TEXT, op), need(self.compile(args[1]), TEXT, op))
        if op in words.FOLDS and len(args) == 1:
            return words.folded(op, need(self.compile(args[0]), TEXT, op))
        raise refused(f"no function or operator {op[:40]!r} with {len(args)} arguments", f"没有函数或运算 {op[:40]!r}")

    def _pair(self, op: str, args: list[Any]) -> list[Any]:
        if len(args) != 2:
            raise refused(f"{op} takes two arguments, not {len(args)}", f"{op} 需要两个参数，而不是 {len(args)} 个")
        return args

    def _missing(self, value: Value) -> Value:
        return Value(BOOLEAN, ~value.expr if value.kind == GEOMETRY else value.expr.is_null())

    def _compared(self, op: str, left: Value, right: Value) -> Value:
        if GEOMETRY in (left.kind, right.kind):
            raise refused(f"shapes are not compared by {op}: use S_EQUALS", f"图形不能用 {op} 比较，请用 S_EQUALS")
        left, right = aligned(left, right)
        if left.kind == "array":
            raise refused(f"arrays are not compared by {op}: use A_EQUALS", f"数组不能用 {op} 比较，请用 A_EQUALS")
        return Value(BOOLEAN, _COMPARE[op](left.expr, right.expr))

    def _calculated(self, op: str, pair: list[Value]) -> Value:
        """In doubles; a division by zero has no value. ``div`` cuts towards zero."""
        left, right = (value.expr.cast(pl.Float64) for value in pair)
        if op in ("/", "%", "div"):
            right = pl.when(right != 0).then(right)
        found = (left / right).sign() * (left / right).abs().floor() if op == "div" else _ARITHMETIC[op](left, right)
        if op == "%":  # the sign of what is divided, as in SQL
            found = left - right * (left / right).sign() * (left / right).abs().floor()
        return Value(NUMBER, pl.when(found.is_finite()).then(found))

    def _within(self, value: Value, items: list[Any]) -> Value:
        found = [aligned(value, self.compile(item)) for item in items]
        if all(right.is_literal for _, right in found) and len({left.kind for left, _ in found}) == 1:
            values = pl.Series([right.literal for _, right in found], strict=False)
            if found[0][0].kind != NUMBER:
                return Value(BOOLEAN, found[0][0].expr.is_in(values.implode()))
            return Value(BOOLEAN, found[0][0].expr.cast(pl.Float64).is_in(values.cast(pl.Float64).implode()))
        return Value(BOOLEAN, pl.any_horizontal([left.expr == right.expr for left, right in found]))


def mask(over: Filter, tree: Any) -> np.ndarray:
    """Which rows the filter holds for (null is not true). PermuError bad_parameter."""
    try:
        value = need(over.compile(tree), BOOLEAN, "a filter")
        found = over.features.table.lazy().select(value.expr.fill_null(False).alias("holds")).collect()["holds"]
    except (pl.exceptions.PolarsError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise refused(f"cannot be answered: {said}", f"无法执行：{said}") from error
    held: np.ndarray = found.to_numpy()
    return np.repeat(held, over.features.count) if len(held) != over.features.count else held
