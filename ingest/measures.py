"""From records to one value a record key and year: the amounts of every table that supplies facts."""

from __future__ import annotations

import polars as pl

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
    first row, and what that row says of whom it is about (``name``, ``uscc``, ``local_id``, ``region_code``).

    Sums are over integers, hence the same in any order.
    """
    rows = year.scan(source, table)
    assert rows is not None
    rows = rows.filter(pl.col("record_key").is_not_null())
    totals = [a for f in facts for a in _totals(f)]
    grouped = (
        rows.group_by("record_key")
        .agg(*totals, rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
        .with_columns(*(_value(f) for f in facts))
        .drop([f"{f}__n" for f in facts])
        .collect(engine="streaming")
    )
    about = [c for c in _ABOUT if c in rows.collect_schema().names()]
    first = rows.select("origin", *about).join(grouped.lazy().select("origin"), on="origin", how="semi")
    return grouped.join(first.collect(engine="streaming"), on="origin", how="left")


def _totals(fact: str) -> list[pl.Expr]:
    value = pl.col(fact)
    whole = value.max() if FACTS[fact].over_year == "max" else value.sum()
    return [whole.alias(fact), value.count().cast(pl.Int64).alias(f"{fact}__n")]


def _value(fact: str) -> pl.Expr:
    total, n = pl.col(fact), pl.col(f"{fact}__n")
    value = (2 * total + n) // (2 * n) if FACTS[fact].over_year == "mean" else total
    return pl.when(n > 0).then(value).alias(fact)
