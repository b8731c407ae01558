"""What became of the rows of a file's sheets, as people count them.

A row of a wide table (a column for each month) holds up to twelve records. It counts once: as refused, under its first
reason, where any of its cells was, else as kept. Everywhere else a row is a record and the counts are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from ingest.loading import Loading

_AT = ["sheet", "row"]


@dataclass(frozen=True)
class Counts:
    """``rows_in`` = ``kept`` + ``refused`` + ``furniture``; ``reasons`` add up to ``refused``."""

    rows_in: int
    kept: int
    refused: int
    furniture: int
    reasons: Mapping[str, int]


def counts(loading: Loading) -> Counts:
    """The counts of sheet rows of a load that was read and settled."""
    kept, furniture, reasons = loading.kept, loading.furniture, Counter(loading.reasons)
    wide = {p.sheet.name: p.sheet.name.removesuffix(f"{p.month.month}月").strip() for p in loading.job.plans if p.month}
    if wide:
        sheets = list(wide)
        stored = [pl.scan_parquet(s.path, glob=False).select(_AT) for s in loading.tables.values()]
        records = pl.concat([_of(one, sheets) for one in stored])
        refused = _of(pl.scan_parquet(loading.refused.path, glob=False).select(*_AT, "code"), sheets)
        around = pl.DataFrame(loading.month_furniture, schema=records.schema, orient="row")
        first = _by_row(refused, wide)
        whole = _by_row(records, wide).join(first, on=_AT, how="anti")
        beside = _by_row(around, wide).join(pl.concat([first.select(_AT), whole.select(_AT)]), on=_AT, how="anti")
        kept += whole.height - records.height
        furniture += beside.height - around.height
        reasons.subtract(refused["code"].to_list())
        reasons.update(first["code"].to_list())
    told = {code: n for code, n in sorted(reasons.items()) if n}
    total = sum(told.values())
    return Counts(kept + total + furniture, kept, total, furniture, told)


def _of(rows: pl.LazyFrame, sheets: list[str]) -> pl.DataFrame:
    return rows.filter(pl.col("sheet").is_in(sheets)).collect()


def _by_row(records: pl.DataFrame, wide: dict[str, str]) -> pl.DataFrame:
    """One line a row of the sheet as it came, with what the first month's record says."""
    order = {name: place for place, name in enumerate(wide)}
    placed = records.with_columns(month=pl.col("sheet").replace_strict(order, return_dtype=pl.Int32))
    named = placed.sort("month").with_columns(sheet=pl.col("sheet").replace_strict(wide))
    return named.unique(_AT, keep="first", maintain_order=True)
