"""Parquet and Arrow files (IPC, Feather): columns carry names; every value is read as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from ingest.read.database import ADDRESS, QUERY
from ingest.read.sheet import BATCH_ROWS, SAMPLE_ROWS, Sheet, unreadable


def open_sheets(path: Path) -> list[Sheet]:
    """The one table of the file; nested and binary columns are left out. The row number is the record's."""
    with path.open("rb") as handle:
        head = handle.read(6)
    if head[:4] == b"FEA1":
        raise unreadable(
            path, "it is Feather version 1; write it as version 2 or Parquet", "是 Feather 第 1 版；请存为第 2 版"
        )
    arrow = head == b"ARROW1"
    lazy = pl.scan_ipc(path, glob=False) if arrow else pl.scan_parquet(path, glob=False)
    schema = lazy.collect_schema()
    flat = [name for name, kind in schema.items() if not kind.is_nested() and kind != pl.Binary]
    texts = [_text(name, schema[name]).alias(f"c{i}") for i, name in enumerate(flat)]
    named = lazy.select(texts).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))

    def read() -> Iterator[pl.DataFrame]:
        yield from named.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)

    notes = [] if arrow else _told(path)
    return [Sheet("", "parquet", named.head(SAMPLE_ROWS).collect(), read, header=flat, notes=notes)]


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    """Yes and no as 1 and 0, as flags are read; a time of day on a date is cut off by the date's own reading."""
    column = pl.col(name)
    return column.cast(pl.Int8).cast(pl.String) if kind == pl.Boolean else column.cast(pl.String)


def _told(path: Path) -> list[str]:
    """What a query's answer carries: where it came from and the query's text."""
    told = pq.read_schema(path).metadata or {}
    named = (("from", ADDRESS), ("query", QUERY))
    return [f"{name}: {told[key].decode('utf-8', 'replace')}" for name, key in named if key in told]
