"""How a metric is spread over a group: counts in bins of even width, the long tails in open bins at both ends."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, log10
from typing import Any

import numpy as np

from engine.overview.members import Members

BINS = 30
_TAILS = (0.01, 0.99)  # what lies beyond is counted in the open bins
_NICE = (Fraction(1), Fraction(2), Fraction(5), Fraction(10))


def distribution(members: Members, metric: str) -> dict[str, Any]:
    """``of`` with a value, ``missing`` without, ``edges`` e₀ < … < eₙ and n + 2 ``counts``: below e₀, each [eᵢ, eᵢ₊₁),
    from eₙ on. Counts sum to ``of``. Edges are whole multiples of a step of 1, 2 or 5 × 10ᵏ."""
    rows, values = members.values(metric)
    found: dict[str, Any] = {"of": len(rows), "missing": len(members.rows) - len(rows), "edges": [], "counts": []}
    members.guard(len(rows))
    if not len(rows):
        return found
    edges = edges_for(values)
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    kept, merged = merge_small(edges, counts.tolist(), members.least)
    return {**found, "edges": kept, "counts": merged}


def edges_for(values: np.ndarray) -> list[float]:
    """About :data:`BINS` edges over the middle 98 % of the values, each the float nearest to its decimal."""
    low, high = (float(q) for q in np.quantile(values, _TAILS))
    step = nice_step((high - low) / BINS if high > low else abs(low) / BINS or 1.0)
    first, last = floor(low / float(step)), ceil(high / float(step))
    return [float(k * step) for k in range(first, max(last, first + 1) + 1)]


def nice_step(width: float) -> Fraction:
    """The smallest of 1, 2, 5 × 10ᵏ that is not below ``width``."""
    power = Fraction(10) ** floor(log10(width))
    return next(n * power for n in _NICE if float(n * power) >= width * (1 - 1e-12))


def merge_small(edges: list[float], counts: list[int], least: int) -> tuple[list[float], list[int]]:
    """Bins joined with the next until each holds ``least`` or nothing; the sum stays."""
    kept: list[float] = []
    merged = [0]
    for place, count in enumerate(counts):
        merged[-1] += count
        last = place == len(counts) - 1
        if not last and (merged[-1] >= least or merged[-1] == 0):
            kept.append(edges[place])
            merged.append(0)
    while len(merged) > 1 and 0 < merged[-1] < least:
        last_one = merged.pop()
        merged[-1] += last_one
        kept.pop()
    return kept, merged
