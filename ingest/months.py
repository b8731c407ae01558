"""Which months of a year are missing from an enterprise's monthly records: a flag, never an extrapolation.

A month is missing where none of the enterprise's records of a source states it, or where one of them leaves it out
between its first and its last month (a meter taken down in June lacks nothing, one without November does). Quarterly
records are held against quarters, and an enterprise founded in the year against the months from then on.

Months are bits of one integer: January is 1, December 2048.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ingest.canonical import Year

_FIRST_MONTH = 10_000  # periods from here on are yyyymm, below they are whole years
_ALL = 2**12 - 1
_QUARTERS = 0b100100100100
_TWO = pl.lit(2, dtype=pl.Int64)
_SEEN = {
    "enterprise_no": pl.Int32, "source": pl.String, "field": pl.String, "seen": pl.Int64, "expected": pl.Int64, "gaps": pl.Int64,
    "year": pl.Int32,
}  # fmt: skip


def seen(year: Year, source: str, table: str, facts: list[str], linked: pl.DataFrame) -> list[pl.DataFrame]:
    """What months the enterprises have in a monthly table, of those that may lack one; [] where the table is yearly.

    ``linked``: record_key, enterprise_no, rows. Only keys with fewer rows than months are looked into, unless keys
    have several rows a month.
    """
    rows = year.scan(source, table)
    if rows is None or "period" not in rows.collect_schema().names():
        return []
    known = linked.select("record_key", "enterprise_no", "rows").drop_nulls("enterprise_no")
    if (known["rows"] == _ALL.bit_count()).all():  # a row a month: nothing can be missing
        return []
    held = rows.filter(pl.col("period") >= _FIRST_MONTH).select(pl.col("period") % 100).unique().collect()["period"]
    if held.is_empty():
        return []
    due = _QUARTERS if set(held) <= {3, 6, 9, 12} else _ALL
    several = bool((known["rows"] > 12).any())
    short = known if several else known.filter(pl.col("rows") < due.bit_count())
    if short.is_empty():
        return []
    masks = _masks(rows, short.select("record_key").unique(), due)
    concerned = known.join(short.select("enterprise_no").unique(), on="enterprise_no", how="semi")
    each = concerned.join(masks, on="record_key", how="left").with_columns(
        pl.col("seen").fill_null(due), pl.col("expected").fill_null(due), pl.col("gaps").fill_null(0)
    )
    by_firm = each.group_by("enterprise_no").agg(pl.col("seen", "expected", "gaps").bitwise_or())
    named = pl.lit(facts[0] if len(facts) == 1 else None, dtype=pl.String)
    lines = by_firm.with_columns(source=pl.lit(source), field=named, year=pl.lit(year.year, dtype=pl.Int32))
    return [lines.select(list(_SEEN))]


def _masks(rows: pl.LazyFrame, keys: pl.DataFrame, due: int) -> pl.DataFrame:
    """record_key, ``seen``, ``expected`` and ``gaps``; keys that state the whole year in one row lack nothing."""
    mine = rows.select("record_key", "period").join(keys.lazy(), on="record_key", how="semi")
    month = pl.col("period") % 100
    masks = mine.group_by("record_key").agg(
        whole=(pl.col("period") < _FIRST_MONTH).any(),
        seen=_TWO.pow(month - 1).filter(pl.col("period") >= _FIRST_MONTH).bitwise_or(),
        first=month.min(),
        last=month.max(),
    )
    quarterly = (pl.col("seen") & _QUARTERS) == pl.col("seen")
    masks = masks.filter(~pl.col("whole")).with_columns(
        expected=pl.when(quarterly).then(_QUARTERS & due).otherwise(due).cast(pl.Int64)
    )
    between = (_TWO.pow("last") - _TWO.pow(pl.col("first") - 1)) & pl.col("expected")
    return masks.select("record_key", "seen", "expected", gaps=_without(between, pl.col("seen"))).collect()


def _without(months: pl.Expr, those: pl.Expr) -> pl.Expr:
    return months - (months & those)


def write(folder: Path, ids: pl.Series, lines: list[pl.DataFrame]) -> dict[str, pl.Series]:
    """``coverage.parquet``, a line for each enterprise and source with months missing, and ``months_missing``.

    Columns: enterprise_id, source, field (null where the table states several and whole rows are missing),
    months_seen, months_expected, months_missing (Int32), missing ("3,11"). The series, for ``facts_wide``: the most
    months that any of its sources lacks, Int64, null where none does.
    """
    found = pl.concat([pl.DataFrame(schema=_SEEN), *lines])
    found = found.with_columns(enterprise_id=ids.gather(found["enterprise_no"]))
    founded = pl.scan_parquet(folder / "enterprises.parquet", glob=False).select("enterprise_id", "founded_on")
    found = found.lazy().join(founded, on="enterprise_id", how="left").collect()
    begun = pl.when(pl.col("founded_on").dt.year() == pl.col("year")).then(pl.col("founded_on").dt.month())
    since = pl.lit(2**12, dtype=pl.Int64) - _TWO.pow(begun.fill_null(1).cast(pl.Int64) - 1)
    found = found.with_columns(pl.col("expected") & since, pl.col("gaps") & since)
    found = found.with_columns(
        lacking=_without(pl.col("expected"), pl.col("seen")) | pl.col("gaps")
    ).filter(pl.col("lacking") > 0)  # fmt: skip
    counted = {"months_expected": pl.col("expected"), "months_missing": pl.col("lacking")}
    counted["months_seen"] = _without(pl.col("expected"), pl.col("lacking"))
    found = found.with_columns(
        **{n: e.bitwise_count_ones().cast(pl.Int32) for n, e in counted.items()}, missing=_listed("lacking")
    )
    columns = ["enterprise_id", "source", "field", "months_seen", "months_expected", "months_missing", "missing"]
    found.select(columns).sort("enterprise_id", "source", "field").write_parquet(folder / "coverage.parquet")
    most = found.group_by("enterprise_no").agg(pl.col("months_missing").max().cast(pl.Int64))
    nobody = pl.Series("months_missing", [None], dtype=pl.Int64).new_from_index(0, len(ids))
    return {"months_missing": nobody.scatter(most["enterprise_no"], most["months_missing"])}


def _listed(mask: str) -> pl.Expr:
    """The months of a mask as text: ``3,11``."""
    names = [pl.when((pl.col(mask) & 2**n) > 0).then(pl.lit(str(n + 1))) for n in range(12)]
    return pl.concat_str(names, separator=",", ignore_nulls=True)
