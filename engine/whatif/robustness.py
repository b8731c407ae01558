"""How far ranks and grades hang on the choice of weights and bases: Monte-Carlo over both, and each indicator left out.

Source of the method: OECD/JRC, Handbook on Constructing Composite Indicators (2008), step 7, uncertainty and sensitivity
analysis. Ranks are those that decide the grade (competition ranks within the pack's group and level); grades are those of
the quota: adjustments (events, thresholds) act after it and hang on no weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from engine.policy.model import Score
from engine.query.board import Board
from engine.query.selection import Group as Asked
from engine.releases import Release
from engine.whatif.draws import Draws, draw, without_each
from engine.whatif.graded import HOME, Field, fields, graded, scored
from engine.whatif.intervals import Race, intervals, last_ranks
from engine.whatif.points import NO_TOTAL, totals

_DESCRIBED = ("enterprise_id", "uscc", "name", "industry_code", "region_code", "size", "scale_group")


@dataclass(frozen=True)
class Settings:
    """What is drawn: number of draws, seed, spreads as shares of 1, and from which share on an enterprise is borderline."""

    draws: int = 1000
    seed: int = 1
    weight_spread: float = 0.2
    base_spread: float = 0.1
    borderline_from: float = 0.05


@dataclass(frozen=True)
class Robustness:
    """What the draws came to.

    ``rows``: one a ranked enterprise in id order: description, ``score grade rank of`` of the release (grade of the quota),
    ``rank_low rank_high`` (5th and 95th per cent), ``rank_least rank_most``, ``other_grade_share`` (share of the draws in
    which the grade differs), ``grade_share__<grade>``, ``borderline``, and ``rank_without__<indicator>``.
    ``left_out``: per indicator how many change grade and how far ranks move when it is left out.
    """

    release: Release
    settings: Settings
    rows: pl.DataFrame
    left_out: list[dict[str, Any]]

    def within(self, group: Asked) -> Robustness:
        """The rows of one industry, region, size and scale group; ranks stay those of their own fields."""
        board = Board(self.release)
        ids = board.table["enterprise_id"].gather(pl.Series(board.members(group)))
        return Robustness(
            self.release, self.settings, self.rows.filter(pl.col("enterprise_id").is_in(ids.implode())), self.left_out
        )


def robustness(release: Release, settings: Settings, threads: int = 0) -> Robustness:
    """Rank intervals and borderline cases of a release with a composite; the same for any number of ``threads``.

    Raises no_composite, bad_parameter.
    """
    score = scored(release)
    table = graded(release.rankings, release.pack.policy)
    all_fields = fields(table, release.pack.policy)
    grades = list(dict.fromkeys(s.grade for g in score.groups.values() for s in g.shares))
    drawn = {name: _draws(score, name, settings) for name in score.groups}
    most = max((len(g.shares) for g in score.groups.values()), default=0)
    found = intervals(_races(table, score, all_fields, drawn), settings.draws, table.height, most, threads)
    within = _by_grade(found.within, table, score, grades)
    rows = table.select(
        *_DESCRIBED, "score", "score_group", grade=pl.col("grade_initial"), rank="grade_rank", of="grade_of"
    )
    rows = rows.with_columns(
        rank_low=found.low, rank_high=found.high, rank_least=found.least, rank_most=found.most,
        other_grade_share=(settings.draws - _own(within, rows["grade"], grades)) / settings.draws,
        **{f"grade_share__{g}": within[:, n] / settings.draws for n, g in enumerate(grades)},
    )  # fmt: skip
    rows = rows.with_columns(borderline=pl.col("other_grade_share") >= settings.borderline_from)
    rows, left_out = _left_out(rows, table, score, all_fields)
    return Robustness(release, settings, rows.filter(pl.col("rank").is_not_null()), left_out)


def _draws(score: Score, group: str, settings: Settings) -> Draws:
    return draw(_weights(score, group), settings.draws, settings.seed, settings.weight_spread, settings.base_spread)


def _weights(score: Score, group: str) -> list[float]:
    return [float(item.weight or 0) for item in score.groups[group].items.values()]


def _races(table: pl.DataFrame, score: Score, found: list[Field], drawn: dict[str, Draws]) -> Iterator[Race]:
    """The fields as races, one at a time: only one holds its columns in memory."""
    wanted = {n for g in score.groups.values() for i in g.items for n in (i, f"base__{i}", f"low__{i}", f"high__{i}")}
    columns = table.select(c for c in table.columns if c in wanted or c in ("bonus", "deduction"))
    homes = table[HOME].rank("dense").fill_null(0)
    for field in found:
        group = score.groups[field.group]
        places = pl.Series(field.rows)
        own = totals(score, group, columns[places], homes[places].to_numpy(), drawn[field.group])
        shares = [Fraction(s.up_to_percent) for s in group.shares]
        worse = score.ties == "share_worse_rank"
        yield Race(own, len(field.rows), field.decided, field.rows[field.decided], shares, worse)


def _by_grade(within: np.ndarray, table: pl.DataFrame, score: Score, grades: list[str]) -> np.ndarray:
    """Counts per share of the enterprise's own group as counts per grade of any group."""
    found = np.zeros((len(within), len(grades)), np.int64)
    group_of = table["score_group"].to_numpy()
    for name, group in score.groups.items():
        mine = group_of == name
        for n, share in enumerate(group.shares):
            found[mine, grades.index(share.grade)] = within[mine, n]
    return found


