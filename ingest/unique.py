"""Rows that repeat a key: in one file, and against older loads of the same source and year.

Keys are held as 64-bit hashes, so twelve million rows cost a hundred megabytes; only rows whose hash repeats are
looked at again, by their true values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingest.declarations import Table

_SEED = 20_17
_PLACE = ("row", "sheet", "day")


def key_columns(table: Table, daily: bool) -> list[str]:
    """The columns that make a row of ``table`` unique; with daily records the day is one of them."""
    return [*table.unique, *(["day"] if daily and table.period in table.unique else [])]


def key_hash(columns: list[str]) -> pl.Expr:
    """One UInt64 per row; equal keys have equal hashes (null is a value)."""
    return pl.struct(columns).hash(_SEED)


@dataclass
class Keys:
    """The keys of one table as they are written."""

    table: Table
    hashes: list[pl.DataFrame] = field(default_factory=list)

    def add(self, kept: pl.DataFrame) -> None:
        """Remember a batch's keys (none where the table allows repeats)."""
        if not self.table.unique or kept.height == 0:
            return
        exprs = [key_hash(key_columns(self.table, False)).alias("plain")]
        if self.table.period in self.table.unique:
            exprs.append(key_hash(key_columns(self.table, True)).alias("daily"))
        self.hashes.append(kept.select(exprs))

    def all(self, daily: bool) -> pl.Series:
        """Every hash, in the order of the rows."""
        name = "daily" if daily and self.table.period in self.table.unique else "plain"
        frames = [f.select(pl.col(name).alias("key")) for f in self.hashes]
        return pl.concat(frames)["key"] if frames else pl.Series("key", [], dtype=pl.UInt64)


def repeats(written: Path, table: Table, keys: Keys, daily: bool) -> pl.DataFrame:
    """Rows of ``written`` whose key came before: all their columns and ``code`` (duplicate_row | conflicting_row)."""
    hashes = keys.all(daily)
    twice = hashes.filter(hashes.is_duplicated()).unique()
    columns = key_columns(table, daily)
    values = _values(table)
    if twice.len() == 0:
        return pl.DataFrame(schema={**table.columns, "code": pl.String})
    rows = pl.scan_parquet(written, glob=False).filter(key_hash(columns).is_in(twice.implode())).collect()
    first = [pl.col(v).eq_missing(pl.col(v).first().over(columns)) for v in values]
    marked = rows.with_columns(
        pl.int_range(pl.len()).over(columns).alias("nth"),
        pl.when(pl.all_horizontal(first))
        .then(pl.lit("duplicate_row"))
        .otherwise(pl.lit("conflicting_row"))
        .alias("code"),
    )
    return marked.filter(pl.col("nth") > 0).drop("nth")


def _values(table: Table) -> list[str]:
    return [n for n in table.fields if n not in table.unique]


def against(
    written: Path, older: Path, gone: pl.DataFrame, table: Table, keys: Keys, daily: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(rows of ``written`` that ``older`` holds unchanged, rows of ``older`` (row, sheet) that ``written`` replaces).

    ``gone`` lists the rows (row, sheet) of ``older`` that an earlier load replaced already.
    """
    columns = key_columns(table, daily)
    known = keys.all(daily).unique().implode()
    old = pl.scan_parquet(older, glob=False).filter(key_hash(columns).is_in(known)).collect()
    old = old.join(gone.select("row", "sheet"), on=["row", "sheet"], how="anti")
    if old.height == 0:
        return pl.DataFrame(schema=table.columns), pl.DataFrame(schema={"row": pl.Int32, "sheet": pl.String})
    seen = old.select(key_hash(columns)).to_series().unique().implode()
    new = pl.scan_parquet(written, glob=False).filter(key_hash(columns).is_in(seen)).collect()
    pairs = new.join(old, on=columns, how="inner", suffix="__old", nulls_equal=True)
    equal = [pl.col(v).eq_missing(pl.col(f"{v}__old")) for v in _values(table)]
    same = pairs.with_columns(pl.all_horizontal(equal).alias("same"))
    old_place = [pl.col("row__old").alias("row"), pl.col("sheet__old").alias("sheet")]
    replaced = same.filter(~pl.col("same")).select(old_place).unique()
    unchanged = same.filter("same").select("row", "sheet").unique()
    return new.join(unchanged, on=["row", "sheet"], how="semi"), replaced
