"""Land used: own + rented in − rented out, in dm² × days; parcels split by share, by date, by largest remainder."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import land
from tests.unit.merge.tables import HALF, THIRD, OneYear, Row, holding, lease, links

KEYS = ("A", "B", "C", "D")


def lines(
    year: int = 2024, parcels: list[Row] | None = None, leases: list[Row] | None = None, known: tuple[str, ...] = KEYS
) -> pl.DataFrame:
    tables = {} if parcels is None else {"parcel": parcels}
    one = OneYear(**tables, **({} if leases is None else {"occupancy": leases}))
    held = land.holdings(one)
    areas = {p["parcel_code"]: p["area_dm2"] for p in parcels or []}
    table = pl.DataFrame(
        {"parcel_code": list(areas), "area": list(areas.values())}, schema={"parcel_code": pl.String, "area": pl.Int64}
    )
    return land.uses(held, land.leases(one, table), links(*known), year)


def used(*args: object, **named: object) -> dict[str, int]:
    total = land.used(lines(*args, **named))  # type: ignore[arg-type]
    return {e.removeprefix("E-"): n for e, n in total.select("enterprise_id", "land_dm2_days").iter_rows()}


def found(parcels: list[Row] | None = None, leases: list[Row] | None = None) -> list[tuple[str, str | None]]:
    one = OneYear(
        **({} if parcels is None else {"parcel": parcels}), **({} if leases is None else {"occupancy": leases})
    )
    nothing = pl.DataFrame(schema={"parcel_code": pl.String, "area": pl.Int64})
    held, leased = land.holdings(one), land.leases(one, nothing)
    table = land.findings(held, leased, land.uses(held, leased, links(*KEYS), 2024))
    return list(table.select("finding", "record_key").iter_rows())


@pytest.mark.parametrize(("year", "days"), [(2023, 365), (2024, 366), (2000, 366), (1900, 365), (2100, 365)])
def test_days_of_a_year(year: int, days: int) -> None:
    assert land.days_of(year) == days
    assert used(year, [holding("P", "A", 1000)]) == {"A": 1000 * days}


def test_more_rented_out_than_held_is_found() -> None:
    parcels, leases = [holding("P", "A", 1000)], [lease("P", "A", "B", 1500)]
    assert used(2023, parcels, leases) == {"A": -500 * 365, "B": 1500 * 365}
    assert ("rented_out_over_held", "E-A") in found(parcels, leases)
    assert not [f for f in found(parcels, [lease("P", "A", "B", 1000)]) if f[0] == "rented_out_over_held"]


# --- who has what -----------------------------------------------------------------------------------------------


def test_own_and_rented_in_and_out() -> None:
    parcels = [holding("P", "A", 10_000), holding("Q", "B", 500)]
    leases = [lease("P", "A", "B", 3000), lease("P", "A", "C", 1000)]
    assert used(2023, parcels, leases) == {"A": 6000 * 365, "B": 3500 * 365, "C": 1000 * 365}
    table = lines(2023, parcels, leases)
    kinds = table.filter(pl.col("enterprise_id") == "E-A")["kind"].to_list()
    assert kinds == ["own", "rented_out", "rented_out"]
    assert table.filter(pl.col("kind") == "rented_out")["dm2_days"].to_list() == [-3000 * 365, -1000 * 365]


def test_a_tenant_counts_even_where_its_lessor_is_a_stranger() -> None:
    assert used(2023, [holding("P", "A", 10)], [lease("P", "X", "B", 4)]) == {"A": 3650, "B": 1460}
    assert used(2023, [holding("P", "A", 10)], [lease("P", "A", None, 4)]) == {"A": 6 * 365}


def test_leases_without_any_parcel_table() -> None:
    assert used(2023, None, [lease(None, "A", "B", 4)]) == {"A": -1460, "B": 1460}


def test_who_has_no_line_has_no_land() -> None:
    assert used(2023, [holding("P", "A", 10), holding("Q", None, 99), holding("R", "X", 7)]) == {"A": 3650}


RIGHTS = [
    (None, None, 366), ("2024-01-01", "2024-12-31", 366), ("2023-05-01", None, 366), (None, "2030-01-01", 366),
    ("2024-02-29", "2024-02-29", 1), ("2024-03-01", None, 306), (None, "2024-02-29", 60), ("2024-12-31", None, 1),
    ("2025-01-01", None, 0), (None, "2023-12-31", 0), ("2024-06-30", "2024-06-01", 0), ("2010-01-01", "2060-01-01", 366),
]  # fmt: skip


@pytest.mark.parametrize(("begin", "end", "days"), RIGHTS)
def test_dated_rights_within_the_year(begin: str | None, end: str | None, days: int) -> None:
    assert used(2024, [holding("P", "A", 7, None, begin, end)]) == {"A": 7 * days}
    assert used(2024, None, [lease("P", "A", "B", 7, None, begin, end)]) == {"A": -7 * days, "B": 7 * days}


def test_a_sale_in_the_year_gives_each_owner_his_own_days() -> None:
    sale = [holding("P", "A", 900, None, "2010-01-01", "2024-06-30"), holding("P", "B", 900, None, "2024-07-01", None)]
    assert used(2024, sale) == {"A": 900 * 182, "B": 900 * 184}
    assert found(sale) == []


def test_a_sale_whose_dates_share_one_day_is_a_sale() -> None:
    sale = [holding("P", "A", 900, None, "2010-01-01", "2024-07-01"), holding("P", "B", 900, None, "2024-07-01", None)]
    assert used(2024, sale) == {"A": 900 * 183, "B": 900 * 184}
    assert found(sale) == []


def test_two_holders_sell_to_one() -> None:
    """Shares are split among those who hold together, not among all who ever held."""
    rows = [
        holding("P", "A", 1000, HALF, "2010-01-01", "2024-06-30"),
        holding("P", "B", 1000, HALF, "2010-01-01", "2024-06-30"),
        holding("P", "C", 1000, 10**9, "2024-07-01", None),
    ]
    assert used(2024, rows) == {"A": 500 * 182, "B": 500 * 182, "C": 1000 * 184}
    assert found(rows) == []


def test_two_holders_without_shares_sell_to_one() -> None:
    rows = [holding("P", k, 1000, None, "2010-01-01", "2024-06-30") for k in "AB"] + [
        holding("P", "C", 1000, None, "2024-07-01")
    ]
    assert used(2024, rows) == {"A": 500 * 182, "B": 500 * 182, "C": 1000 * 184}
    assert found(rows) == [("share_assumed", "A"), ("share_assumed", "B")]


# --- shares -----------------------------------------------------------------------------------------------------


def parts(rows: list[Row]) -> list[tuple[str, int]]:
    held = land.holdings(OneYear(parcel=rows))
    assert held is not None
    return sorted(held.select("record_key", "part_dm2").iter_rows())


def test_thirds_sum_to_the_parcel() -> None:
    for area in (1, 2, 3, 100, 1_000_003, 10**12 + 1):
        third = parts([holding("P", k, area, THIRD) for k in "ABC"])
        assert sum(n for _, n in third) == area
        assert max(n for _, n in third) - min(n for _, n in third) <= 1


def test_the_larger_remainder_gets_the_rest() -> None:
    rows = [holding("P", "A", 10, 250_000_000), holding("P", "B", 10, 750_000_000)]
    assert parts(rows) == [("A", 3), ("B", 7)]  # 2.5 and 7.5: a tie goes to the earlier record
    assert parts(rows[::-1]) == [("A", 2), ("B", 8)]


def test_declared_shares_below_one_leave_the_rest_to_nobody() -> None:
    assert parts([holding("P", "A", 1000, 250_000_000), holding("P", "B", 1000, 250_000_000)]) == [
        ("A", 250),
        ("B", 250),
    ]
    assert parts([holding("P", "A", 1000, 300_000_000)]) == [("A", 300)]


def test_shares_above_one_are_cut_and_found() -> None:
    rows = [holding("P", "A", 900, 800_000_000), holding("P", "B", 900, 400_000_000)]
    assert parts(rows) == [("A", 600), ("B", 300)]
    assert found(rows) == [("parcel_shares_over_one", "A"), ("parcel_shares_over_one", "B")]


def test_equal_parts_where_shares_are_missing_are_flagged() -> None:
    rows = [holding("P", k, 1000) for k in "ABC"]
    assert [n for _, n in parts(rows)] == [334, 333, 333]
    assert found(rows) == [("share_assumed", k) for k in "ABC"]


def test_rows_that_state_their_own_area_keep_it() -> None:
    rows = [holding("P", "A", 700), holding("P", "B", 300)]
    assert parts(rows) == [("A", 700), ("B", 300)] and found(rows) == []


def test_a_missing_share_gets_what_the_declared_ones_leave() -> None:
    rows = [holding("P", "A", 1000, 600_000_000), holding("P", "B", 1000), holding("P", "C", 1000)]
    assert parts(rows) == [("A", 600), ("B", 200), ("C", 200)]
    assert found(rows) == [("share_assumed", "B"), ("share_assumed", "C")]


SHARES = st.lists(st.integers(0, 2 * 10**9), min_size=2, max_size=6)


@given(st.integers(0, 10**12), SHARES)
def test_declared_shares_never_give_more_than_the_parcel(area: int, shares: list[int]) -> None:
    split = parts([holding("P", f"K{n}", area, s) for n, s in enumerate(shares)])
    total = sum(n for _, n in split)
    if sum(shares) >= 10**9:
        assert total == area
    else:
        assert total <= area
    for (_, part), share in zip(split, shares, strict=True):
        exact = area * share / max(sum(shares), 10**9)
        assert abs(part - exact) < 2 + exact / 10**5


@given(st.lists(st.tuples(st.integers(-200, 600), st.integers(0, 400), st.integers(1, 3)), min_size=1, max_size=5))
def test_owners_that_follow_each_other_fill_the_days_they_hold(spans: list[tuple[int, int, int]]) -> None:
    """Rights one after the other, never overlapping: each holder has the whole parcel for its own days."""
    rows, begin, expected = [], date(2023, 1, 1), 0
    for n, (gap, length, _) in enumerate(spans):
        start = begin + timedelta(days=max(gap, 1))
        end = start + timedelta(days=length)
        rows.append(holding("P", f"K{n}", 100, None, start.isoformat(), end.isoformat()))
        first, last = max(start, date(2024, 1, 1)), min(end, date(2024, 12, 31))
        expected += 100 * max(0, (last - first).days + 1)
        begin = end
    total = used(2024, rows, known=tuple(f"K{n}" for n in range(len(rows))))
    assert sum(total.values()) == expected <= 100 * 366


# --- leases -----------------------------------------------------------------------------------------------------


def test_a_lease_by_share_of_the_parcel() -> None:
    assert used(2023, [holding("P", "A", 1001)], [lease("P", "A", "B", None, HALF)]) == {"A": 500 * 365, "B": 501 * 365}


def test_a_stated_area_counts_before_a_share() -> None:
    assert used(2023, [holding("P", "A", 1000)], [lease("P", "A", "B", 100, HALF)])["B"] == 36_500


@pytest.mark.parametrize("bare", [lease("P", "A", "B"), lease("nowhere", "A", "B", None, HALF), lease(None, "A", "B")])
def test_a_lease_without_area_is_found_and_counts_for_nobody(bare: Row) -> None:
    assert used(2023, [holding("P", "A", 1000)], [bare]) == {"A": 365_000}
    assert found(None, [bare]) == [("lease_without_area", "B")]


def test_record_keys_of_land_are_each_named_once() -> None:
    one = OneYear(
        parcel=[holding("P", "A", 1), holding("Q", "A", 1), holding("R", None, 1)], occupancy=[lease("P", "A", "B", 1)]
    )
    nothing = pl.DataFrame(schema={"parcel_code": pl.String, "area": pl.Int64})
    keys = land.keys(land.holdings(one), land.leases(one, nothing))
    assert sorted(keys.select("record_key", "rows").iter_rows()) == [("A", 3), ("B", 1)]
    assert land.keys(None, None).is_empty()
