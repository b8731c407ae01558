"""A group in order of a metric, and the pages of it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.served.layout import UNRANKED

_FEW = 500  # rows


@dataclass(frozen=True)
class Listing:
    """Row numbers of a group best first (ties by row), those without a value last.

    ``ranks``: the rank among all of every row of the release, :data:`UNRANKED` without one; it orders the group and
    tells ties.
    """

    rows: np.ndarray
    ranks: np.ndarray

    @cached_property
    def of(self) -> int:
        """How many have a value."""
        return self._first(UNRANKED)

    @property
    def nbytes(self) -> int:
        """Memory of the list itself; one that stands in a mapped file costs none."""
        return 400 + (self.rows.nbytes if self.rows.base is None else 0)

    def _first(self, rank: int) -> int:
        """The first place of the list that stands at this rank among all or behind it."""
        rows, ranks = self.rows.data, self.ranks.data
        return bisect_left(rows, rank, key=ranks.__getitem__)

    def rank_of(self, row: int) -> int | None:
        """The competition rank of a row of the group; None where it has no value."""
        among_all = int(self.ranks[row])
        return None if among_all == UNRANKED else self._first(among_all) + 1

    def page(self, start: int, end: int, worst: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Rows from place ``start`` up to ``end`` with their competition ranks (0 = none); worst first keeps ties in
        order of the row."""
        last = min(end, self.of)
        if start >= last:
            rows = self.rows[start:end]
            return rows, np.zeros(len(rows), dtype=np.int64)
        rows, ranks = self._worst(start, last) if worst else self._best(start, last)
        if end <= self.of:
            return rows, ranks
        rest = self.rows[last:end]
        return np.concatenate([rows, rest]), np.concatenate([ranks, np.zeros(len(rest), dtype=np.int64)])

    def _best(self, start: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        part = self.rows[start:last]
        among_all = self.ranks[part]
        return part, competition(among_all, start, self._tie_begins(start))

    def _worst(self, start: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        begins, ends = self._tie_begins(self.of - last), self._tie_ends(self.of - start)
        part = self.rows[begins:ends]
        among_all = self.ranks[part]
        turned = np.argsort(-among_all.astype(np.int64), kind="stable")
        skipped = start - (self.of - ends)
        taken = turned[skipped : skipped + last - start]
        return part[taken], competition(among_all, begins, begins)[taken]

    def _tie_begins(self, place: int) -> int:
        """The first place that ties with this one: nearly always itself."""
        rank = self.ranks[self.rows[place]]
        return place if place == 0 or self.ranks[self.rows[place - 1]] != rank else self._first(int(rank))

    def _tie_ends(self, place: int) -> int:
        """The place behind the last that ties with the one before this."""
        rank = self.ranks[self.rows[place - 1]]
        return place if place == self.of or self.ranks[self.rows[place]] != rank else self._first(int(rank) + 1)

    def ranks_in(self, rows: np.ndarray) -> np.ndarray:
        """Competition ranks of rows of the group, in the order given (0 = none)."""
        among_all = self.ranks[rows]
        if 16 * len(rows) < len(self.rows):
            known = {rank: self._first(rank) + 1 for rank in set(among_all.tolist()) - {UNRANKED}}
            return np.array([known.get(rank, 0) for rank in among_all.tolist()], dtype=np.int64)
        found = np.searchsorted(self.ranks[self.rows[: self.of]], among_all) + 1
        return np.where(among_all == UNRANKED, 0, found)

    def every_rank(self) -> np.ndarray:
        """The competition rank of every place of the list (int32), 0 without one."""
        found = np.zeros(len(self.rows), dtype=np.int32)
        if self.of:
            found[: self.of] = competition(self.ranks[self.rows[: self.of]], 0, 0)
        return found


def competition(among_all: np.ndarray, start: int, first: int) -> np.ndarray:
    """Competition ranks of a run of places that begins at ``start``, whose first tie begins at ``first`` (0-based)."""
    if len(among_all) <= _FEW:
        return _of_few(among_all.tolist(), start, first)
    new = np.empty(len(among_all), dtype=bool)
    new[0] = True
    np.not_equal(among_all[1:], among_all[:-1], out=new[1:])
    place = np.where(new, np.arange(start + 1, start + 1 + len(new)), 0)
    place[0] = first + 1
    return np.maximum.accumulate(place)


def _of_few(among_all: list[int], start: int, first: int) -> np.ndarray:
    """The same in plain steps: for a page that is faster than calling numpy."""
    found, rank, before = [], first + 1, among_all[0]
    for place, one in enumerate(among_all, start + 1):
        if one != before:
            rank, before = place, one
        found.append(rank)
    return np.array(found, dtype=np.int64)
