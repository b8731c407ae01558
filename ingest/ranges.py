"""Declared ranges: values that no true record can have (a parcel of 3,000 km², a plot ratio of 900)."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import polars as pl

from ingest.declarations import Bound, Field, default_unit


def outside(name: str, declared: Field, values: pl.Series) -> pl.Series | None:
    """Which ``values`` (typed, smallest unit) lie outside the field's declared range; None where it declares none."""
    if declared.range is None:
        return None
    factor = default_unit(name, declared).factor if declared.type in ("amount", "share") else Fraction(1)
    low, high = (_typed(bound, factor, declared) for bound in declared.range)
    wrong = pl.Series([False]).new_from_index(0, values.len())
    if low is not None:
        wrong = wrong | (values < low)
    if high is not None:
        wrong = wrong | (values > high)
    return wrong.fill_null(False)


def _typed(bound: Bound, factor: Fraction, declared: Field) -> int | float | dt.date | None:
    if bound is None or isinstance(bound, dt.date) or declared.type == "number":
        return bound
    return round(Fraction(str(bound)) * factor)
