"""Totals of one group of enterprises for many draws of weights and bases, by the arithmetic of the ranking itself.

The same operations on float64 in the same order as engine.ranking.forms and engine.ranking.scores, so that a draw of the
pack's own weights gives the release's totals bit by bit (tested for every form and missing rule). What a draw does not
vary stays as the release has it: ranges of minmax, bonuses and deductions in points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.policy.scoring import Group, Item, Score
from engine.ranking.scores import SCORE_SCALE
from engine.whatif.draws import Draws

_LIMIT = 9e8  # as engine.ranking.scores: what Int64 holds at the scale of totals
_MEAN_LIMIT = 1e12  # as engine.ranking.exact
NO_TOTAL = -(2**63) + 1  # below every total: nothing that an enterprise has carries a weight


@dataclass(frozen=True)
class Column:
    """One item of a group: its rule, and per enterprise the value, what it is measured by, and who has none.

    ``places`` are the codes of the places over which a missing value's average runs.
    """

    item: Item
    value: np.ndarray
    base: np.ndarray
    quotient: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, name: str, item: Item, rows: pl.DataFrame, places: np.ndarray) -> Column:
        """From the columns of the rankings table; an enterprise without a value is given 0 and remembered."""

        def numbers(column: str, otherwise: float) -> np.ndarray:
            if column not in rows.columns:
                return np.full(rows.height, otherwise)
            return rows[column].fill_null(otherwise).to_numpy()

        value, base = numbers(name, 0.0), numbers(f"base__{name}", 1.0)
        low, high = numbers(f"low__{name}", 0.0), numbers(f"high__{name}", 0.0)
        return cls(item, value, base, value / base, low, high, rows[name].is_null().to_numpy(), places)

    @property
    def leaves(self) -> bool:
        """Whether a missing value leaves its weight to the other items."""
        return self.item.missing == "exclude_reweight"

    def points(self, weight: np.ndarray, factor: np.ndarray | None) -> np.ndarray:
        """Points, draws × enterprises, of weights and factors of the base (draws × 1; None: as it is)."""
        found = self._by_form(weight, factor)
        if self.missing.any():
            found[:, self.missing] = self._instead(found)
        return found

    def _by_form(self, weight: np.ndarray, factor: np.ndarray | None) -> np.ndarray:
        match self.item.form:
            case "ratio":
                return self._limited(self._quotient(factor) * weight, weight)
            case "inverse":
                part: np.ndarray = (self._quotient(factor) * -1.0 + 2.0) * (weight / 2)
                return np.clip(part, 0.0, weight, out=part)
            case "minmax_20_80":
                width = np.where(self.high > self.low, self.high - self.low, 1.0)
                points = (self.value - self.low) / width * (weight * 80 / 100) + weight * 20 / 100
                return np.where(self.high > self.low, points, weight * 100 / 100)
            case "rank_only":
                return np.repeat(self.value[None, :], len(weight), axis=0)

    def _quotient(self, factor: np.ndarray | None) -> np.ndarray:
        return self.quotient if factor is None else self.value / (self.base * factor)

    def _limited(self, points: np.ndarray, weight: np.ndarray) -> np.ndarray:
        if self.item.floor is not None:
            np.maximum(points, float(self.item.floor) * weight, out=points)
        if self.item.cap is not None:
            np.minimum(points, float(self.item.cap) * weight, out=points)
        return points

    def _instead(self, points: np.ndarray) -> np.ndarray | float:
        """What those score who have no value."""
        match self.item.missing:
            case "penalty":
                return float(self.item.penalty or 0)
            case "group_average_score":
                return self._averages(points)[:, self.missing]
        return 0.0

    def _averages(self, points: np.ndarray) -> np.ndarray:
        """For everyone the mean points of the place, summed as engine.ranking.exact sums; 0 where nobody has any."""
        found = np.zeros_like(points)
        for place in np.unique(self.places[self.missing]):
            here = self.places == place
            known = np.clip(points[:, here & ~self.missing], -_MEAN_LIMIT, _MEAN_LIMIT)
            whole = np.floor(known)
            part = np.floor((known - whole) * float(SCORE_SCALE) + 0.5)
            if known.shape[1]:
                total = whole.astype(np.int64).sum(axis=1).astype(float)
                total += part.astype(np.int64).sum(axis=1) / float(SCORE_SCALE)
                found[:, here] = (total / known.shape[1])[:, None]
        return found


def totals(
    score: Score, group: Group, rows: pl.DataFrame, places: np.ndarray, draws: Draws
) -> Callable[[slice], np.ndarray]:
    """A function from draws to the Int64 totals (10⁻¹⁰ points, draws × enterprises) on which ``rows`` are ranked."""
    columns = [Column.of(name, item, rows, places) for name, item in group.items.items()]
    signs = {"bonus": 1.0, "deduction": -1.0} if score.extras else {}
    extras = [rows[name].to_numpy() * sign for name, sign in signs.items()]
    varied = bool((draws.factors != 1.0).any())

    def of(block: slice) -> np.ndarray:
        weights, factors = draws.weights[block].T[:, :, None], draws.factors[block].T[:, :, None]
        total = columns[0].points(weights[0], factors[0] if varied else None)
        for column, weight, factor in zip(columns[1:], weights[1:], factors[1:], strict=True):
            total += column.points(weight, factor if varied else None)
        there = _reweight(total, columns, weights) if any(c.leaves for c in columns) else None
        for extra in extras:
            total += extra
        whole = _whole(total, score.rounding_digits)
        return whole if there is None else np.where(there > 0, whole, NO_TOTAL)

    return of


def _reweight(total: np.ndarray, columns: list[Column], weights: np.ndarray) -> np.ndarray:
    """``total`` in place: Σ of what is there × 100 ÷ its weights; gives these weights."""
    there = np.zeros_like(total)
    for column, weight in zip(columns, weights, strict=True):
        there += np.where(column.missing, 0.0, weight) if column.leaves else weight
    total *= 100.0
    np.divide(total, there, out=total, where=there > 0)
    return there


def _whole(total: np.ndarray, digits: int | None) -> np.ndarray:
    """As integers of 10⁻¹⁰, rounded half up to ``digits`` where the pack rounds before ranking."""
    np.clip(total, -_LIMIT, _LIMIT, out=total)
    total *= float(SCORE_SCALE if digits is None else 10**digits)
    total += 0.5
    whole = np.floor(total, out=total).astype(np.int64)
    return whole if digits is None else whole * (SCORE_SCALE // 10**digits)
