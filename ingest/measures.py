"""From records to one value a record key and year: the amounts of every table that supplies facts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from engine.schema.facts import FACTS
from ingest.canonical import Year

_ABOUT = ("name", "uscc", "org_code", "reg_no", "local_id", "region_code")


def fact_tables(year: Year) -> list[tuple[str, str, list[str]]]:
    """(source, table, its fact columns) of every table that supplies amounts by record key."""
    found = []
    for (source, table), files in year.tables().items():
        columns: set[str] = set()
        for _, file in files:
            columns |= set(pl.read_parquet_schema(file))
        facts = [name for name in FACTS if name in columns]
        if facts:
            found.append((source, table, facts))
    return found


def year_totals(year: Year, source: str, table: str, facts: list[str]) -> pl.DataFrame:
    """One row a record key: its facts over the year (Int64, null where no row gave one), ``rows``, ``origin`` of the
    first row. Sums are over integers, hence the same in any order.
    """
    rows = year.scan(source, table)
    assert rows is not None
    rows = _without_doubles(rows.filter(pl.col("record_key").is_not_null()))
    files = [file for _, file in year.tables()[source, table]]
    partial = [f for f in facts if FACTS[f].over_year == "mean" or _has_gaps(files, f)]
    totals = [_total(f) for f in facts] + [pl.col(f).count().cast(pl.Int64).alias(f"{f}__n") for f in partial]
    grouped = rows.group_by("record_key").agg(*totals, rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
    grouped = grouped.with_columns(*(_value(f) for f in partial)).drop([f"{f}__n" for f in partial])
    return grouped.collect(engine="streaming")


_MONTH = 10_000  # periods from here on are yyyymm, below they are yyyy


def _mixed(rows: pl.LazyFrame) -> bool:
    """Whether a table holds months and whole years."""
    if "period" not in rows.collect_schema().names():
        return False
    least, most = rows.select(a=pl.col("period").min(), b=pl.col("period").max()).collect(engine="streaming").row(0)
    return least is not None and least < _MONTH <= most


def _doubles(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of a whole year whose key has months too: the months' total, which must not be added to them."""
    months = rows.filter(pl.col("period") >= _MONTH).select("record_key").unique()
    return rows.filter(pl.col("period") < _MONTH).join(months, on="record_key", how="semi")


def _without_doubles(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.join(_doubles(rows).select("origin"), on="origin", how="anti") if _mixed(rows) else rows


def beside_months(year: Year, source: str, table: str) -> pl.DataFrame | None:
    """The rows that :func:`year_totals` leaves out because months say the same, for people to look at."""
    rows = year.scan(source, table)
    if rows is None or not _mixed(rows):
        return None
    name = pl.col("name") if "name" in rows.collect_schema().names() else pl.lit(None, dtype=pl.String)
    left = _doubles(rows).select(
        source=pl.lit(source), record_key="record_key", name=name, reason=pl.lit("year_row_beside_months"),
        rows=pl.lit(1, dtype=pl.Int32), origin="origin",
    )  # fmt: skip
    return left.collect()


def with_account(year: Year, source: str, table: str, totals: pl.DataFrame) -> pl.DataFrame:
    """``totals`` with what the first row of each account says of whom it is about (name, uscc, local_id, region_code).

    Other keys say themselves who is meant.
    """
    rows = year.scan(source, table)
    assert rows is not None
    about = [c for c in _ABOUT if c in rows.collect_schema().names()]
    if not about or not totals["record_key"].str.starts_with("account:").any():
        return totals
    first = rows.filter(year.until(totals["origin"])).select("origin", *about)
    first = first.join(totals.lazy().select("origin"), on="origin", how="semi")
    # sorted, the two are merged row by row: a third of what looking each one up takes
    return totals.sort("origin").join(first.collect(engine="streaming").sort("origin"), on="origin", how="left")


def with_names(year: Year, source: str, table: str, unlinked: pl.DataFrame) -> pl.DataFrame:
    """Unlinked records with the name that their first row states, where the key is a code: people look for names."""
    rows = year.scan(source, table)
    nameless = unlinked.filter(pl.col("name").is_null())
    if rows is None or nameless.is_empty() or "name" not in rows.collect_schema().names():
        return unlinked
    first = rows.select("origin", stated="name").join(nameless.lazy().select("origin"), on="origin", how="semi")
    joined = unlinked.join(first.collect(engine="streaming"), on="origin", how="left", maintain_order="left")
    return joined.with_columns(name=pl.coalesce("name", "stated")).drop("stated")


def _has_gaps(files: list[Path], fact: str) -> bool:
    """Whether any row may lack the fact, by the files' own statistics (a count per key is dear)."""
    for file in files:
        held = pq.read_metadata(file)
        if fact not in held.schema.names:
            return True
        place = held.schema.names.index(fact)
        counts = [held.row_group(n).column(place).statistics for n in range(held.num_row_groups)]
        if any(c is None or not c.has_null_count or c.null_count for c in counts):
            return True
    return False


def _total(fact: str) -> pl.Expr:
    value = pl.col(fact)
    return value.max() if FACTS[fact].over_year == "max" else value.sum()


def _value(fact: str) -> pl.Expr:
    total, n = pl.col(fact), pl.col(f"{fact}__n")
    value = (2 * total + n) // (2 * n) if FACTS[fact].over_year == "mean" else total
    return pl.when(n > 0).then(value).alias(fact)
