"""Parquet and Arrow files: columns carry names; every value is read as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ingest.read.sheet import BATCH_ROWS, SAMPLE_ROWS, Sheet


def open_sheets(path: Path) -> list[Sheet]:
    """The one table of the file; nested and binary columns are left out. The row number is the record's."""
    with path.open("rb") as handle:
        arrow = handle.read(6) == b"ARROW1"
    lazy = pl.scan_ipc(path) if arrow else pl.scan_parquet(path, glob=False)
    schema = lazy.collect_schema()
    flat = [name for name, kind in schema.items() if not kind.is_nested() and kind != pl.Binary]
    texts = [pl.col(name).cast(pl.String).alias(f"c{i}") for i, name in enumerate(flat)]
    named = lazy.select(texts).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))

    def read() -> Iterator[pl.DataFrame]:
        yield from named.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)

    return [Sheet("", "parquet", named.head(SAMPLE_ROWS).collect(), read, header=flat)]
