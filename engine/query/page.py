"""A page of a ranking: parse → group → order → filter → slice → rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.query import cursor, rows
from engine.query.board import Board, Standing
from engine.query.selection import Selection


@dataclass(frozen=True)
class Page:
    """Rows of the contract; ``of`` with a value in the group asked; ``total`` rows that the filters leave;
    ``next`` the cursor of the following page, None on the last."""

    rows: list[dict[str, Any]]
    of: int
    total: int
    next: str | None


@dataclass(frozen=True)
class Ordered:
    """Row numbers in served order with their ranks (0 = none) and the group's ``of``."""

    rows: np.ndarray
    rank: np.ndarray
    of: int

    def ranks(self) -> list[int | None]:
        """Ranks as the contract shows them: None where there is none."""
        return [int(r) or None for r in self.rank]


def matches(board: Board, selection: Selection) -> pl.Expr | None:
    """The filters on rows (grade and q) as a condition; None where nothing is filtered."""
    asked = []
    if selection.grade is not None:
        asked.append(pl.col("grade").is_in(list(selection.grade)) if "grade" in board.table.columns else pl.lit(False))
    if selection.q is not None:
        found = [pl.col("name").str.to_lowercase().str.contains(selection.q.lower(), literal=True)]
        found += [pl.col(c).str.contains(selection.q.upper(), literal=True) for c in ("uscc", "enterprise_id")]
        found.append(pl.col("enterprise_id").str.contains(selection.q, literal=True))
        asked.append(pl.any_horizontal(f.fill_null(False) for f in found))
    return pl.all_horizontal(asked) if asked else None


def kept(board: Board, selection: Selection, chosen: np.ndarray) -> np.ndarray:
    """Which of these row numbers the filters leave (a mask)."""
    condition = matches(board, selection)
    if condition is None:
        return np.ones(len(chosen), dtype=bool)
    mask = np.zeros(board.table.height, dtype=bool)
    mask[board.where(condition)] = True
    return mask[chosen]


def arrange(standing: Standing, order: str) -> Ordered:
    """A standing in best or worst order; rows without a value come last in both."""
    places = standing.best if order == "best" else standing.worst
    return Ordered(
        np.concatenate([standing.rows[places], standing.unranked]),
        np.concatenate([standing.rank[places], np.zeros(len(standing.unranked), dtype=np.int32)]),
        standing.of,
    )


def ordered(board: Board, selection: Selection) -> Ordered:
    """Every row of the answer, in order, filters applied."""
    metric = board.metric(selection.by)
    key = ("ordered", selection.members, metric, selection.order)
    whole = board.cached(
        key,
        lambda: arrange(board.standing(selection.members, metric), selection.order),
        lambda o: int(o.rows.nbytes + o.rank.nbytes) + 200,
    )
    if selection.grade is None and selection.q is None:
        return whole
    mask = kept(board, selection, whole.rows)
    return Ordered(whole.rows[mask], whole.rank[mask], whole.of)


def select(board: Board, selection: Selection) -> Page:
    """The page asked; without a limit, every row from the cursor on."""
    found = ordered(board, selection)
    start = cursor.read(board, selection)
    total = len(found.rows)
    end = total if selection.limit is None else min(start + selection.limit, total)
    part = Ordered(found.rows[start:end], found.rank[start:end], found.of)
    built = rows.build(board, part.rows, part.ranks(), found.of, board.metric(selection.by))
    return Page(built, found.of, total, cursor.write(board, selection, end) if end < total else None)