def _own(within: np.ndarray, grade: pl.Series, grades: list[str]) -> np.ndarray:
    """The draws in the enterprise's own grade."""
    at = grade.replace_strict(grades, list(range(len(grades))), default=None).fill_null(0).to_numpy()
    own: np.ndarray = within[np.arange(len(within)), at]
    return own


def _left_out(
    rows: pl.DataFrame, table: pl.DataFrame, score: Score, found: list[Field]
) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """``rank_without__<indicator>`` of every enterprise, and per group and indicator what leaving it out moves."""
    several = {name: without_each(_weights(score, name)) for name, g in score.groups.items() if len(g.items) > 1}
    there = [f for f in found if f.group in several]
    ranks = {n: np.zeros(table.height, np.int32) for g in several for n in score.groups[g].items}
    moved: dict[tuple[str, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    before = rows["rank"].fill_null(0).to_numpy()
    for field, race in zip(there, _races(table, score, there, several), strict=True):
        names = list(score.groups[field.group].items)
        own = before[race.rows]
        grade = np.searchsorted(last_ranks(race.size, race.shares), own)
        for name, everyone in zip(names, _without(race, len(names)), strict=True):
            now = ranks[name][race.rows] = everyone[race.wanted]
            lines = last_ranks(int((everyone > 0).sum()), race.shares)
            other = (np.searchsorted(lines, now) != grade) | (now == 0)
            moved.setdefault((field.group, name), []).append((other, np.abs(now - own)[now > 0]))
    rows = rows.with_columns(**{f"rank_without__{n}": pl.Series(r).replace(0, None) for n, r in ranks.items()})
    return rows, [_summary(group, name, parts) for (group, name), parts in moved.items()]


def _without(race: Race, items: int) -> np.ndarray:
    """Ranks (Int64, items × enterprises) with each item left out; 0 for who then has nothing to be ranked by."""
    every = slice(0, items)
    return np.where(race.totals(every) == NO_TOTAL, 0, race.ranks(every).astype(np.int64))


def _summary(group: str, without: str, moved: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    other, shift = (np.concatenate(parts) for parts in zip(*moved, strict=True))
    return {
        "group": group,
        "without": without,
        "ranked": len(other),
        "other_grade": int(other.sum()),
        "largest_shift": int(shift.max(initial=0)),
        "mean_shift": float(shift.mean()) if len(shift) else None,
    }
