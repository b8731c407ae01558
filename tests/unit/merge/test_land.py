"""Land used: own + rented in − rented out, in dm² × days; parcels split by share, by date, by largest remainder."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import land
from ingest.rules import Limits
from tests.unit.merge.tables import HALF, THIRD, OneYear, Row, holding, lease, links

KEYS = ("A", "B", "C", "D")


LIMITS = Limits(percent=10, least_mu="0.5")
PARCELS = {"parcel_code": pl.String, "area_dm2": pl.Int64, "drawn_dm2": pl.Int64}


def occupied(
    year: int = 2024, parcels: list[Row] | None = None, leases: list[Row] | None = None, known: tuple[str, ...] = KEYS,
    drawn: dict[str, int] | None = None,
) -> land.Occupancy:  # fmt: skip
    tables = {} if parcels is None else {"parcel": parcels}
    one = OneYear(**tables, **({} if leases is None else {"occupancy": leases}))
    areas: dict[str, int] = {}
    for p in parcels or []:
        areas[p["parcel_code"]] = max(areas.get(p["parcel_code"], 0), p["area_dm2"])
    table = pl.DataFrame([(c, a, (drawn or {}).get(c)) for c, a in areas.items()], schema=PARCELS, orient="row")
    leased = land.leases(one, table.select("parcel_code", area="area_dm2"))  # type: ignore[arg-type]
    return land.occupancy(land.rights(one), leased, links(*known), table, year, LIMITS)  # type: ignore[arg-type]


def lines(*args: object, **named: object) -> pl.DataFrame:
    return occupied(*args, **named).uses  # type: ignore[arg-type]


def used(*args: object, **named: object) -> dict[str, int]:
    total = land.used(lines(*args, **named))
    return {e.removeprefix("E-"): n for e, n in total.select("enterprise_id", "land_dm2_days").iter_rows()}


def found(
    parcels: list[Row] | None = None, leases: list[Row] | None = None, year: int = 2024, **named: Any
) -> list[tuple[str, str | None]]:
    table = occupied(year, parcels, leases, **named).findings
    return list(table.select("finding", "record_key").iter_rows())


@pytest.mark.parametrize(("year", "days"), [(2023, 365), (2024, 366), (2000, 366), (1900, 365), (2100, 365)])
def test_days_of_a_year(year: int, days: int) -> None:
    assert land.days_of(year) == days
    assert used(year, [holding("P", "A", 1000)]) == {"A": 1000 * days}


def test_more_rented_out_than_held_is_cut_and_found() -> None:
    parcels, leases = [holding("P", "A", 1000)], [lease("P", "A", "B", 1000), lease("P", "A", "C", 500)]
    assert used(2023, parcels, leases) == {"A": 0, "B": 667 * 365, "C": 333 * 365}
    assert found(parcels, leases) == [("rented_out_over_held", "B"), ("rented_out_over_held", "C")]
    assert found(parcels, [lease("P", "A", "B", 1000)]) == []


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
    assert used(2024, sale) == {"A": 900 * 182, "B": 900 * 184}
    assert found(sale) == [("same_day_sale", "A")] and found(sale, year=2023) == []


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
    held = land.holdings(land.rights(OneYear(parcel=rows)), 2024)  # type: ignore[arg-type]
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
    assert ("lease_without_area", "B") in found(None, [bare])


def test_record_keys_of_land_are_each_named_once() -> None:
    one = OneYear(
        parcel=[holding("P", "A", 1), holding("Q", "A", 1), holding("R", None, 1)], occupancy=[lease("P", "A", "B", 1)]
    )
    nothing = pl.DataFrame(schema={"parcel_code": pl.String, "area": pl.Int64})
    keys = land.keys(land.rights(one), land.leases(one, nothing))  # type: ignore[arg-type]
    assert sorted(keys.select("record_key", "rows").iter_rows()) == [("A", 3), ("B", 1)]
    assert land.keys(None, None).is_empty()


# --- floor space --------------------------------------------------------------------------------------------------

FLOORS = [  # floor let, total floor in the lease, total floor of the parcel, plot ratio → dm² of 1000
    (300, 1200, None, None, 250), (300, None, 1200, None, 250), (300, None, None, 1.2, 250), (300, 1200, 600, 9.0, 250),
    (300, None, None, None, None), (300, 0, None, None, None), (2400, 1200, None, None, 1000), (1, None, None, 3.0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("floor", "total", "of_parcel", "ratio", "land_dm2"), FLOORS)
def test_floor_space_is_its_part_of_the_ground(
    floor: int, total: int | None, of_parcel: int | None, ratio: float | None, land_dm2: int | None
) -> None:
    one = OneYear(
        parcel=[holding("P", "A", 1000) | {"total_floor_dm2": of_parcel, "plot_ratio": ratio}],
        occupancy=[lease("P", "A", "B") | {"floor_area_dm2": floor, "total_floor_dm2": total}],
    )
    areas = pl.DataFrame({"parcel_code": ["P"], "area": [1000]})
    leased = land.leases(one, areas)  # type: ignore[arg-type]
    assert leased is not None
    assert leased.select("area_dm2", "over_one").row(0) == (land_dm2, floor > 1200)


def test_a_share_of_more_than_the_whole_is_the_whole() -> None:
    rows, let = [holding("P", "A", 1000)], [lease("P", "A", "B", None, 14 * 10**8)]
    assert used(2023, rows, let) == {"A": 0, "B": 365_000}
    assert found(rows, let) == [("lease_over_one", "B")]


# --- bad input: each is found, named, and counts as its name says ------------------------------------------------------


def test_shares_of_140_percent() -> None:
    rows = [holding("P", "A", 1000, 7 * 10**8), holding("P", "B", 1000, 7 * 10**8)]
    assert used(2024, rows) == {"A": 500 * 366, "B": 500 * 366}
    assert found(rows) == [("parcel_shares_over_one", "A"), ("parcel_shares_over_one", "B")]


def test_shares_are_cut_only_while_they_overlap() -> None:
    """A to June, B all year, C from July, each with 60 %: two at a time, never three."""
    rows = [
        holding("P", "A", 1000, 6 * 10**8, None, "2024-06-30"), holding("P", "B", 1000, 6 * 10**8),
        holding("P", "C", 1000, 3 * 10**8, "2024-07-01"),
    ]  # fmt: skip
    assert used(2024, rows) == {"A": 500 * 182, "B": 500 * 182 + 600 * 184, "C": 300 * 184}
    own = lines(2024, rows).filter(pl.col("enterprise_id") == "E-B")
    assert own.select("area_dm2", "from_on", "to_on").rows() == [
        (500, None, date(2024, 6, 30)), (600, date(2024, 7, 1), None),
    ]  # fmt: skip


def test_two_owners_for_one_date() -> None:
    """The seller's row was never closed: each has half while both stand, and both are listed."""
    rows = [holding("P", "A", 1000, None, "2010-01-01"), holding("P", "B", 1000, None, "2024-07-01")]
    assert used(2024, rows) == {"A": 1000 * 182 + 500 * 184, "B": 500 * 184}
    assert found(rows) == [("two_owners", "A"), ("two_owners", "B")]


