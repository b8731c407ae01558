"""The SQL of ``sql/merge``: the same text gives the same rows on DuckDB and on Spark, and they are what Python says.

One Spark session runs many cases at once: a case is a record key of its own.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sql import statement

RECORDS = {
    "enterprise_no": pl.Int32, "source": pl.String, "record_key": pl.String, "method": pl.String, "rows": pl.Int32,
    "origin": pl.Int64, "share_ppb": pl.Int64, "sharer_no": pl.Int32, "value": pl.Int64,
}  # fmt: skip
CLAIM = ["enterprise_no", "source", "record_key", "value", "method", "origin", "rows"]
FACT = ["enterprise_no", "value", "source", "how", "spread", "claims"]
LEAST, MOST = -(2**63), 2**63 - 1
THIRD = 333_333_333


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A Spark of this machine on two cores."""
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine: Spark does not start without one")
    sessions = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: pip install 'permu[spark]'")
    builder = sessions.SparkSession.builder.master("local[2]").appName("permu tests")
    for key, value in {
        "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1", "spark.driver.memory": "1g",
    }.items():  # fmt: skip
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def on_duckdb(name: str, **tables: pl.DataFrame) -> pl.DataFrame:
    with duckdb.connect() as db:
        for table, frame in tables.items():
            db.register(table, frame.to_arrow())
        return db.sql(statement(name)).pl()


def on_spark(session: Any, name: str, **tables: pl.DataFrame) -> pl.DataFrame:
    for table, frame in tables.items():
        session.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest())).createOrReplaceTempView(table)
    made = pl.from_arrow(session.sql(statement(name)).toArrow())
    assert isinstance(made, pl.DataFrame)
    return made


def meter(key: str, value: int, shares: list[int | None], source: str = "power") -> list[dict[str, Any]]:
    """A record with these shares (None: not shared); every third sharer is a stranger."""
    return [
        {"enterprise_no": None if n % 3 == 2 else n, "source": source, "record_key": key, "method": "m", "rows": 1,
         "origin": 7, "share_ppb": share, "sharer_no": n, "value": value}
        for n, share in enumerate(shares)
    ]  # fmt: skip


def split(value: int, shares: list[int]) -> list[int]:
    """The rule in exact fractions: floors, then one more to the largest remainders, ties to the earlier sharer."""
    complete = sum(shares) >= 999_999_000
    unit = sum(shares) if complete else 10**9
    exact = [Fraction(abs(value) * s, unit) for s in shares]
    parts = [int(x) for x in exact]
    by_rest = sorted(range(len(shares)), key=lambda n: (-(exact[n] - parts[n]), n))
    for n in by_rest[: abs(value) - sum(parts)] if complete else ():
        parts[n] += 1
    return [-p if value < 0 else p for p in parts]


def cases() -> list[tuple[str, int, list[int]]]:
    """Values to both ends of Int64; thirds, ties, zero, 140 per cent, less than the whole; many at random."""
    values = [0, 1, -1, 10, -10, 2**53, 2**53 + 1, 3 * 10**15, -(10**17) - 1, MOST, MOST - 1, LEAST, LEAST + 1]
    shares = [
        [THIRD] * 3, [333_333_000] * 3, [500_000_000] * 2, [700_000_000] * 2, [10**9], [0, 10**9], [1, 10**9 - 1],
        [300_000_000, 300_000_000], [0, 0], [10**9] * 12, [142_857_142] * 7, [2**62, 2**62 - 1], [2**31, 3],
    ]  # fmt: skip
    found = [(v, s) for v in values for s in shares]
    dice = random.Random(4)
    for _ in range(2000):
        weights = [dice.choice([0, 1, dice.randrange(10**9)]) for _ in range(dice.randrange(1, 9))]
        found.append((dice.randrange(LEAST, MOST) >> dice.randrange(64), weights))
    return [(f"account:{n}", v, s) for n, (v, s) in enumerate(found)]


