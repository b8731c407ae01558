"""Rows that repeat a key: in one file, and against older loads of the same source and year.

Keys are held as 64-bit hashes: in memory while they are few, else on disk, parted by their first bits, so that memory
does not grow with the file. Only rows whose hash repeats are looked at again, by their true values, a bounded number
at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from ingest.declarations import Table
from ingest.read.sheet import BATCH_ROWS

_SEED = 20_17
# An odd factor spreads the 31 days over all 64 bits.
_DAY_FACTOR = 0x9E3779B97F4A7C15
_HELD = 2_000_000
_PART_BITS = 6
_PARTS = 1 << _PART_BITS
# Rows looked at by their true values at a time.
_AT_ONCE = 500_000
_PART_SHIFT = np.uint64(64 - _PART_BITS)
_EDGES = np.arange(1, _PARTS, dtype=np.uint64) << _PART_SHIFT


def key_columns(table: Table, daily: bool) -> list[str]:
    """The columns that make a row of ``table`` unique; with daily records the day is one of them."""
    return [*table.unique, *(["day"] if daily and table.period in table.unique else [])]


def key_hash(columns: list[str]) -> pl.Expr:
    """One UInt64 per row; equal keys have equal hashes (null is a value, and like no day at all)."""
    plain = pl.struct([c for c in columns if c != "day"]).hash(_SEED)
    if "day" not in columns:
        return plain
    return plain.xor(pl.col("day").fill_null(0).cast(pl.UInt64) * pl.lit(_DAY_FACTOR, dtype=pl.UInt64))


class Hashes:
    """Any number of 64-bit hashes; those beyond two million go to files under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._held, self._size, self.spilled = folder, list[np.ndarray](), 0, False

    def add(self, hashes: np.ndarray) -> None:
        """Remember some more."""
        self._held.append(hashes)
        self._size += len(hashes)
        if self._size > _HELD:
            self._spill()

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        ordered = _sorted(self._held)
        for part, hashes in enumerate(np.split(ordered, np.searchsorted(ordered, _EDGES))):
            with (self._folder / f"{part:02d}").open("ab") as file:
                hashes.tofile(file)
        self._held, self._size, self.spilled = [], 0, True

    def part(self, part: int | None) -> list[np.ndarray]:
        """The hashes that begin with the bits of ``part``; those held in memory for None."""
        if part is None:
            return self._held
        held = [h[h >> _PART_SHIFT == part] for h in self._held]
        return [*held, np.fromfile(self._folder / f"{part:02d}", np.uint64)] if self.spilled else held


def _sorted(pieces: list[np.ndarray]) -> np.ndarray:
    whole = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint64)
    whole.sort()
    return whole


class Keys:
    """The keys of one table as they are written. A key that is unique by month is so by day where rows are of days."""

    def __init__(self, table: Table, folder: Path) -> None:
        self.table = table
        self._dated = table.period in table.unique
        # Rows of batches without any day have the same hash either way.
        self._common, self._monthly, self._daily = (Hashes(folder / n) for n in ("common", "monthly", "daily"))

    def add(self, kept: pl.DataFrame) -> None:
        """Remember a batch's keys (none where the table allows repeats)."""
        if not self.table.unique or kept.height == 0:
            return
        if self._dated and kept["day"].null_count() < kept.height:
            self._monthly.add(_hashes(kept, self.table, False))
            self._daily.add(_hashes(kept, self.table, True))
        else:
            self._common.add(_hashes(kept, self.table, False))

    def parts(self, daily: bool) -> Iterator[np.ndarray]:
        """Every hash once for each row, sorted, in pieces that share no hash."""
        yield from _parts([self._common, self._daily if daily and self._dated else self._monthly])


def _hashes(rows: pl.DataFrame, table: Table, daily: bool) -> np.ndarray:
    return rows.select(key_hash(key_columns(table, daily))).to_series().to_numpy()


def _parts(stores: list[Hashes]) -> Iterator[np.ndarray]:
    parts = range(_PARTS) if any(s.spilled for s in stores) else [None]
    for part in parts:
        yield _sorted([h for s in stores for h in s.part(part)])


def _stored(path: Path, table: Table, daily: bool, folder: Path) -> Hashes:
    """The key hashes of a written table."""
    stored = Hashes(folder)
    lazy = pl.scan_parquet(path, glob=False).select(key_hash(key_columns(table, daily)).alias("key"))
    for batch in lazy.collect_batches(chunk_size=BATCH_ROWS, maintain_order=False):
        stored.add(batch["key"].to_numpy())
    return stored


