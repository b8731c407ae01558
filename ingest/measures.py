"""From records to one value a record key and year: the amounts of every table that supplies facts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from engine.schema.facts import FACTS
from ingest.canonical import Year

_ABOUT = ("name", "uscc", "local_id", "region_code")


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
    rows = rows.filter(pl.col("record_key").is_not_null())
    files = [file for _, file in year.tables()[source, table]]
    partial = [f for f in facts if FACTS[f].over_year == "mean" or _has_gaps(files, f)]
    totals = [_total(f) for f in facts] + [pl.col(f).count().cast(pl.Int64).alias(f"{f}__n") for f in partial]
    grouped = rows.group_by("record_key").agg(*totals, rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
    grouped = grouped.with_columns(*(_value(f) for f in partial)).drop([f"{f}__n" for f in partial])
    return grouped.collect(engine="streaming")


def with_account(year: Year, source: str, table: str, totals: pl.DataFrame) -> pl.DataFrame:
    """``totals`` with what the first row of each account says of whom it is about (name, uscc, local_id, region_code).

    Other keys say themselves who is meant.
    """
    rows = year.scan(source, table)
    assert rows is not None
    about = [c for c in _ABOUT if c in rows.collect_schema().names()]
    if not about or not totals["record_key"].str.starts_with("account:").any():
        return totals
    first = rows.select("origin", *about).join(totals.lazy().select("origin"), on="origin", how="semi")
    return totals.join(first.collect(engine="streaming"), on="origin", how="left")


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
