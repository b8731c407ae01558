"""What a part of a filter is: an expression with its kind, and a literal's value where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from api.ogc.filters.guard import refused
from api.ogc.literals import day
from api.ogc.literals import instant as instant_of

TEXT, NUMBER, BOOLEAN, DATE, TIMESTAMP, ARRAY, GEOMETRY = (
    "text", "number", "boolean", "date", "timestamp", "array", "geometry",
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """An expression over the collection's table; ``literal`` where it is a constant (``is_literal``)."""

    kind: str
    expr: pl.Expr
    literal: Any = None
    is_literal: bool = False


def literal(value: Any) -> Value:
    """A constant of Python as a value."""
    kinds = ((bool, BOOLEAN), (int | float, NUMBER), (str, TEXT), (datetime, TIMESTAMP), (date, DATE))
    for of, kind in kinds:
        if isinstance(value, of):
            dtype = pl.Datetime("us") if kind == TIMESTAMP else None
            return Value(kind, pl.lit(value, dtype=dtype), value, True)
    raise refused(f"{value!r:.60} is no literal", f"{value!r:.60} 不是字面值")


def kind_of(dtype: pl.DataType) -> str:
    """The kind of a column's type."""
    if dtype.is_numeric():
        return NUMBER
    if dtype == pl.Boolean:
        return BOOLEAN
    if dtype == pl.Date:
        return DATE
    if isinstance(dtype, pl.Datetime):
        return TIMESTAMP
    return ARRAY if isinstance(dtype, pl.List) else TEXT


def as_date(text: str) -> Value:
    """A day; PermuError bad_parameter."""
    try:
        return literal(day(text))
    except ValueError as error:
        raise refused(
            f"{text[:40]!r} is no day like 2024-12-31", f"{text[:40]!r} 不是 2024-12-31 形式的日期"
        ) from error


def as_timestamp(text: str) -> Value:
    """An instant of UTC, to the microsecond; PermuError bad_parameter."""
    try:
        return literal(instant_of(text, zoned=False))
    except ValueError as error:
        raise refused(
            f"{text[:40]!r} is no instant like 2024-12-31T23:59:59Z",
            f"{text[:40]!r} 不是 2024-12-31T23:59:59Z 形式的时刻",
        ) from error


def instant(text: str) -> Value:
    """A day or an instant, by its length."""
    return as_date(text) if len(text) == len("2024-12-31") else as_timestamp(text)


def aligned(left: Value, right: Value) -> tuple[Value, Value]:
    """Two values of one kind: a text beside a time is read as one, a day beside an instant is its midnight.

    Raises:
        PermuError: ``bad_parameter`` where they cannot be compared.
    """
    left, right = _timed(left, right.kind), _timed(right, left.kind)
    if {left.kind, right.kind} == {DATE, TIMESTAMP}:
        left, right = _midnight(left), _midnight(right)
    if left.kind != right.kind:
        raise refused(f"{left.kind} cannot be compared with {right.kind}", f"{left.kind} 与 {right.kind} 不能比较")
    return left, right


def _timed(value: Value, other: str) -> Value:
    if value.kind == TEXT and value.is_literal and other in (DATE, TIMESTAMP):
        return as_date(value.literal) if other == DATE else as_timestamp(value.literal)
    return value


def _midnight(value: Value) -> Value:
    if value.kind == TIMESTAMP:
        return value
    return Value(TIMESTAMP, value.expr.cast(pl.Datetime("us")))


def need(value: Value, kind: str, what: str) -> Value:
    """The value, which must be of a kind."""
    if value.kind != kind:
        raise refused(f"{what} takes {kind}, not {value.kind}", f"{what} 需要 {kind}，而不是 {value.kind}")
    return value
