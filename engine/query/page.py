"""A page of a ranking: parse → group → order → filter → slice → rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.query import cursor, rows
from engine.query.board import Board
from engine.query.selection import Selection
from engine.query.standing import Ordered
from engine.served import Listing


@dataclass(frozen=True)
class Page:
    """Rows of the contract; ``of`` with a value in the group asked; ``total`` rows that the filters leave;
    ``next`` the cursor of the following page, None on the last."""

    rows: list[dict[str, Any]]
    of: int
    total: int
    next: str | None


def kept(board: Board, selection: Selection, chosen: np.ndarray) -> np.ndarray:
    """Which of these row numbers the filters on rows (grade, q, enterprise) leave (a mask)."""
    mask = np.ones(len(chosen), dtype=bool)
    if selection.grade is not None:
        mask &= board.graded(selection.grade, chosen)
    if selection.enterprise is not None:
        mask &= chosen == board.number_of(selection.enterprise)
    if selection.q is not None:
        mask &= board.found(selection.q, chosen)
    return mask


def shown(board: Board, selection: Selection, metric: str) -> tuple[Listing, Listing]:
    """The group in order, and what the filters leave of it (the same where nothing is filtered)."""
    group = board.listing(selection.members, metric)
    if not selection.filters:
        return group, group
    key = ("shown", selection.members, metric, selection.filters)
    return group, board.cached(key, lambda: _left(board, selection, group), lambda found: found.nbytes)


def _left(board: Board, selection: Selection, group: Listing) -> Listing:
    """What the filters leave of a group; of a large one where few rows hold ``q``, only those are looked at."""
    large = selection.q is not None and 32 * len(group.rows) >= board.height
    if large and 32 * len(few := board.holding(str(selection.q))) < board.height:
        rest = replace(selection, q=None)
        rows = few[board.within(selection.members, few)]
        rows = rows[kept(board, rest, rows)]
        return Listing(rows[np.argsort(group.ranks[rows], kind="stable")], group.ranks)
    return Listing(group.rows[kept(board, selection, group.rows)], group.ranks)


def cut(group: Listing, left: Listing, start: int, end: int, worst: bool) -> Ordered:
    """The rows of these places of what is left, with their ranks in the group."""
    rows, ranks = left.page(start, end, worst)
    return Ordered(rows, ranks if group is left else group.ranks_in(rows), group.of)


def ordered(board: Board, selection: Selection) -> Ordered:
    """Every row of the answer, in order, filters applied."""
    group, left = shown(board, selection, board.metric(selection.by))
    return cut(group, left, 0, len(left.rows), selection.order == "worst")


@dataclass(frozen=True)
class Part:
    """The places of a page: rows with their ranks; ``total`` and ``next`` as in :class:`Page`."""

    places: Ordered
    metric: str
    total: int
    next: str | None


def part_of(board: Board, selection: Selection, start: int | None = None) -> Part:
    """Which rows the page holds; without a limit, every row from the cursor (``start`` where it was read) on."""
    metric = board.metric(selection.by)
    group, left = shown(board, selection, metric)
    start, total = cursor.read(board, selection) if start is None else start, len(left.rows)
    end = total if selection.limit is None else min(start + selection.limit, total)
    places = cut(group, left, start, end, selection.order == "worst")
    return Part(places, metric, total, cursor.write(board, selection, end) if end < total else None)


def select(board: Board, selection: Selection) -> Page:
    """The page asked, its rows as the contract shows them."""
    part = part_of(board, selection)
    built = rows.build(board, part.places.rows, part.places.ranks(), part.places.of, part.metric)
    return Page(built, part.places.of, part.total, part.next)
