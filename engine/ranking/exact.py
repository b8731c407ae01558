"""Arithmetic whose result depends on no order: means of float64 by whole numbers, and division by columns.

A sum of floats changes with the order in which an engine adds, thread by thread. So the mean of quotients adds their
whole parts and their fractions in units of 10⁻¹⁰ as two Int64 sums and divides once.
"""

from __future__ import annotations

import narwhals as nw

SCALE = 10**10
# Beyond it a quotient is a typing error (10¹² 万元 per mu); it must not overflow the sum of a whole year.
_LIMIT = 1e12


def over(column: nw.Expr, by: int) -> nw.Expr:
    """An integer column ÷ a whole number, rounded once (Polars would divide by a scalar through its reciprocal)."""
    return column.cast(nw.Float64) / (column * 0 + by).cast(nw.Float64)


def mean_sums(name: str, value: nw.Expr) -> dict[str, nw.Expr]:
    """The aggregations whose columns :func:`mean` reads."""
    held = value.clip(-_LIMIT, _LIMIT)
    whole = held.floor()
    part = ((held - whole) * float(SCALE) + 0.5).floor()
    return {
        f"whole__{name}": whole.cast(nw.Int64).sum(),
        f"part__{name}": part.cast(nw.Int64).sum(),
        f"count__{name}": value.count().cast(nw.Int64),
    }


def mean(name: str) -> nw.Expr:
    """The mean over the group, null where no value is known."""
    count = nw.col(f"count__{name}")
    total = nw.col(f"whole__{name}").cast(nw.Float64) + over(nw.col(f"part__{name}"), SCALE)
    return nw.when(count > 0).then(total / count.cast(nw.Float64))
