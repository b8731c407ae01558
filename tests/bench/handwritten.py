"""Merge and rank written by hand for one case, on Polars, DuckDB and pandas: the marks that permu is held against.

``polars`` does permu's work: the merge of tests.bench.handwritten_merge, which writes the same tables, then two indicators
by one division, size classes, ranks and counts in ten groupings, the rankings written as Parquet and hashed. The others
write less, as one would for the ranking alone: twelve months of four departments summed by record key and linked by credit
code; register, links, land lines, claims and facts in no order, nothing looked for (no parcels, no findings, no months, no
permanent ids). What all leave out: rows that disagree, shares, names, rented land, the release's folder.

    python -m tests.bench.handwritten polars|polars_less|duckdb|pandas HOME OUT    → one JSON line
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

from engine.fingerprint import table_sha256
from tests.bench.answer import GROUPINGS, METRICS, answer_sha256
from tests.bench.handwritten_merge import DAYS, YEARLY, by_hand, tables
from tests.bench.warehouse import MONTHLY, YEAR

TAXES = ("vat_fen", "corporate_income_tax_fen", "land_use_tax_fen", "property_tax_fen")
FEN = 100
SIZES = (("large", 1000, 40_000), ("medium", 300, 2_000), ("small", 20, 300))


# --- Polars ----------------------------------------------------------------------------------------------------


def with_polars(home: Path, out: Path) -> pl.DataFrame:
    """The tables of a merge, then the ranking of them."""
    by_hand(home, out)
    facts = pl.scan_parquet(out / "facts_wide.parquet").with_columns(area_dm2=pl.col("land_dm2_days") // DAYS)
    levels = ["industry_2", "industry_3", "industry_4", "region_city", "region_county", "region_town"]
    firms = pl.scan_parquet(out / "enterprises.parquet").select("enterprise_id", "uscc", "name", *levels)
    wide = firms.join(facts, on="enterprise_id").with_columns(everyone=pl.lit("all"))
    return _written(_ranked(wide).collect(engine="streaming"), out)


def _written(table: pl.DataFrame, out: Path) -> pl.DataFrame:
    table.write_parquet(out / "rankings.parquet", compression_level=1)
    table_sha256(table)
    return table


def with_less_polars(home: Path, out: Path) -> pl.DataFrame:
    """Lazy and streaming throughout."""
    files = tables(home)
    register = pl.read_parquet(
        files["commerce"], columns=["record_key", "uscc", "name", "industry_code", "region_code"]
    )
    ids = register.select("record_key", enterprise_id="E" + pl.col("uscc"))
    claims, links, wide = [], [], register.lazy()
    for source, (_, fields) in MONTHLY.items():
        totals = _totals(files[source], fields, by_account=source in ("power", "gas")).join(ids, on="record_key")
        links.append(
            totals.lazy().select("record_key", "enterprise_id", source=pl.lit(source), method=pl.lit("credit_code"))
        )
        claims += [_long(totals, source, f) for f in fields]
        wide = wide.join(totals.lazy().select("record_key", *fields), on="record_key", how="left")
    for source, fields in YEARLY.items():
        totals = pl.read_parquet(files[source], columns=["record_key", "row", *fields]).with_columns(rows=1)
        totals = totals.join(ids, on="record_key")
        links.append(
            totals.lazy().select("record_key", "enterprise_id", source=pl.lit(source), method=pl.lit("credit_code"))
        )
        claims += [_long(totals, source, f) for f in fields]
        wide = wide.join(totals.lazy().select("record_key", *fields), on="record_key", how="left")
        if source == "land":
            uses = totals.lazy().select("enterprise_id", "area_dm2", "row", days=pl.lit(DAYS), kind=pl.lit("own"))
            uses.with_columns(dm2_days=pl.col("area_dm2") * DAYS).sink_parquet(out / "land_use.parquet")
    said = pl.concat(claims)
    said.sink_parquet(out / "claims.parquet", compression_level=1)
    taken = said.select(
        "enterprise_id",
        "field",
        "source",
        "value",
        how=pl.lit("only_claim"),
        year="year",
        unit=pl.lit("fen"),
        spread=pl.lit(0),
        claims=pl.lit(1),
    )
    taken.sink_parquet(out / "facts.parquet", compression_level=1)
    pl.concat(links).sink_parquet(out / "links.parquet", compression_level=1)
    amounts = [f for _, fields in MONTHLY.values() for f in fields] + [f for fields in YEARLY.values() for f in fields]
    levelled = _levels(wide.collect(engine="streaming").lazy())
    levelled.select(pl.exclude(amounts)).sink_parquet(out / "enterprises.parquet")
    levelled.select("record_key", *amounts).sink_parquet(out / "facts_wide.parquet", compression_level=1)
    return _written(_ranked(levelled).collect(engine="streaming"), out)


def _totals(file: str, fields: dict[str, float], by_account: bool) -> pl.DataFrame:
    totals = (
        pl.scan_parquet(file)
        .group_by("record_key")
        .agg(*(pl.col(f).sum() for f in fields), rows=pl.len(), row=pl.col("row").min())
        .collect(engine="streaming")
    )
    if not by_account:
        return totals
    first = pl.scan_parquet(file).select("row", "uscc").join(totals.lazy(), on="row", how="semi")
    owner = first.collect(engine="streaming").select("row", owner="uscc:" + pl.col("uscc"))
    return totals.join(owner, on="row").drop("record_key").rename({"owner": "record_key"})


def _levels(wide: pl.LazyFrame) -> pl.LazyFrame:
    return wide.with_columns(
        everyone=pl.lit("all"),
        **{f"industry_{n}": pl.col("industry_code").str.slice(0, n) for n in (2, 3, 4)},
        **{f"region_{k}": pl.col("region_code").str.slice(0, n) for k, n in (("city", 4), ("county", 6), ("town", 9))},
    )


def _long(totals: pl.DataFrame, source: str, field: str) -> pl.LazyFrame:
    return totals.lazy().select(
        "enterprise_id", "record_key", field=pl.lit(field), source=pl.lit(source), value=pl.col(field),
        load_id=pl.lit(f"{source}-{YEAR}"), sheet=pl.lit(None, dtype=pl.String), method=pl.lit("credit_code"), year=pl.lit(YEAR, dtype=pl.Int32),
        row=pl.col("row").cast(pl.Int32), rows=pl.col("rows").cast(pl.Int32),
    )  # fmt: skip


def _ranked(wide: pl.LazyFrame) -> pl.LazyFrame:
    land = (pl.col("area_dm2") * DAYS * 15).cast(pl.Float64)
    tax = pl.sum_horizontal(TAXES)
    size = pl.lit("micro")
    for name, people, revenue in reversed(SIZES):
        reached = (pl.col("employees") >= people) & (pl.col("main_revenue_fen") >= revenue * 10**6)
        size = pl.when(reached).then(pl.lit(name)).otherwise(size)
    wide = wide.with_columns(
        output_per_mu=pl.when(land > 0).then((pl.col("invoiced_sales_fen") * DAYS).cast(pl.Float64) / land),
        benefit_per_mu=pl.when(land > 0).then((tax * DAYS).cast(pl.Float64) / land),
        size=size,
        scale_group=pl.when(pl.col("is_above_scale") == 1).then(pl.lit("above_scale")).otherwise(pl.lit("below_scale")),
    )
    ranks = {}
    for metric in METRICS:
        for grouping, keys in GROUPINGS.items():
            over = keys or ["everyone"]
            ranks[f"rank__{metric}__{grouping}"] = pl.col(metric).rank("min", descending=True).over(over).cast(pl.Int32)
            ranks[f"of__{metric}__{grouping}"] = pl.col(metric).count().over(over).cast(pl.Int32)
    return wide.with_columns(**ranks).drop("everyone").sort("uscc")


# --- DuckDB ----------------------------------------------------------------------------------------------------


def with_duckdb(home: Path, out: Path) -> pl.DataFrame:
    """One SQL script, two threads."""
    files = tables(home)
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        joins, fields = [], []
        for source, (_, names) in MONTHLY.items():
            owner = "'uscc:' || min(uscc)" if source in ("power", "gas") else "record_key"
            sums = ", ".join(f"CAST(SUM({f}) AS BIGINT) AS {f}" for f in names)
            db.execute(
                f"CREATE TABLE t_{source} AS SELECT {owner} AS record_key, {sums}, COUNT(*) AS rows, MIN(row) AS row "
                f"FROM '{files[source]}' AS records GROUP BY records.record_key"
            )
            joins.append(source)
            fields += [(source, f) for f in names]
        for source, names in YEARLY.items():
            db.execute(
                f"CREATE VIEW t_{source} AS SELECT record_key, {', '.join(names)}, 1 AS rows, row FROM '{files[source]}'"
            )
            joins.append(source)
            fields += [(source, f) for f in names]
        long = " UNION ALL ".join(
            f"SELECT record_key, '{f}' AS field, '{s}' AS source, {f} AS value, row, rows FROM t_{s}" for s, f in fields
        )
        db.execute(f"COPY ({long}) TO '{out}/claims.parquet' (COMPRESSION zstd)")
        db.execute(
            f"COPY (SELECT record_key, field, source, value, 'only_claim' AS how, {YEAR} AS year FROM ({long})) "
            f"TO '{out}/facts.parquet' (COMPRESSION zstd)"
        )
        on = " ".join(f"LEFT JOIN t_{s} USING (record_key)" for s in joins)
        db.execute(f"COPY ({_rank_sql(f'''SELECT * FROM '{files['commerce']}' {on}''')}) TO '{out}/rankings.parquet'")
    return pl.read_parquet(out / "rankings.parquet")


def _rank_sql(wide: str) -> str:
    size = " ".join(f"WHEN employees >= {p} AND main_revenue_fen >= {r * 10**6} THEN '{n}'" for n, p, r in SIZES)
    ranks = []
    for metric in METRICS:
        for grouping, keys in GROUPINGS.items():
            part = f"PARTITION BY {', '.join(keys)}" if keys else ""
            ranks.append(
                f"CASE WHEN {metric} IS NOT NULL THEN RANK() OVER ({part} ORDER BY {metric} DESC NULLS LAST) END "
                f"AS rank__{metric}__{grouping}, COUNT({metric}) OVER ({part}) AS of__{metric}__{grouping}"
            )
    land = f"CAST(area_dm2 * {DAYS * 15} AS DOUBLE)"
    return f"""
    WITH wide AS ({wide}), x AS (SELECT uscc, name,
      CASE WHEN area_dm2 > 0 THEN CAST(invoiced_sales_fen * {DAYS} AS DOUBLE) / {land} END AS output_per_mu,
      CASE WHEN area_dm2 > 0 THEN CAST(({" + ".join(TAXES)}) * {DAYS} AS DOUBLE) / {land} END AS benefit_per_mu,
      CASE {size} ELSE 'micro' END AS size,
      CASE WHEN is_above_scale = 1 THEN 'above_scale' ELSE 'below_scale' END AS scale_group,
      substr(industry_code, 1, 2) AS industry_2, substr(industry_code, 1, 3) AS industry_3, industry_code AS industry_4,
      substr(region_code, 1, 4) AS region_city, substr(region_code, 1, 6) AS region_county, region_code AS region_town
      FROM wide)
    SELECT *, {", ".join(ranks)} FROM x ORDER BY uscc"""


# --- pandas ----------------------------------------------------------------------------------------------------


def with_pandas(home: Path, out: Path) -> pl.DataFrame:
    """The usual way: read, group, merge, rank."""
    files = tables(home)
    wide = pd.read_parquet(files["commerce"], columns=["record_key", "uscc", "name", "industry_code", "region_code"])
    long = []
    for source, (_, fields) in MONTHLY.items():
        frame = pd.read_parquet(files[source], columns=["record_key", "uscc", "row", *fields])
        group = frame.groupby("record_key", sort=False)
        totals = group.agg(
            **{f: (f, "sum") for f in fields}, row=("row", "min"), rows=("row", "size"), uscc=("uscc", "first")
        )
        totals = totals.reset_index(drop=True).assign(record_key="uscc:" + totals["uscc"].astype(str).to_numpy())
        long += [_melted(totals, source, f) for f in fields]
        wide = wide.merge(totals[["record_key", *fields]], on="record_key", how="left")
    for source, fields in YEARLY.items():
        totals = pd.read_parquet(files[source], columns=["record_key", "row", *fields]).assign(rows=1)
        long += [_melted(totals, source, f) for f in fields]
        wide = wide.merge(totals[["record_key", *fields]], on="record_key", how="left")
    claims = pd.concat(long, ignore_index=True)
    claims.to_parquet(out / "claims.parquet", compression="zstd")
    claims.assign(how="only_claim", year=YEAR).to_parquet(out / "facts.parquet", compression="zstd")
    table = _pandas_ranks(wide)
    table.to_parquet(out / "rankings.parquet")
    return pl.from_pandas(table)


def _melted(totals: pd.DataFrame, source: str, field: str) -> pd.DataFrame:
    named = totals[["record_key", field, "row", "rows"]].rename(columns={field: "value"})
    return named.assign(field=field, source=source)


def _pandas_ranks(wide: pd.DataFrame) -> pd.DataFrame:
    land = (wide.area_dm2 * DAYS * 15).astype(float)
    wide["output_per_mu"] = (wide.invoiced_sales_fen * DAYS).astype(float) / land
    wide["benefit_per_mu"] = (sum(wide[t] for t in TAXES) * DAYS).astype(float) / land
    wide["size"] = "micro"
    for name, people, revenue in reversed(SIZES):
        wide.loc[(wide.employees >= people) & (wide.main_revenue_fen >= revenue * 10**6), "size"] = name
    wide["scale_group"] = wide.is_above_scale.map({1: "above_scale", 0: "below_scale"})
    for n in (2, 3, 4):
        wide[f"industry_{n}"] = wide.industry_code.str[:n]
    for level, n in (("city", 4), ("county", 6), ("town", 9)):
        wide[f"region_{level}"] = wide.region_code.str[:n]
    for metric in METRICS:
        for grouping, keys in GROUPINGS.items():
            values = wide.groupby(keys, sort=False)[metric] if keys else wide[metric]
            wide[f"rank__{metric}__{grouping}"] = values.rank(method="min", ascending=False)
            wide[f"of__{metric}__{grouping}"] = values.transform("count") if keys else wide[metric].count()
    return wide.sort_values("uscc")


ENGINES = {"polars": with_polars, "polars_less": with_less_polars, "duckdb": with_duckdb, "pandas": with_pandas}


def main(engine: str, home: str, out: str) -> None:
    """Run one engine and print seconds and the answer's hash."""
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    table = ENGINES[engine](Path(home), place)
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "answer_sha256": answer_sha256(table)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
