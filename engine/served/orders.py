"""Orders of the rows by a metric: of everybody, and within every group of every level, as whole numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

from engine.served.layout import UNRANKED


def global_ranks(table: pl.DataFrame, metric: str) -> np.ndarray:
    """The stored rank of each row among all (uint32), :data:`UNRANKED` where it has none."""
    return table[f"rank__{metric}__all"].cast(pl.UInt32).fill_null(UNRANKED).to_numpy()


def ranks_by_value(values: pl.Series) -> np.ndarray:
    """The rank of each row among all by a column of numbers; missing, NaN and infinite values have none."""
    usable = values.is_finite().fill_null(False).to_numpy()
    ranks = np.full(len(values), UNRANKED, dtype=np.uint32)
    ranks[usable] = competition_ranks(values.filter(pl.Series(usable)).to_numpy())
    return ranks


def competition_ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, the greatest first, equal values share the better rank; no NaN among them."""
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    place = np.where(first, np.arange(1, len(values) + 1, dtype=np.int32), 0)
    rank = np.empty(len(values), dtype=np.int32)
    rank[order] = np.maximum.accumulate(place)
    return rank


def by_rank(ranks: np.ndarray) -> np.ndarray:
    """Row numbers best first, ties by row number, those without a rank last.

    Two passes over 16 bits each: numpy sorts those by counting, four times as fast as 32 bits by comparing.
    """
    low = np.argsort((ranks & 0xFFFF).astype(np.uint16), kind="stable").astype(np.uint32)
    high = np.argsort((ranks >> 16).astype(np.uint16)[low], kind="stable")
    return low[high]


def by_group(order: np.ndarray, group: np.ndarray) -> np.ndarray:
    """An order cut into its groups (``group`` of each row, uint16), the groups one behind the other."""
    return order[np.argsort(group[order], kind="stable")]


def starts(group: np.ndarray, groups: int) -> list[int]:
    """Where each group begins in :func:`by_group`, and where the last one ends."""
    return [0, *np.cumsum(np.bincount(group, minlength=groups)).tolist()]
