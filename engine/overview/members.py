"""Whom an overview is about: the members of a group that the filters leave, and how few a figure may stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.policy.indicators import Indicator
from engine.query.amounts import amounts
from engine.query.board import Board
from engine.query.page import kept
from engine.query.selection import Selection
from engine.schema.errors import PermuError

LARGEST_SHARE = (85, 100)  # of a sum that is shown to the public, that one firm may hold (docs/rights.md)


@dataclass(frozen=True)
class Members:
    """Rows of a board (numbers in id order), and the fewest enterprises that a shown figure may stand for.

    ``least`` is 1 for who may see single enterprises, 5 for the public: bins and points are merged up to it.
    """

    board: Board
    rows: np.ndarray
    least: int = 1

    @classmethod
    def of(cls, board: Board, selection: Selection, least: int = 1) -> Members:
        """The members of the group asked that the filters leave."""
        rows = board.members(selection.members)
        return cls(board, rows[kept(board, selection, rows)], least)

    def values(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the rows that have a value of a metric, and those values; NaN and infinite ones are none."""
        picked = self.board.table[metric].gather(self.rows).cast(pl.Float64)
        usable = picked.is_finite().fill_null(False)
        return self.rows[usable.to_numpy()], picked.filter(usable).to_numpy()

    def sums(self, one: Indicator, rows: np.ndarray) -> tuple[pl.Series, pl.Series] | None:
        """Numerator and denominator (Int64, smallest units) of an indicator; None where the release holds them not."""
        held = amounts(self.board)
        if not {one.numerator, one.denominator} <= set(held.columns):
            return None
        return held[one.numerator].gather(rows), held[one.denominator].gather(rows)

    def guard(self, of: int, *amounts: pl.Series) -> None:
        """``too_few_members`` where the sums of these amounts over ``of`` enterprises would tell of single ones."""
        if self.least > 1 and of and (of < self.least or any(map(dominated, amounts))):
            raise too_few(of, self.least)

    def told(self, value: float) -> float:
        """A figure as it is shown: to three digits for the public, as a median may be one firm's own figure."""
        return value if self.least == 1 else float(f"{value:.3g}")

    def indicator(self, metric: str) -> Indicator | None:
        """What a metric divides; None for the score and for amounts."""
        return self.board.release.pack.policy.all_indicators.get(metric)


def dominated(amounts: pl.Series) -> bool:
    """Whether one enterprise holds more than 85 % of the sum (compared in whole numbers)."""
    held = pl.DataFrame({"held": amounts.cast(pl.Int128).abs()}).drop_nulls()
    most, every = held.select(pl.col("held").max().alias("most"), pl.col("held").sum().alias("every")).row(0)
    return most is not None and most * LARGEST_SHARE[1] > every * LARGEST_SHARE[0]


def too_few(of: int, least: int) -> PermuError:
    """Why a figure of so few enterprises is not shown."""
    return PermuError(
        "too_few_members",
        f"figures of these {of} enterprises would tell of single ones (fewer than {least}, or one holds more than "
        f"{LARGEST_SHARE[0]} %): widen the group",
        f"这 {of} 家企业的数据可能暴露单个企业（不足 {least} 家，或一家占比超过 {LARGEST_SHARE[0]}%），不予显示：请扩大范围",
    )
