"""Time in filters: the predicates of CQL2 over instants and intervals (Allen's relations)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from api.ogc.filters.guard import refused
from api.ogc.filters.values import DATE, TEXT, TIMESTAMP, Value, instant

if TYPE_CHECKING:
    from api.ogc.filters.compile import Filter

_FIRST, _LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)


@dataclass(frozen=True)
class Span:
    """A time as start and end (expressions of instants); ``days`` where both are given by the day."""

    start: pl.Expr
    end: pl.Expr
    days: bool

    def fine(self) -> Span:
        """Days as what they last, to be held against instants."""
        if not self.days:
            return self
        return Span(self.start, self.end + pl.duration(days=1) - pl.duration(microseconds=1), False)


Test = Callable[[Span, Span], pl.Expr]
_disjoint: Test = lambda a, b: (a.start > b.end) | (a.end < b.start)  # noqa: E731
PREDICATES: dict[str, Test] = {
    "t_after": lambda a, b: a.start > b.end,
    "t_before": lambda a, b: a.end < b.start,
    "t_disjoint": _disjoint,
    "t_intersects": lambda a, b: ~_disjoint(a, b),
    "t_equals": lambda a, b: (a.start == b.start) & (a.end == b.end),
    "t_contains": lambda a, b: (a.start < b.start) & (a.end > b.end),
    "t_during": lambda a, b: (a.start > b.start) & (a.end < b.end),
    "t_finishes": lambda a, b: (a.start > b.start) & (a.end == b.end),
    "t_finishedby": lambda a, b: (a.start < b.start) & (a.end == b.end),
    "t_meets": lambda a, b: a.end == b.start,
    "t_metby": lambda a, b: a.start == b.end,
    "t_overlaps": lambda a, b: (a.start < b.start) & (a.end > b.start) & (a.end < b.end),
    "t_overlappedby": lambda a, b: (a.start > b.start) & (a.start < b.end) & (a.end > b.end),
    "t_starts": lambda a, b: (a.start == b.start) & (a.end < b.end),
    "t_startedby": lambda a, b: (a.start == b.start) & (a.end > b.end),
}


def compare(over: Filter, op: str, args: list[Any]) -> Value:
    """A temporal predicate as a truth value. PermuError bad_parameter where an argument is no time."""
    left, right = (_span(over, op, arg) for arg in args)
    if left.days != right.days:
        left, right = left.fine(), right.fine()
    return Value("boolean", PREDICATES[op](left, right))


def _span(over: Filter, op: str, arg: Any) -> Span:
    if isinstance(arg, dict) and "interval" in arg:
        if len(arg["interval"]) != 2:
            raise refused("an interval has a start and an end", "区间须有起点和终点")
        start, end = (_end(over, op, part, open_) for part, open_ in zip(arg["interval"], (_FIRST, _LAST), strict=True))
    else:
        start = end = _end(over, op, arg, None)
    given = [value.kind for value in (start, end) if value.kind != "open"]
    return Span(_expr(start), _expr(end), bool(given) and set(given) == {DATE})


def _expr(value: Value) -> pl.Expr:
    return value.expr.cast(pl.Datetime("us"))


def _end(over: Filter, op: str, part: Any, open_: datetime | None) -> Value:
    if part == ".." and open_ is not None:
        return Value("open", pl.lit(open_, dtype=pl.Datetime("us")))
    value = instant(part) if isinstance(part, str) else over.compile(part)
    if value.kind == TEXT and value.is_literal:
        value = instant(value.literal)
    if value.kind not in (DATE, TIMESTAMP):
        raise refused(f"{op} takes times, not {value.kind}", f"{op} 需要时间，而不是 {value.kind}")
    return value
