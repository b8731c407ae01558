"""Figures as the yearly report's template draws them: positions on axes, shares, labels; nothing is drawn here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import floor, log10
from typing import Any

import numpy as np

from engine.overview.distribution import nice_step
from engine.overview.quadrant import PER_DECADE

RATIOS = (0.5, 1.0, 1.5)  # of the base: below half, below it, up to half above it, more


def histogram(found: dict[str, Any], marks: Iterable[tuple[str, float | None]], unit: str) -> dict[str, Any]:
    """A distribution (``edges``, ``counts`` with both open ends) with marks at values, in bins from the left."""
    edges, counts = found["edges"], found["counts"]
    step = float(nice_step(max(max(counts), 4) / 4))
    every = max(1, len(edges) // 8)
    return {
        "counts": counts,
        "yticks": [int(step * k) for k in range(1, int(max(counts) / step) + 1)],
        "xticks": [{"at": n + 1, "label": f"{e:g}"} for n, e in enumerate(edges) if n % every == 0],
        "marks": [{"label": label, "at": place(value, edges)} for label, value in marks if value is not None],
        "unit": unit,
    }


def place(value: float, edges: list[float]) -> float:
    """Where a value lies among bins, the first of which is the open one below ``edges[0]``."""
    n = bisect_right(edges, value)
    if n == 0:
        return 0.5
    if n == len(edges):
        return n + 0.5
    return n + (value - edges[n - 1]) / (edges[n] - edges[n - 1])


def fields(found: dict[str, Any], x: str, y: str, names: tuple[str, str, str, str]) -> dict[str, Any]:
    """Output against benefit as cells (column, row, 0…1 by the logarithm of the count), ticks at powers of ten.

    The first column and row hold values not above 0. ``names``: the fields high-high, high-low, low-high, low-low.
    """
    cells = found["cells"] if found["cells"] is not None else _cells(found["points"])
    low = [min((c[a] for c in cells if c[a] is not None), default=0) for a in (0, 1)]
    high = [max((c[a] for c in cells if c[a] is not None), default=0) for a in (0, 1)]
    most = log10(max((c[2] for c in cells), default=1) + 1)
    middle = found["cross"]["median"]
    counts, whole = found["counts"], max(found["of"], 1)
    return {
        "columns": high[0] - low[0] + 2,
        "rows": high[1] - low[1] + 2,
        "cells": [[_at(c[0], low[0]), _at(c[1], low[1]), log10(c[2] + 1) / most] for c in cells],
        "cross": {axis: _on(middle[axis], low[n], high[n]) for n, axis in enumerate("xy")},
        "xticks": _decades(low[0], high[0]),
        "yticks": _decades(low[1], high[1]),
        "corners": [f"{name} {counts[key]:,} 家（{100 * counts[key] / whole:.1f}%）" for key, name in _corners(names)],
        "x": x,
        "y": y,
    }


def _corners(names: tuple[str, str, str, str]) -> list[tuple[str, str]]:
    """The template's corners: top right, bottom right, top left, bottom left."""
    return list(zip(("high_high", "high_low", "low_high", "low_low"), names, strict=True))


def _cells(points: list[dict[str, Any]]) -> list[list[Any]]:
    """Points counted as the cells of a large group are."""
    found: dict[tuple[int | None, int | None], int] = {}
    for point in points:
        key = (_cell(point["x"]), _cell(point["y"]))
        found[key] = found.get(key, 0) + 1
    return [[*key, count] for key, count in found.items()]


def _cell(value: float) -> int | None:
    return floor(log10(value) * PER_DECADE) if value > 0 else None


def _at(cell: int | None, low: int) -> int:
    return 0 if cell is None else cell - low + 1


def _on(value: float, low: int, high: int) -> float:
    return 0.5 if value <= 0 else float(np.clip(log10(value) * PER_DECADE - low + 1, 0, high - low + 2))


def _decades(low: int, high: int) -> list[dict[str, Any]]:
    first, last = -(-low // PER_DECADE), high // PER_DECADE
    return [{"at": k * PER_DECADE - low + 1, "label": f"{10.0**k:g}"} for k in range(first, last + 1)]


def against(values: np.ndarray, bases: np.ndarray) -> list[int]:
    """How many reach less than half of their base, less than it, up to half above, more; last: those without a value."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = values / bases
    known = ratio[np.isfinite(ratio)]
    parts = np.bincount(np.searchsorted(RATIOS, known, side="right"), minlength=len(RATIOS) + 1)
    return [*parts.tolist(), len(values) - len(known)]
