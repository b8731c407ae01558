"""Rank intervals over draws, group by group, in blocks that bound the memory.

A block is some draws of one group: scored, ranked and written into the group's table of draws × enterprises; the table
is then sorted enterprise by enterprise. Where a group's table would be larger than :data:`MOST_BYTES` its enterprises
are taken in parts, each ranked against the whole group again. Threads share out blocks; each writes places of its own,
so that the result does not know how many they were.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from engine.whatif.packed import ranks

MOST_BYTES = 256 * 2**20
_BLOCK = 2**17  # scores of a block: small enough for the caches
_FEWEST = 32  # enterprises of a part that is summed up: fewer would read less than a cache line of each draw
LOW_PERCENT, HIGH_PERCENT = 5, 95

# From the places of a group to a function from draws to Int64 scores, draws × places.
Scores = Callable[[np.ndarray], Callable[[slice], np.ndarray]]


@dataclass(frozen=True)
class Intervals:
    """Per enterprise (in the order of the caller): ranks over the draws, and draws within each grade.

    ``low`` and ``high`` are the 5th and 95th per cent by nearest rank; ``within`` counts, per share of the pack, the
    draws whose rank lies in that grade. Enterprises of no group have 0 throughout.
    """

    least: np.ndarray
    low: np.ndarray
    high: np.ndarray
    most: np.ndarray
    within: np.ndarray

    @classmethod
    def empty(cls, enterprises: int, grades: int) -> Intervals:
        """All 0."""
        blank = partial(np.zeros, dtype=np.int32)
        return cls(*(blank(enterprises) for _ in range(4)), within=blank((enterprises, grades)))


def lines(of: int, shares: Iterable[int]) -> list[int]:
    """The last rank of each grade in a group of ``of``: rank · 100 ≤ share · of, in integers."""
    return [share * of // 100 for share in shares]


def intervals(
    scores: Scores, groups: list[np.ndarray], draws: int, enterprises: int, shares: tuple[int, ...], threads: int = 0
) -> Intervals:
    """Rank intervals of ``groups`` (places of their enterprises) over ``draws``."""
    found = Intervals.empty(enterprises, len(shares))
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for places in groups:
            _group(pool, scores, places, draws, lines(len(places), shares), found)
    return found


def _group(
    pool: ThreadPoolExecutor, scores: Scores, places: np.ndarray, draws: int, last: list[int], found: Intervals
) -> None:
    size, of_draws = len(places), scores(places)
    kind = np.uint16 if size < 2**16 else np.uint32
    blocks = list(_cuts(draws, max(1, _BLOCK // size)))
    for part in _cuts(size, max(1, MOST_BYTES // (draws * np.dtype(kind).itemsize))):
        table = np.empty((draws, part.stop - part.start), kind)

        def fill(block: slice, part: slice = part, table: np.ndarray = table) -> None:
            table[block] = ranks(of_draws(block))[:, part]

        def sum_up(cut: slice, part: slice = part, table: np.ndarray = table) -> None:
            _sum_up(np.ascontiguousarray(table[:, cut].T), places[part][cut], last, found)

        _each(pool, fill, blocks)
        _each(pool, sum_up, list(_cuts(table.shape[1], max(_FEWEST, _BLOCK // draws))))


def _sum_up(table: np.ndarray, places: np.ndarray, last: list[int], found: Intervals) -> None:
    """Enter what the ranks of some enterprises (× draws) come to."""
    draws = table.shape[1]
    table.sort(axis=1)
    found.least[places], found.most[places] = table[:, 0], table[:, -1]
    found.low[places] = table[:, math.ceil(draws * LOW_PERCENT / 100) - 1]
    found.high[places] = table[:, math.ceil(draws * HIGH_PERCENT / 100) - 1]
    reached = [np.zeros(len(table), np.int32), *((table <= line).sum(axis=1, dtype=np.int32) for line in last)]
    for grade, (before, now) in enumerate(pairwise(reached)):
        found.within[places, grade] = now - before


def _each(pool: ThreadPoolExecutor, work: Callable[[slice], None], cuts: list[slice]) -> None:
    for _ in map(work, cuts) if len(cuts) == 1 else pool.map(work, cuts):
        pass


def _cuts(size: int, step: int) -> Iterator[slice]:
    for start in range(0, size, step):
        yield slice(start, min(size, start + step))