def _bounded(pieces: Iterator[tuple[np.ndarray, np.ndarray]]) -> Iterator[pl.Series]:
    """(hashes, their rows) → hashes, of as many rows at a time as memory may hold."""
    waiting: list[np.ndarray] = []
    size = 0
    for hashes, rows in pieces:
        groups = (size + np.cumsum(rows)) // _AT_ONCE
        for group in np.unique(groups):
            if group and waiting:
                yield pl.Series("key", np.concatenate(waiting), dtype=pl.UInt64)
                waiting = []
            waiting.append(hashes[groups == group])
        size = (size + int(rows.sum())) % _AT_ONCE if len(rows) else size
    if waiting:
        yield pl.Series("key", np.concatenate(waiting), dtype=pl.UInt64)


def repeats(written: Path, table: Table, keys: Keys, daily: bool) -> Iterator[pl.DataFrame]:
    """Rows of ``written`` whose key came before: all their columns and ``code`` (duplicate_row | conflicting_row).

    ``written`` may be rewritten without them between two answers.
    """
    columns = key_columns(table, daily)
    for twice in _bounded(_repeated(keys, daily)):
        rows = pl.scan_parquet(written, glob=False).filter(key_hash(columns).is_in(twice.implode())).collect()
        yield _marked(rows, table, columns)


def _repeated(keys: Keys, daily: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for part in keys.parts(daily):
        again = part[1:][part[1:] == part[:-1]]
        if len(again):
            hashes, counts = np.unique(again, return_counts=True)
            yield hashes, counts + 1


def _marked(rows: pl.DataFrame, table: Table, columns: list[str]) -> pl.DataFrame:
    first = [pl.col(v).eq_missing(pl.col(v).first().over(columns)) for v in _values(table)]
    same = pl.all_horizontal(first) if first else pl.lit(True)
    code = pl.when(same).then(pl.lit("duplicate_row")).otherwise(pl.lit("conflicting_row"))
    marked = rows.with_columns(pl.int_range(pl.len()).over(columns).alias("nth"), code.alias("code"))
    return marked.filter(pl.col("nth") > 0).drop("nth")


def _values(table: Table) -> list[str]:
    return [n for n in table.fields if n not in table.unique]


def common_rows(written: Path, older: Path, table: Table, daily: bool) -> int:
    """How many rows of ``written`` have a key of ``older``."""
    with tempfile.TemporaryDirectory(prefix="permu-") as folder:
        new = _stored(written, table, daily, Path(folder) / "new")
        old = _stored(older, table, daily, Path(folder) / "old")
        spilled = new.spilled or old.spilled
        parts: list[int | None] = list(range(_PARTS)) if spilled else [None]
        return sum(int(np.isin(_sorted(new.part(p)), _sorted(old.part(p))).sum()) for p in parts)


def against(
    written: Path, older: Path, gone: pl.DataFrame, table: Table, keys: Keys, daily: bool
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """(rows of ``written`` that ``older`` holds unchanged, rows of ``older`` (row, sheet) that ``written`` replaces).

    ``gone`` lists the rows (row, sheet) of ``older`` that an earlier load replaced already.
    """
    columns = key_columns(table, daily)
    with tempfile.TemporaryDirectory(prefix="permu-") as folder:
        stored = _stored(older, table, daily, Path(folder))
        for both in _bounded(_common(keys, stored, daily)):
            old = pl.scan_parquet(older, glob=False).filter(key_hash(columns).is_in(both.implode())).collect()
            old = old.join(gone.select("row", "sheet"), on=["row", "sheet"], how="anti")
            if old.height:
                yield _compared(written, old, table, columns)


def _common(keys: Keys, stored: Hashes, daily: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The hashes that both have, with the rows that the new table has of each."""
    for new in keys.parts(daily):
        hashes, counts = np.unique(new, return_counts=True)
        if len(hashes):
            first, last = (int(h >> _PART_SHIFT) for h in (hashes[0], hashes[-1]))
            parts = range(first, last + 1) if stored.spilled else [None]
            known = _sorted([h for p in parts for h in stored.part(p)])
            both = np.isin(hashes, known)
            yield hashes[both], counts[both]


def _compared(written: Path, old: pl.DataFrame, table: Table, columns: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    seen = old.select(key_hash(columns)).to_series().unique().implode()
    new = pl.scan_parquet(written, glob=False).filter(key_hash(columns).is_in(seen)).collect()
    pairs = new.join(old, on=columns, how="inner", suffix="__old", nulls_equal=True)
    equal = [pl.col(v).eq_missing(pl.col(f"{v}__old")) for v in _values(table)]
    same = pairs.with_columns((pl.all_horizontal(equal) if equal else pl.lit(True)).alias("same"))
    old_place = [pl.col("row__old").alias("row"), pl.col("sheet__old").alias("sheet")]
    replaced = same.filter(~pl.col("same")).select(old_place).unique()
    unchanged = same.filter("same").select("row", "sheet").unique()
    return new.join(unchanged, on=["row", "sheet"], how="semi"), replaced
