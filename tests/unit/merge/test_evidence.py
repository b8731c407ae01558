"""Claims and facts: shared meters split without loss, agreement and trust between sources, and the short way."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.evidence import Records, decided, undecided
from ingest.rules import load_rules
from tests.unit.merge.tables import HALF, THIRD

RECORDS = {
    "enterprise_no": pl.Int32, "record_key": pl.String, "method": pl.String, "rows": pl.Int32, "origin": pl.Int64,
    "share_ppb": pl.Int64, "sharer_no": pl.Int32, "source": pl.String, "value": pl.Int64,
}  # fmt: skip


def record(
    enterprise: int | None,
    value: int,
    source: str = "power",
    key: str | None = None,
    share: int | None = None,
    sharer: int = 0,
) -> dict[str, Any]:
    return {
        "enterprise_no": enterprise, "record_key": key or f"account:{enterprise}", "method": "credit_code", "rows": 12,
        "origin": 7, "share_ppb": share, "sharer_no": sharer, "source": source, "value": value,
    }  # fmt: skip


def shared(value: int, *shares: int, linked: bool = True) -> list[dict[str, Any]]:
    """One meter of ``value`` with these shares; every second sharer is a stranger where not all are ``linked``."""
    return [
        record(n if linked or n % 2 == 0 else None, value, key="account:9", share=s, sharer=n)
        for n, s in enumerate(shares)
    ]


def decide(rows: list[dict[str, Any]], *order: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = pl.DataFrame(rows, schema=RECORDS)
    said, taken = decided(frame, list(order) or sorted(frame["source"].unique()))
    return said.collect(), taken.collect()


def values(rows: list[dict[str, Any]]) -> list[int]:
    return decide(rows)[0]["value"].to_list()


# --- shared meters ----------------------------------------------------------------------------------------------

SPLITS = [
    (10, [THIRD] * 3, [4, 3, 3]),
    (11, [THIRD] * 3, [4, 4, 3]),
    (10**10, [THIRD] * 3, [3_333_333_334, 3_333_333_333, 3_333_333_333]),  # a billionth of a large meter is many units
    (10**13 + 1, [333_333_000] * 3, [3_333_333_333_334, 3_333_333_333_334, 3_333_333_333_333]),  # 0.333333 as written
    (-10, [THIRD] * 3, [-4, -3, -3]),
    (0, [HALF, HALF], [0, 0]),
    (10, [250_000_000, 750_000_000], [3, 7]),  # equal remainders: the earlier sharer
    (10, [600_000_000, 600_000_000], [5, 5]),  # above 1: no unit is counted twice
    (10, [300_000_000, 300_000_000], [3, 3]),  # below 1: the rest is nobody's
    (7, [10**9], [7]),
]


@pytest.mark.parametrize(("value", "shares", "expected"), SPLITS)
def test_split(value: int, shares: list[int], expected: list[int]) -> None:
    assert values(shared(value, *shares)) == expected


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(1, 10**9), min_size=1, max_size=12))
def test_a_whole_meter_is_conserved_to_the_unit(value: int, weights: list[int]) -> None:
    """Any shares that sum to 1: their parts sum to the meter, and none is off its share by a unit."""
    shares = [w * 10**9 // sum(weights) for w in weights]
    shares[0] += 10**9 - sum(shares)
    parts = values(shared(value, *shares))
    assert sum(parts) == value
    assert all(abs(p * 10**9 - value * s) < 10**9 for p, s in zip(parts, shares, strict=True))


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**9), min_size=2, max_size=6))
def test_a_meter_is_never_counted_twice(value: int, shares: list[int]) -> None:
    parts = values(shared(value, *shares))
    assert abs(sum(parts)) <= abs(value)
    if sum(shares) >= 10**9:
        assert sum(parts) == value


def test_a_stranger_keeps_its_part() -> None:
    said, taken = decide(shared(10, HALF, HALF, linked=False))
    assert said["value"].to_list() == [5] and taken["value"].to_list() == [5]


def test_meters_of_one_enterprise_are_summed() -> None:
    rows = [*shared(10, HALF, HALF), record(0, 100, key="account:1")]
    said, taken = decide(rows)
    assert said.height == 3
    assert list(taken.select("enterprise_no", "value", "how", "claims").iter_rows()) == [
        (0, 105, "only_claim", 2),
        (1, 5, "only_claim", 1),
    ]


# --- several sources --------------------------------------------------------------------------------------------


def test_agreed_disputed_and_only_claim() -> None:
    rows = [
        record(0, 5, "hr"), record(0, 5, "statistics"), record(1, 5, "hr"), record(1, 9, "statistics"),
        record(2, 4, "hr"), record(3, 2, "statistics", "a"), record(3, 3, "statistics", "b"), record(3, 5, "hr"),
    ]  # fmt: skip
    _, taken = decide(rows, "statistics", "hr")
    assert list(taken.select("enterprise_no", "value", "source", "how", "spread", "claims").iter_rows()) == [
        (0, 5, "statistics", "agreed", 0, 2),
        (1, 9, "statistics", "disputed", 4, 2),
        (2, 4, "hr", "only_claim", 0, 1),
        (3, 5, "statistics", "agreed", 0, 3),
    ]


def test_the_trust_order_decides_whom_to_believe() -> None:
    rows = [record(0, 5, "hr"), record(0, 9, "statistics")]
    assert decide(rows, "hr", "statistics")[1]["value"].to_list() == [5]
    assert decide(rows, "statistics", "hr")[1]["value"].to_list() == [9]


def test_trust_order_of_the_rules() -> None:
    rules = load_rules()
    assert rules.order("employees", ["hr", "statistics"]) == ["statistics", "hr"]
    assert rules.order("power_wh", ["statistics", "power"]) == ["power", "statistics"]
    assert rules.order("vat_fen", ["b", "a"]) == ["a", "b"]


# --- the short way ----------------------------------------------------------------------------------------------

VALUES = st.lists(st.one_of(st.none(), st.integers(-(10**15), 10**15)), max_size=20)


@settings(max_examples=50)
@given(VALUES)
def test_undecided_is_what_the_sql_decides(amounts: list[int | None]) -> None:
    """Where each enterprise has one unshared record, the rows written as they are equal the SQL's."""
    rows = [record(n, v or 0) | {"value": v, "origin": 1000 - n} for n, v in enumerate(amounts)]
    frame = pl.DataFrame(rows, schema=RECORDS).rename({"value": "power_wh"}).drop("source")
    records = Records.of_frame("power", ["power_wh"], frame)
    assert records.plain
    short = undecided(records.of("power_wh"))
    long = decided(records.of("power_wh").collect(), ["power"])
    for ours, theirs in zip(short, long, strict=True):
        assert_frame_equal(ours.collect(), theirs.collect(), check_exact=True)


def test_only_single_unshared_records_take_the_short_way() -> None:
    def plain(rows: list[dict[str, Any]]) -> bool:
        return Records.of_frame("power", ["value"], pl.DataFrame(rows, schema=RECORDS)).plain

    assert plain([record(0, 1), record(1, 1)])
    assert not plain([record(0, 1), record(0, 1, key="account:5")])
    assert not plain(shared(1, 10**9))
