"""Where an enterprise's indicators stand: against the base it is scored by and the median of each group it is ranked in."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine.query.board import Board
from engine.query.rows import ranked_columns
from engine.ranking.ranks import ALL
from engine.ranking.ranks import GROUPINGS as KEYS

GROUPINGS = {name: tuple(k for k in keys if k != ALL) for name, keys in KEYS.items()}


def standing(board: Board, number: int, least: int = 1) -> list[dict[str, Any]]:
    """A line a metric of the release, the ranked ones first: ``value``, ``base`` and ``points`` (None where it scores
    not) and ``groups``: for each grouping the enterprise's ``key`` in it, ``rank``, ``of``, ``median``.

    Metrics that are not ranked (the items of a score) have their medians, and ranks of None. ``median`` is None in a
    group of fewer than ``least`` with a value.
    """
    row = board.table.row(number, named=True)
    ranked = ranked_columns(board)
    metrics = [m for m in dict.fromkeys([*board.metrics, *board.indicators]) if m in row and not m.endswith("_yuan")]
    groups = [g for g in GROUPINGS if all(row.get(k) is not None for k in GROUPINGS[g])]
    middles = {g: _medians(board, g, tuple(row[k] for k in GROUPINGS[g]), metrics) for g in groups}
    return [
        {
            "metric": m,
            "value": row[m],
            "base": row.get(f"base__{m}"),
            "points": row.get(f"item__{m}"),
            "groups": [
                {
                    "grouping": g,
                    "key": {k: row[k] for k in GROUPINGS[g]},
                    **{k: row.get(f"{k}__{m}__{g}") if g in ranked.get(m, ()) else None for k in ("rank", "of")},
                    **_shown(middles[g][m], least),
                }
                for g in groups
            ],
        }
        for m in metrics
        if m != "land_mu"
    ]


def _shown(middle: tuple[float | None, int], least: int) -> dict[str, Any]:
    median, count = middle
    return {"median": median if count >= least else None, "with_value": count}


def _medians(
    board: Board, grouping: str, key: tuple[str, ...], metrics: list[str]
) -> dict[str, tuple[float | None, int]]:
    """metric → median and count of the values in a group (kept)."""

    def make() -> dict[str, tuple[float | None, int]]:
        table = board.table.lazy()
        for name, code in zip(GROUPINGS[grouping], key, strict=True):
            table = table.filter(pl.col(name) == code)
        values = {m: pl.col(m).filter(pl.col(m).is_finite()) for m in metrics}
        spread = [e for m, v in values.items() for e in (v.median().alias(f"m_{m}"), v.len().alias(f"n_{m}"))]
        found = table.select(spread).collect().row(0, named=True)
        return {m: (found[f"m_{m}"], found[f"n_{m}"]) for m in metrics}

    kept: dict[str, tuple[float | None, int]] = board.cached(
        ("medians", grouping, key), make, lambda found: 200 * len(found)
    )
    return kept
