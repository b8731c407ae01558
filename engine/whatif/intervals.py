"""Rank intervals over draws, group by group, in blocks that bound the memory.

A block is some draws of one group: scored, ranked and written into the group's table of draws × enterprises; the table
is then sorted enterprise by enterprise. Where a group's table would be larger than :data:`MOST_BYTES` its enterprises
are taken in parts, each ranked against the whole group again. Threads share out blocks; each writes places of its own,
so that the result does not know how many they were.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from engine.whatif.packed import ranks

MOST_BYTES = 400 * 2**20  # 100,000 enterprises in one field × 1,000 draws in one pass
_BLOCK = 2**17  # scores of a block: small enough for the caches
_FEWEST = 32  # enterprises of a part that is summed up: fewer would read less than a cache line of each draw
LOW_PERCENT, HIGH_PERCENT = 5, 95

Totals = Callable[[slice], np.ndarray]


@dataclass(frozen=True)
class Race:
    """Enterprises that are ranked together: a function from draws to Int64 totals (draws × enterprises), for whom of
    them (places) the ranks are wanted, which rows of the result those are, and the shares of the grades in per cent.

    ``worse``: ties share the worse rank.
    """

    totals: Totals
    size: int
    wanted: np.ndarray
    rows: np.ndarray
    shares: Sequence[Fraction]
    worse: bool = False

    def ranks(self, block: slice) -> np.ndarray:
        """Ranks (UInt32) of everyone in these draws."""
        found = self.totals(block)
        return self.size + 1 - ranks(-found) if self.worse else ranks(found)


@dataclass(frozen=True)
class Intervals:
    """Per enterprise (in the order of the caller): ranks over the draws, and draws within each grade.

    ``low`` and ``high`` are the 5th and 95th per cent by nearest rank; ``within`` counts, per share of the pack, the
    draws whose rank lies in that grade. Enterprises of no race have 0 throughout.
    """

    least: np.ndarray
    low: np.ndarray
    high: np.ndarray
    most: np.ndarray
    within: np.ndarray

    @classmethod
    def empty(cls, enterprises: int, grades: int) -> Intervals:
        """All 0."""
        least, low, high, most = np.zeros((4, enterprises), np.int32)
        return cls(least, low, high, most, np.zeros((enterprises, grades), np.int32))


def last_ranks(of: int, shares: Sequence[Fraction]) -> list[int]:
    """The last rank of each grade in a group of ``of``: rank · 100 ≤ share · of, exactly."""
    return [math.floor(share * of / 100) for share in shares]


def intervals(races: Iterable[Race], draws: int, enterprises: int, grades: int, threads: int = 0) -> Intervals:
    """Rank intervals of ``races`` over ``draws``, with room for ``enterprises`` and the most ``grades`` of a race."""
    found = Intervals.empty(enterprises, grades)
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for race in races:
            _run(pool, race, draws, found)
    return found


def _run(pool: ThreadPoolExecutor, race: Race, draws: int, found: Intervals) -> None:
    kind = np.uint16 if race.size < 2**16 else np.uint32
    last = last_ranks(race.size, race.shares)
    blocks = list(_cuts(draws, max(1, _BLOCK // race.size)))
    for part in _cuts(len(race.wanted), max(1, MOST_BYTES // (draws * np.dtype(kind).itemsize))):
        table = np.empty((draws, part.stop - part.start), kind)
        whole = len(race.wanted) == race.size
        wanted: slice | np.ndarray = part if whole else race.wanted[part]

        def fill(block: slice, wanted: slice | np.ndarray = wanted, table: np.ndarray = table) -> None:
            table[block] = race.ranks(block)[:, wanted]

        def sum_up(cut: slice, part: slice = part, table: np.ndarray = table) -> None:
            _sum_up(np.ascontiguousarray(table[:, cut].T), race.rows[part][cut], last, found)

        _each(pool, fill, blocks)
        _each(pool, sum_up, list(_cuts(table.shape[1], max(_FEWEST, _BLOCK // draws))))


def _sum_up(table: np.ndarray, rows: np.ndarray, last: list[int], found: Intervals) -> None:
    """Enter what the ranks of some enterprises (× draws) come to."""
    draws = table.shape[1]
    table.sort(axis=1)
    found.least[rows], found.most[rows] = table[:, 0], table[:, -1]
    found.low[rows] = table[:, math.ceil(draws * LOW_PERCENT / 100) - 1]
    found.high[rows] = table[:, math.ceil(draws * HIGH_PERCENT / 100) - 1]
    reached = [np.zeros(len(table), np.int32), *((table <= line).sum(axis=1, dtype=np.int32) for line in last)]
    for grade, (before, now) in enumerate(pairwise(reached)):
        found.within[rows, grade] = now - before


def _each(pool: ThreadPoolExecutor, work: Callable[[slice], None], cuts: list[slice]) -> None:
    for _ in map(work, cuts) if len(cuts) == 1 else pool.map(work, cuts):
        pass


def _cuts(size: int, step: int) -> Iterator[slice]:
    for start in range(0, size, step):
        yield slice(start, min(size, start + step))
