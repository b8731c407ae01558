"""Output against benefit: a point an enterprise while there are few, else counts in bins of even width on log scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.overview.members import Members

MOST_POINTS = 2_000
PER_DECADE = 8


def quadrant(members: Members, x: str, y: str) -> dict[str, Any]:
    """Of the members that have both: ``cross`` (medians, and the bases where all share one), ``counts`` of the four
    fields (high: at or above the median), and ``points`` or ``cells``.

    ``points``: {enterprise_id, name, x, y, grade} in id order. ``cells``: [i, j, count], cell i reaching from 10^(i/8)
    to 10^((i+1)/8); null stands for values not above 0. ``hidden`` counts the members of cells too small to show.
    """
    pair = members.board.table.select(pl.col(x, y).gather(pl.Series(members.rows)).cast(pl.Float64))
    usable = pair.select(pl.all_horizontal(pl.all().is_finite().fill_null(False))).to_series().to_numpy()
    rows, first, second = members.rows[usable], *(pair[n].to_numpy()[usable] for n in (x, y))
    members.guard(len(rows))
    found: dict[str, Any] = {"of": len(rows), "missing": int((~usable).sum()), "cross": None, "counts": None}
    found |= {"points": None, "cells": None, "per_decade": PER_DECADE, "hidden": 0}
    if not len(rows):
        return {**found, "points": []}
    middle = float(np.median(first)), float(np.median(second))
    bases = {axis: _base(members, rows, name) for axis, name in (("x", x), ("y", y))}
    found |= {"cross": {"median": dict(zip("xy", map(members.told, middle), strict=True)), "base": bases}}
    found |= {"counts": _fields(first >= middle[0], second >= middle[1])}
    if len(rows) <= MOST_POINTS and members.least == 1:
        return {**found, "points": _points(members, rows, first, second)}
    cells, hidden = _cells(first, second, members.least)
    return {**found, "cells": cells, "hidden": hidden}


def _base(members: Members, rows: np.ndarray, metric: str) -> float | None:
    """The base that all these enterprises are scored against; None where there is none or more than one."""
    name = f"base__{metric}"
    if name not in members.board.table.columns:
        return None
    known = members.board.table[name].gather(rows).drop_nulls().unique()
    return float(known[0]) if len(known) == 1 else None


def _fields(right: np.ndarray, top: np.ndarray) -> dict[str, int]:
    return {
        "high_high": int((right & top).sum()),
        "high_low": int((right & ~top).sum()),
        "low_high": int((~right & top).sum()),
        "low_low": int((~right & ~top).sum()),
    }


def _points(members: Members, rows: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[dict[str, Any]]:
    table = members.board.table
    kept = [c for c in ("enterprise_id", "name", "grade") if c in table.columns]
    frame = table.select(pl.col(kept).gather(pl.Series(rows))).with_columns(x=pl.Series(x), y=pl.Series(y))
    return frame.to_dicts()


def _cells(x: np.ndarray, y: np.ndarray, least: int) -> tuple[list[list[int | None]], int]:
    """Cells in order with their counts, and how many members lie in cells below ``least``."""
    frame = pl.DataFrame({"x": _place(x), "y": _place(y)}).group_by("x", "y").len("count")
    shown = frame.filter(pl.col("count") >= least).sort("x", "y", nulls_last=False)
    hidden = int(frame["count"].sum()) - int(shown["count"].sum())
    return [list(cell) for cell in shown.iter_rows()], hidden


def _place(values: np.ndarray) -> pl.Series:
    """The cell of each value: floor(8 · log₁₀ v); null for values not above 0."""
    above = values > 0
    logs = np.floor(np.log10(np.where(above, values, 1.0)) * PER_DECADE).astype(np.int32)
    return pl.Series(logs).set(pl.Series(~above), None)
