"""The score of one item by its form, as expressions over columns: one place for the pipeline, trials and judges.

Every function gives null where the value, or what it is measured by, is null: what a missing value scores is the rule of
the item, not of its form. Factors are Python floats, so that no engine divides by a scalar.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import narwhals as nw

from engine.policy.scoring import Item


def item_score(item: Item, value: nw.Expr, base: nw.Expr, low: nw.Expr, high: nw.Expr) -> nw.Expr:
    """Points of ``value`` by the item's form; ``base`` serves ratio and inverse, ``low`` and ``high`` minmax."""
    weight = float(item.weight or 0)
    match item.form:
        case "ratio":
            floor, cap = (None if x is None else float(x) for x in (item.floor, item.cap))
            return ratio(value, base, weight, floor, cap)
        case "minmax_20_80":
            return minmax(value, low, high, weight, least=20, most=100)
        case "inverse":
            return inverse(value, base, weight)
        case "rank_only":
            return value


def ratio(
    value: nw.Expr, base: nw.Expr, weight: float, floor: float | None = None, cap: float | None = None
) -> nw.Expr:
    """weight · value ÷ base, held between ``floor`` and ``cap`` (multiples of the weight) where they are given."""
    points = value / base * weight
    if floor is not None:
        points = nw.when(points < floor * weight).then(nw.lit(floor * weight)).otherwise(points)
    if cap is not None:
        points = nw.when(points > cap * weight).then(nw.lit(cap * weight)).otherwise(points)
    return points


def minmax(
    value: nw.Expr, low: nw.Expr, high: nw.Expr, weight: float, *, least: float, most: float, less: bool = False
) -> nw.Expr:
    """``least`` per cent of the weight at the worst value to ``most`` at the best (旌德 2022: 20 to 100).

    Where all values are equal nobody is worse than another: ``most``.
    """
    part = ((high - value) if less else (value - low)) / (high - low)
    points = part * (weight * (most - least) / 100) + weight * least / 100
    alone = nw.when(~value.is_null() & (high == low)).then(nw.lit(weight * most / 100))
    return nw.when(high > low).then(points).otherwise(alone)


def inverse(value: nw.Expr, average: nw.Expr, weight: float) -> nw.Expr:
    """Less is better: (2 − value ÷ average) · weight ÷ 2, all of it at 0 or below, none at twice the average or above."""
    points = (value / average * -1.0 + 2.0) * (weight / 2)
    within = nw.when(points > weight).then(nw.lit(weight)).otherwise(points)
    return nw.when(points < 0).then(nw.lit(0.0)).otherwise(within)


def weighted_sum(parts: Iterable[nw.Expr]) -> nw.Expr:
    """The sum of item scores from left to right, null where one is: the order is the pack's, on every engine."""
    return reduce(lambda a, b: a + b, parts)