def test_holders_whose_own_areas_exceed_the_drawn_parcel() -> None:
    rows = [holding("P", "A", 700_000), holding("P", "B", 300_000)]
    assert found(rows, drawn={"P": 1_000_000}) == [] == found(rows, drawn={"P": 950_000})
    assert found(rows, drawn={"P": 800_000}) == [("areas_over_parcel", None)]


def test_a_parcel_leased_to_itself_counts_for_nothing() -> None:
    rows = [holding("P", "A", 1000)]
    assert used(2023, rows, [lease("P", "A", "A", 400)]) == {"A": 365_000}
    assert found(rows, [lease("P", "A", "A", 400)]) == [("leased_to_itself", "A")]
    one = OneYear(parcel=rows, occupancy=[lease("P", "A", "alias", 400)])
    both = pl.DataFrame({"record_key": ["A", "alias"], "enterprise_id": ["E-A", "E-A"]})
    table = pl.DataFrame([("P", 1000, None)], schema=PARCELS, orient="row")
    areas = table.select("parcel_code", area="area_dm2")
    told = land.occupancy(land.rights(one), land.leases(one, areas), both, table, 2024, LIMITS)  # type: ignore[arg-type]
    assert told.findings["finding"].to_list() == ["leased_to_itself"] and told.uses["kind"].to_list() == ["own"]


