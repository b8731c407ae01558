"""Ranking a merged year written by hand for one pack, on Polars, DuckDB and pandas: the marks of the `rank` benchmarks.

The same work on the same merged tables: indicators by one division of whole numbers, size classes, ranks and counts in
ten groupings; for the composite also amounts, scope, bases (Σ/Σ by group and county), item scores, whole-number totals,
quota grades. The rankings are written as Parquet and as a DuckDB file and hashed, as a release holds them. What is left
out: flags, shown amounts, the manifest, and everything that a pack could say otherwise.

    python -m tests.bench.handwritten_rank polars|duckdb|pandas|polars_score HOME OUT    → one JSON line
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
from tests.bench.facts import DAYS, TAXES
from tests.bench.handwritten import _pandas_ranks, _rank_sql, _ranked

ITEMS = {
    # indicator: (weight, numerator and its factor, denominator and its factor)
    "tax_per_mu": (45.0, "tax_fen", DAYS, "land_dm2_days", 15),
    "sales_per_mu": (20.0, "invoiced_sales_fen", DAYS, "land_dm2_days", 15),
    "value_added_per_tce": (15.0, "value_added_fen", 10**4, "energy_ce", 1),
    "rd_ratio": (15.0, "rd_fen", 1, "main_revenue_fen", 1),
    "labour_productivity": (5.0, "value_added_fen", 1, "employees", 10**6),
}
SHARES = {"A": 25, "B": 70, "C": 95}
LEAST_DM2_DAYS = 5 * 200_000 * DAYS  # 5 mu, times 3


def merged(home: Path) -> Path:
    """The folder of the one merge."""
    return next((home / "merged").iterdir())


def _wide(home: Path) -> pl.LazyFrame:
    register, facts = (pl.scan_parquet(merged(home) / f"{n}.parquet") for n in ("enterprises", "facts_wide"))
    return register.join(facts, on="enterprise_id", how="left")


def with_polars(home: Path) -> pl.DataFrame:
    """Lazy and streaming throughout."""
    wide = _wide(home).with_columns(area_dm2=pl.col("land_dm2_days") // DAYS, everyone=pl.lit("all"))
    return _ranked(wide).collect(engine="streaming")


def with_duckdb(home: Path) -> pl.DataFrame:
    """One statement, two threads."""
    register, facts = (merged(home) / f"{n}.parquet" for n in ("enterprises", "facts_wide"))
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        wide = (
            f"SELECT e.*, f.* EXCLUDE (enterprise_id), land_dm2_days // {DAYS} AS area_dm2 "
            f"FROM '{register}' e LEFT JOIN '{facts}' f USING (enterprise_id)"
        )
        return pl.DataFrame(db.sql(_rank_sql(wide)).to_arrow_table())


def with_pandas(home: Path) -> pl.DataFrame:
    """The usual way: read, merge, rank."""
    register, facts = (pd.read_parquet(merged(home) / f"{n}.parquet") for n in ("enterprises", "facts_wide"))
    wide = register.merge(facts, on="enterprise_id", how="left")
    wide["area_dm2"] = (wide.land_dm2_days // DAYS).where(wide.land_dm2_days > 0)
    return pl.from_pandas(_pandas_ranks(wide))


# --- composite -----------------------------------------------------------------------------------------------------


def with_polars_score(home: Path) -> pl.DataFrame:
    """illustrative-2024 by hand."""
    col, key = pl.col, ["group", "region_county"]
    wide = _ranked(_wide(home).with_columns(area_dm2=col("land_dm2_days") // DAYS, everyone=pl.lit("all")))
    wide = wide.with_columns(
        everyone=pl.lit("all"),
        tax_fen=pl.sum_horizontal(TAXES),
        energy_ce=col("power_wh") * 1229 + (col("gas_litre") * 13300).fill_null(0),
        group=col("scale_group"),
        inside=(col("land_dm2_days") > 0)
        & ((col("is_above_scale") == 1) | (col("land_dm2_days") * 3 >= LEAST_DM2_DAYS)).fill_null(False),
    )
    wide = wide.with_columns(**{n: _quotient(*rule[1:]) for n, rule in ITEMS.items()})
    bases = wide.filter("inside").group_by(key).agg(**{f"base__{n}": _base(n, *r[1:]) for n, r in ITEMS.items()})
    wide = wide.join(bases, on=key, how="left")
    above = col("group") == "above_scale"
    full = pl.all_horizontal(col(f"base__{n}").is_not_null() for n in ITEMS)
    points = [(col(n) / col(f"base__{n}") * r[0]).fill_null(0.0) for n, r in ITEMS.items()]
    alone = (col("tax_per_mu") / col("base__tax_per_mu") * 100.0).fill_null(0.0)
    total = points[0] + points[1] + points[2] + points[3] + points[4]
    score = pl.when(above & full).then(total).when(~above & col("base__tax_per_mu").is_not_null()).then(alone)
    whole = (score.clip(-9e8, 9e8) * 1e10 + 0.5).floor().cast(pl.Int64)
    wide = wide.with_columns(score_e10=pl.when("inside").then(whole))
    ranks = {f"rank__score__{g}": _rank(keys or ["everyone"]) for g, keys in GROUPINGS.items()}
    counts = {f"of__score__{g}": _of(keys or ["everyone"]) for g, keys in GROUPINGS.items()}
    wide = wide.with_columns(**ranks, **counts, place=_rank(key).cast(pl.Int64), among=_of(key).cast(pl.Int64))
    return wide.with_columns(grade=_grade()).sort("uscc").collect(engine="streaming")


def _quotient(top: str, times: int, bottom: str, by: int) -> pl.Expr:
    divided = (pl.col(top) * times).cast(pl.Float64) / (pl.col(bottom) * by).cast(pl.Float64)
    return pl.when(pl.col(bottom) > 0).then(divided)


def _base(name: str, top: str, times: int, bottom: str, by: int) -> pl.Expr:
    known = pl.col(name).is_not_null()
    above, below = (pl.col(c).filter(known).sum() for c in (top, bottom))
    divided = (above.cast(pl.Float64) * float(times)) / (below.cast(pl.Float64) * float(by))
    return pl.when((above > 0) & (below > 0)).then(divided)


def _rank(keys: list[str]) -> pl.Expr:
    return pl.col("score_e10").rank("min", descending=True).over(keys).cast(pl.Int32)


def _of(keys: list[str]) -> pl.Expr:
    return pl.col("score_e10").count().over(keys).cast(pl.Int32)


def _grade() -> pl.Expr:
    grade = pl.when(pl.col("place").is_not_null()).then(pl.lit("D"))
    for name, share in reversed(SHARES.items()):
        reached = pl.col("place") * 100 <= pl.col("among") * share
        grade = pl.when(reached).then(pl.lit(name)).otherwise(grade)
    return grade


ENGINES = {"polars": with_polars, "duckdb": with_duckdb, "pandas": with_pandas, "polars_score": with_polars_score}


def main(engine: str, home: str, out: str) -> None:
    """Run one engine and print seconds and the answer's hash."""
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    (place / "release.duckdb").unlink(missing_ok=True)
    began = time.monotonic()
    table = ENGINES[engine](Path(home))
    table.write_parquet(place / "rankings.parquet")
    table_sha256(table)
    with duckdb.connect(str(place / "release.duckdb")) as db:
        db.execute("SET threads = 2")
        db.execute("CREATE TABLE rankings AS SELECT * FROM read_parquet(?)", [str(place / "rankings.parquet")])
    seconds = time.monotonic() - began
    metrics = ("score", *METRICS) if engine == "polars_score" else METRICS
    print(json.dumps({"seconds": seconds, "answer_sha256": answer_sha256(table, metrics)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
