"""The prepared files of a release, mapped: which rows a group holds in order of a metric, and their records."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.ipc

from engine.served.layout import DIMENSIONS, FILES, INDEX, VERSION, mapped
from engine.served.listing import Listing
from engine.served.records import RecordFile, Records
from engine.served.search import Search
from engine.served.texts import Texts
from engine.served.values import Values

_READ = "rows.json"
MOST_MAPPED = 180 * 2**20  # libraries take 90 of them
# Conditions on a group: dimension → which of its combinations belong (True or False for each code).
Wanted = dict[str, np.ndarray]


@dataclass(frozen=True)
class Level:
    """A partition of everybody by one level of a dimension: the group of each code, where each group begins."""

    number: int
    group: np.ndarray
    starts: list[int]

    def holding(self, wanted: np.ndarray) -> int | None:
        """The group that is exactly the wanted codes; None where none is."""
        groups = self.group[wanted]
        if not len(groups) or (groups != groups[0]).any() or np.count_nonzero(self.group == groups[0]) != len(groups):
            return None
        return int(groups[0])


class Served:
    """The files of one ``served/`` folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: dict[str, Any] = orjson.loads((folder / INDEX).read_bytes())
        sizes = {name: (folder / name).stat().st_size for name in FILES}
        if self.index["version"] != VERSION or self.index["bytes"] != sizes:
            raise ValueError(f"{folder}: not the prepared files of this version")
        self.height: int = self.index["rows"]
        self.metrics: list[str] = self.index["metrics"]
        self._maps = {name: mapped(folder / name) for name in FILES if name != _READ}
        self._records = RecordFile(folder / _READ, np.frombuffer(self._maps["starts.bin"], np.int64))
        self.codes = self._codes()
        self._values: dict[tuple[str, str, int | None], Values] = {}
        self._levels: dict[str, list[Level]] = {name: [] for name in DIMENSIONS}
        for number, told in enumerate(self.index["levels"]):
            level = Level(number, np.array(told["group"]), told["starts"])
            self._levels[told["dimension"]].append(level)
        width = 2 + len(self.index["levels"])
        found = np.frombuffer(self._maps["orders.bin"], np.uint32).reshape(-1, self.height)
        ends = len(self.metrics) * width
        self._orders = dict(zip(self.metrics, found[:ends].reshape(-1, width, self.height), strict=True))
        self._others = dict(zip(self.index["others"], found[ends:].reshape(-1, 2, self.height), strict=True))

    def _codes(self) -> dict[str, np.ndarray]:
        found, start = {}, 0
        for name, told in self.index["dimensions"].items():
            found[name] = np.frombuffer(self._maps["codes.bin"], told["type"], self.height, start)
            start += found[name].nbytes
        return found

    @cached_property
    def combinations(self) -> dict[str, pl.DataFrame]:
        """Dimension → its columns, a row for each code."""
        told = self.index["dimensions"].items()
        return {n: pl.DataFrame(x["columns"], schema=dict.fromkeys(DIMENSIONS[n], pl.String)) for n, x in told}

    def holding(self, dimension: str, *asked: tuple[str, str, int | None]) -> np.ndarray:
        """Which codes of a dimension (a mask) hold one of these: column, value, how many letters of it count (None: all)."""
        combinations = self.combinations[dimension]
        mask = np.zeros(combinations.height, dtype=bool)
        for column, value, length in asked:
            key = (dimension, column, length)
            if key not in self._values:
                self._values[key] = Values(combinations[column], length)
            self._values[key].mark(value, mask)
        return mask

    @cached_property
    def table(self) -> pl.DataFrame:
        """The rankings; its columns are the mapped file."""
        return _frame(self._maps["table.arrow"])

    @cached_property
    def search(self) -> Search:
        """What ``q`` looks in."""
        names, ids = (
            Texts(self._maps[f"{name}.txt"], np.frombuffer(self._maps[f"{name}.bin"], np.int64))
            for name in ("names", "ids")
        )
        return Search(names, ids, self.index["plain"])

    def records(self, rows: np.ndarray, ranks: np.ndarray, of: int) -> Records:
        """Rows of an answer, not read yet; ``ranks`` those of the asked group (0 = none), ``of`` its size."""
        return self._records.find(rows, ranks, of)

    def text(self, found: Records) -> Iterator[bytes]:
        """The records as members of a JSON array, in pieces."""
        return self._records.text(found)

    def everybody(self, metric: str) -> Listing | None:
        """All rows in order of a metric; None for one that was not prepared (the grade)."""
        found = self._orders.get(metric, self._others.get(metric))
        return None if found is None else Listing(found[1], found[0])

    def _all(self, metric: str) -> Listing:
        return Listing(self._orders[metric][1], self._orders[metric][0])

    def prepared(self, metric: str, wanted: Wanted) -> Listing | None:
        """A group whose order stands in the files: everybody, or one group of one level."""
        if metric not in self._orders or len(wanted) > 1:
            return None
        for dimension, codes in wanted.items():
            return self._level(metric, dimension, codes)
        return self._all(metric)

    def _level(self, metric: str, dimension: str, codes: np.ndarray) -> Listing | None:
        if codes.all():
            return self._all(metric)
        if not codes.any():
            return Listing(np.empty(0, np.uint32), self._orders[metric][0])
        for level in self._levels[dimension]:
            group = level.holding(codes)
            if group is not None:
                rows = self._orders[metric][2 + level.number][level.starts[group] : level.starts[group + 1]]
                return Listing(rows, self._orders[metric][0])
        return None

    def narrowed(self, metric: str, wanted: Wanted) -> Listing:
        """Any group in order of a prepared metric: the shortest prepared list of its conditions, filtered by the rest."""
        rows, rest = self._shortest(metric, wanted)
        return Listing(rows[self.among(rows, rest)], self._orders[metric][0])

    def _shortest(self, metric: str, wanted: Wanted) -> tuple[np.ndarray, Wanted]:
        """The shortest prepared list that holds the group, and the conditions that it does not meet by itself."""
        lists = {name: self._level(metric, name, codes) for name, codes in wanted.items()}
        known = {name: found.rows for name, found in lists.items() if found is not None}
        least = min(known, key=lambda name: len(known[name]), default=None)
        rows = known[least] if least is not None else self._all(metric).rows
        return rows, {name: codes for name, codes in wanted.items() if name != least}

    def among(self, rows: np.ndarray, wanted: Wanted) -> np.ndarray:
        """Which of these rows meet the conditions (a mask)."""
        mask = np.ones(len(rows), dtype=bool)
        for name, codes in wanted.items():
            mask &= codes[self.codes[name][rows]]
        return mask

    def members(self, wanted: Wanted) -> np.ndarray:
        """Row numbers of a group in id order."""
        if not wanted:
            return np.arange(self.height, dtype=np.uint32)
        if self.metrics:
            rows, rest = self._shortest(self.metrics[0], wanted)
            if 8 * len(rows) < self.height:
                return np.sort(rows[self.among(rows, rest)])
        masks = [codes[self.codes[name]] for name, codes in wanted.items()]
        return np.flatnonzero(np.logical_and.reduce(masks)).astype(np.uint32)

    def tidy(self) -> None:
        """Give mapped pages back to the kernel's cache once they are many: they count as this process's memory."""
        if _resident_files() > MOST_MAPPED:
            self.let_go()

    def let_go(self) -> None:
        """Give every mapped page back; what is asked next is mapped again."""
        for one in self._maps.values():
            one.madvise(mmap.MADV_DONTNEED)


def _resident_files() -> int:
    """Bytes of mapped files that this process holds (proc(5), statm: shared)."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * mmap.PAGESIZE


def _frame(file: mmap.mmap) -> pl.DataFrame:
    read = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(file))).read_all()
    found = pl.from_arrow(read)
    assert isinstance(found, pl.DataFrame)
    return found