CIRCLES = [
    ([("A", "B"), ("B", "A")], {0, 1}), ([("A", "B"), ("B", "C"), ("C", "A")], {0, 1, 2}),
    ([("A", "B"), ("B", "C"), ("C", "D")], set()), ([("A", "B"), ("A", "C"), ("B", "C")], set()),
    ([("A", "B"), ("B", "C"), ("C", "B"), ("C", "D")], {1, 2}),
]  # fmt: skip


@pytest.mark.parametrize(("edges", "ring"), CIRCLES)
def test_cycles_of_leases(edges: list[tuple[str, str]], ring: set[int]) -> None:
    rows = [holding("P", "A", 1000)]
    let = [lease("P", a, b, 10) for a, b in edges]
    named = [edges[n][1] for n in sorted(ring)]
    assert [who for kind, who in found(rows, let) if kind == "lease_cycle"] == named
    assert used(2023, rows, let)["A"] <= 365_000 == sum(used(2023, rows, let).values())
    apart = [lease(f"P{n}", a, b, 10) for n, (a, b) in enumerate(edges)]
    assert "lease_cycle" not in [kind for kind, _ in found(rows, apart)]


def test_leases_one_after_the_other_are_no_cycle() -> None:
    let = [lease("P", "A", "B", 10, None, None, "2024-06-30"), lease("P", "B", "A", 10, None, "2024-07-01")]
    assert "lease_cycle" not in [kind for kind, _ in found([holding("P", "A", 1000)], let)]


def test_sublets_are_counted_through_and_cut_through() -> None:
    """The owner has 1000 and lets 1500, the tenant lets 1200 on: he has 1000 to give, whoever comes first by name."""
    for owner, tenant in (("A", "B"), ("B", "A")):
        rows, let = [holding("P", owner, 1000)], [lease("P", owner, tenant, 1500), lease("P", tenant, "C", 1200)]
        assert used(2023, rows, let) == {"A": 0, "B": 0, "C": 365_000}
        assert found(rows, let) == [("rented_out_over_held", tenant), ("rented_out_over_held", "C")]


def test_a_lease_too_many_is_cut_only_while_it_is_one() -> None:
    rows = [holding("P", "A", 1000)]
    let = [lease("P", "A", "B", 800), lease("P", "A", "C", 800, None, "2024-07-01", "2024-12-31")]
    assert used(2024, rows, let) == {"A": 200 * 182, "B": 800 * 182 + 500 * 184, "C": 500 * 184}


def test_lessors_without_right_and_lessors_unknown() -> None:
    rows = [holding("P", "A", 1000)]
    assert used(2023, rows, [lease("P", "D", "B", 100)]) == {"A": 365_000, "B": 36_500, "D": -36_500}
    kinds = [kind for kind, _ in found(rows, [lease("P", "D", "B", 100)])]
    assert kinds == ["lessor_without_right", "rented_out_over_all"]
    assert found(rows, [lease("P", "X", "B", 100)]) == [("lessor_not_linked", "B"), ("used_over_parcel", None)]


def test_two_leases_that_name_the_same_day() -> None:
    let = [lease("P", "A", "B", 1000, None, None, "2024-07-01"), lease("P", "A", "C", 1000, None, "2024-07-01")]
    assert used(2024, [holding("P", "A", 1000)], let) == {"A": 0, "B": 182_000, "C": 184_000}
    assert found([holding("P", "A", 1000)], let) == [("same_day_lease", "B")]


def test_dates_the_wrong_way_round() -> None:
    rows = [holding("P", "A", 1000, None, "2024-06-30", "2024-06-01")]
    assert found(rows) == [("dates_reversed", "A")] and used(2024, rows) == {"A": 0}


def test_each_line_names_the_other_side() -> None:
    table = lines(2023, [holding("P", "A", 10)], [lease("P", "A", "B", 4), lease("P", "A", "X", 2)])
    assert table.select("enterprise_id", "kind", "counterpart_id").rows() == [
        ("E-A", "own", None), ("E-A", "rented_out", "E-B"), ("E-A", "rented_out", None), ("E-B", "rented_in", "E-A"),
    ]  # fmt: skip
