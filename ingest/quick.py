"""Columns as they mostly come, typed in one cheap pass; only the cells that need more take the long way.

Every function here answers exactly what cleaning and :mod:`ingest.columns` answer for the same cells (a test holds
them together): a cheap test first finds the cells of which that is certain.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import polars as pl

from ingest.columns import Typed
from ingest.ids import valid_uscc
from ingest.values import EMPTY_MARKS

Slow = Callable[[pl.Series], Typed]

# Characters that NFKC leaves as they are: printable ASCII and the unified ideographs.
_PLAIN = "!-~一-鿿"
_MARKS = "|".join(
    "".join(c if c.isalnum() else f"\\x{{{ord(c):x}}}" for c in m) for m in sorted(EMPTY_MARKS, key=len, reverse=True)
)
# What a total row's name ends in: 合计, 合计数, total, subtotal, sum, each with or without a colon.
TOTAL_ENDS = "[计数:：lLmM]$"
_UNSURE = {
    "name": f"[^{_PLAIN}]|^(?i:{_MARKS})$|{TOTAL_ENDS}",
    "text": f"[^ {_PLAIN}]|^ | $|^(?i:{_MARKS})$|{TOTAL_ENDS}",
    "account": f"[^0-9A-Z]|^(?i:{_MARKS})$|{TOTAL_ENDS}",
}
# Beyond it a float's rounding could reach the halves: 2^44 units, of which a float still holds 1/256.
_FLOAT_LIMIT, _NEAR_HALF, _TINY = float(1 << 44), 1 / 32, 1e-6
# A factor above it lifts the thirteenth decimal, which the exact way drops, into sight.
_FACTOR_LIMIT = 10**9
_LOOKED, _FEW = 1000, 250


def words(kind: str, cells: pl.Series, slow: Slow) -> tuple[Typed, np.ndarray]:
    """Names, texts, accounts; also the positions at which a total's name could stand."""
    unsure = cells.str.contains(_UNSURE[kind])
    at = unsure.fill_null(False).arg_true()
    return (Typed(cells) if at.len() == 0 else _patched(cells, at, slow)), at.to_numpy()


def uscc(cells: pl.Series, slow: Slow) -> Typed:
    """Codes whose check character is right as they stand; the rest may be old ids, or wrong."""
    at = (~valid_uscc(cells) & cells.is_not_null()).arg_true()
    return Typed(cells) if at.len() == 0 else _patched(cells, at, slow)


def amount(cells: pl.Series, factor: Fraction, negative: bool, slow: Slow) -> Typed:
    """Through a float where its error cannot change the rounded integer, else the exact way."""
    if factor > _FACTOR_LIMIT:
        return slow(cells)
    numbers = cells.cast(pl.Float64, strict=False).to_numpy()
    with np.errstate(all="ignore"):
        scaled = numbers * factor.numerator / factor.denominator if factor != 1 else numbers
        size, whole = np.abs(scaled), np.rint(scaled)
        sure = (size < _FLOAT_LIMIT) & (np.abs(scaled - whole) < 0.5 - _NEAR_HALF) & ((size > _TINY) | (size == 0))
        if not negative:
            sure &= scaled >= 0
        values = pl.Series(cells.name, np.where(sure, whole, 0).astype(np.int64))
    if sure.all():
        return Typed(values)
    empty = cells.is_null()
    values = values.set(empty, None) if empty.any() else values
    at = (~pl.Series(sure) & ~empty).arg_true()
    return Typed(values) if at.len() == 0 else _patched(cells, at, slow, values)


def by_distinct(cells: pl.Series, slow: Slow) -> Typed:
    """Months, shares, regions: typed once per distinct text where there are few of them."""
    if len(cells) < _LOOKED or (few := cells.head(_LOOKED).n_unique()) > _FEW:
        return slow(cells)
    if few == 1 and cells.eq_missing(cells[0]).all():
        # Files are often sorted by month.
        return _gathered(slow(cells.head(1)), pl.Series([0], dtype=pl.UInt32).new_from_index(0, len(cells)))
    distinct = cells.unique()
    if distinct.len() > len(cells) // 4:
        return slow(cells)
    order = pl.int_range(distinct.len(), dtype=pl.UInt32, eager=True)
    return _gathered(slow(distinct), cells.replace_strict(distinct, order, return_dtype=pl.UInt32))


def _gathered(typed: Typed, place: pl.Series) -> Typed:
    """What was typed once per distinct text, for every row."""
    return Typed(
        typed.values.gather(place),
        [(code, mask.gather(place)) for code, mask in typed.problems],
        {name: values.gather(place) for name, values in typed.also.items()},
    )


def _patched(cells: pl.Series, at: pl.Series, slow: Slow, values: pl.Series | None = None) -> Typed:
    """``values`` (else the cells themselves) with the cells ``at`` typed the long way."""
    rest = slow(cells.gather(at))
    whole = cells.clone() if values is None else values

    def spread(series: pl.Series, fill: object) -> pl.Series:
        empty = pl.Series(series.name, [fill], dtype=series.dtype).new_from_index(0, len(cells))
        return empty.scatter(at, series)

    return Typed(
        whole.scatter(at, rest.values),
        [(code, spread(mask, False)) for code, mask in rest.problems],
        {n: spread(s, False if s.dtype == pl.Boolean else None) for n, s in rest.also.items()},
    )
