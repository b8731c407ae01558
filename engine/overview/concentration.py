"""How unevenly land yields: the Lorenz-like curve of a denominator (land) against its numerator (tax).

Enterprises stand in order of numerator ÷ denominator, the least first; the curve joins the running shares of both. It
is convex and ends at (1, 1). Where some have a negative numerator (refunds) it first falls below 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.overview.members import Members
from engine.query.parameters import refuse

POINTS = 200


def concentration(members: Members, metric: str) -> dict[str, Any]:
    """``points`` [[share of denominator, share of numerator] …] from (0, 0) to (1, 1), at most :data:`POINTS` + 1 of
    them at even steps of enterprises; ``gini`` = 1 − 2 × area under the whole curve; ``half``: the share of the
    numerator on the half of the denominator that yields least. None of it where the numerator's sum is not positive.
    """
    one = members.indicator(metric)
    if one is None:
        refuse("by", metric, "a metric that divides one amount by another", "由两个数量相除得到的指标")
    rows, values = members.values(metric)
    found = {
        "of": len(rows),
        "missing": len(members.rows) - len(rows),
        "above": one.numerator,
        "below": one.denominator,
    }
    sums = members.sums(one, rows)
    members.guard(len(rows), *(sums or ()))
    empty: dict[str, Any] = {"gini": None, "half": None, "points": []}
    if sums is None:
        return {**found, **empty, "reason": "no_amounts"}
    order = np.argsort(values, kind="stable")
    x, y = (_running(s.gather(order)) for s in sums[::-1])
    if not len(rows) or y[-1] <= 0 or x[-1] <= 0:
        return {**found, **empty, "reason": "no_positive_sum"}
    x, y = x / x[-1], y / y[-1]
    gini = 1 - float(np.sum(np.diff(x) * (y[1:] + y[:-1])))
    thin = steps(len(rows), members.least)
    points = [[members.told(float(x[i])), members.told(float(y[i]))] for i in thin]
    return {
        **found,
        "gini": members.told(gini),
        "half": members.told(float(np.interp(0.5, x, y))),
        "points": points,
        "reason": None,
    }


def _running(amounts: pl.Series) -> np.ndarray:
    """0 and the running sums, exact until they become floats."""
    sums = amounts.cast(pl.Int128).cum_sum().cast(pl.Float64).to_numpy()
    return np.concatenate([[0.0], sums])


def steps(count: int, least: int) -> list[int]:
    """Which running sums are shown: evenly, at most POINTS + 1, each step of at least ``least`` enterprises."""
    parts = max(1, min(POINTS, count // least))
    return [part * count // parts for part in range(parts + 1)]