@pytest.fixture(scope="module")
def records() -> pl.DataFrame:
    rows = [row for key, value, shares in cases() for row in meter(key, value, list(shares))]
    rows += [row for n, value in enumerate([LEAST, -1, 0, MOST]) for row in meter(f"uscc:{n}", value, [None], "gas")]
    return pl.DataFrame(rows, schema=RECORDS)


def claims_of(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(CLAIM).sort("source", "record_key", "enterprise_no")


def test_parts_are_exact_to_both_ends_of_int64(records: pl.DataFrame) -> None:
    said = claims_of(on_duckdb("merge/claims", records=records))
    got = {(k, e): v for k, e, v in said.select("record_key", "enterprise_no", "value").iter_rows()}
    told = [(key, n, part) for key, value, shares in cases() for n, part in enumerate(split(value, shares))]
    assert {(k, n): p for k, n, p in told if n % 3 != 2}.items() <= got.items()
    assert said.filter(pl.col("source") == "gas")["value"].to_list() == [LEAST, -1, 0, MOST]


def test_claims_are_the_same_on_both(records: pl.DataFrame, spark: Any) -> None:
    ours, theirs = on_duckdb("merge/claims", records=records), on_spark(spark, "merge/claims", records=records)
    assert ours.height > 5000
    assert_frame_equal(claims_of(ours), claims_of(theirs), check_exact=True)


def test_facts_are_the_same_on_both(spark: Any) -> None:
    """Agreement, disputes, sums of parts, negatives and half of Int64, under a trust order that is not the alphabet's."""
    dice = random.Random(5)
    values = [0, 1, -1, 2**62, -(2**61), 2**53 + 1]
    rows = [
        {"enterprise_no": dice.randrange(300), "source": source, "record_key": str(n), "value": dice.choice(values)}
        for n, source in enumerate(dice.choices(["hr", "statistics", "power"], k=900))
    ]
    rows = [r for r in rows if abs(r["value"]) < 2**61 or r["record_key"] < "3"]
    claims = pl.DataFrame(rows, schema={n: RECORDS[n] for n in ("enterprise_no", "source", "record_key", "value")})
    claims = claims.unique(["enterprise_no", "source", "value"], maintain_order=True)
    trust = pl.DataFrame(
        {"source": ["statistics", "power", "hr"], "place": [0, 1, 2]}, schema={"source": pl.String, "place": pl.Int32}
    )
    ours = on_duckdb("merge/facts", claims=claims, trust=trust).select(FACT).sort("enterprise_no")
    theirs = on_spark(spark, "merge/facts", claims=claims, trust=trust).select(FACT).sort("enterprise_no")
    assert_frame_equal(ours, theirs, check_exact=True)
    assert set(ours["how"]) == {"only_claim", "agreed", "disputed"}


def test_a_sum_beyond_int64_stops_both(spark: Any) -> None:
    rows = [row for n in range(2) for row in meter(str(n), MOST, [None])]
    claims = pl.DataFrame(rows, schema=RECORDS)
    trust = pl.DataFrame({"source": ["power"], "place": [0]}, schema={"source": pl.String, "place": pl.Int32})
    with pytest.raises(duckdb.Error):
        on_duckdb("merge/facts", claims=claims, trust=trust)
    with pytest.raises(Exception, match=r"(?i)overflow"):
        on_spark(spark, "merge/facts", claims=claims, trust=trust)


def test_ids_are_the_same_on_both(spark: Any) -> None:
    keys = ["uscc:91110108551385082Q", "name:甲", "org_code:551385082", "", "name:甲"]
    register = pl.DataFrame(
        {"origin": range(5), "record_key": keys}, schema={"origin": pl.Int64, "record_key": pl.String}
    )
    ours = on_duckdb("merge/enterprises", register=register)
    assert_frame_equal(ours, on_spark(spark, "merge/enterprises", register=register))
    assert ours["enterprise_id"].str.len_chars().unique().to_list() == [16]
