"""Laws of land: on no day is more used than there is, sales and leases conserve it, the order of rows changes nothing.

Every law is judged day by day, by counting, not by the code's own periods.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import land
from ingest.rules import Limits
from tests.unit.merge.tables import OneYear, Row, holding, lease, links

YEAR, FIRST, LAST = 2024, date(2024, 1, 1), date(2024, 12, 31)
FIRMS = ("A", "B", "C", "D")
LIMITS = Limits(percent=10, least_mu="0.5")
# Few distinct days, so that dates meet, follow each other and enclose each other often.
TURNS = ["2020-05-01", "2024-01-01", "2024-03-01", "2024-03-02", "2024-06-30", "2024-07-01", "2024-12-31", "2030-01-01"]
OFTEN = st.sampled_from([None, *TURNS])
# Between two turns nothing changes: the days around them stand for all.
DAYS = sorted(
    {d for t in TURNS for n in (-1, 0, 1) if FIRST <= (d := date.fromisoformat(t) + timedelta(days=n)) <= LAST}
)
SHARE = st.one_of(st.none(), st.sampled_from([10**9, 5 * 10**8, 333_333_333, 4 * 10**8, 7 * 10**8]))
AREA = st.integers(1, 5000)
FIRM = st.sampled_from(FIRMS)
RIGHTS = st.lists(st.tuples(FIRM, SHARE, OFTEN, OFTEN), min_size=1, max_size=5)
LEASES = st.lists(st.tuples(FIRM, FIRM, AREA, OFTEN, OFTEN), max_size=6)


def occupied(rights: list[Row], leases: list[Row], parcels: dict[str, int]) -> land.Occupancy:
    one: Any = OneYear(parcel=rights, occupancy=leases)
    table = pl.DataFrame(
        [(code, area, None) for code, area in parcels.items()],
        schema={"parcel_code": pl.String, "area_dm2": pl.Int64, "drawn_dm2": pl.Int64}, orient="row",
    )  # fmt: skip
    leased = land.leases(one, table.select("parcel_code", area="area_dm2"))
    return land.occupancy(land.rights(one), leased, links(*FIRMS), table, YEAR, LIMITS)


def daily(uses: pl.DataFrame) -> dict[tuple[str, date], int]:
    """(enterprise, day) → dm² used on the one parcel, counted line by line and day by day."""
    level: dict[tuple[str, date], int] = {}
    for line in uses.iter_rows(named=True):
        sign = -1 if line["kind"] == "rented_out" else 1
        begin, end = max(line["from_on"] or FIRST, FIRST), min(line["to_on"] or LAST, LAST)
        assert line["days"] == max((end - begin).days + 1, 0)
        assert line["dm2_days"] == sign * line["area_dm2"] * line["days"]
        for day in (d for d in DAYS if begin <= d <= end):
            key = (line["enterprise_id"], day)
            level[key] = level.get(key, 0) + sign * line["area_dm2"]
    return level


def totals(level: dict[tuple[str, date], int]) -> dict[date, int]:
    found = dict.fromkeys(DAYS, 0)
    for (_, day), area in level.items():
        found[day] += area
    return found


@settings(max_examples=60)
@given(AREA, RIGHTS)
def test_holders_never_have_more_than_the_parcel(
    area: int, rights: list[tuple[str, int | None, str | None, str | None]]
) -> None:
    rows = [holding("P", who, area, share, begin, end) for who, share, begin, end in rights]
    found = occupied(rows, [], {"P": area})
    assert max(totals(daily(found.uses)).values()) <= area


@settings(max_examples=60)
@given(AREA, RIGHTS)
def test_who_is_alone_on_a_day_is_not_cut(
    area: int, rights: list[tuple[str, int | None, str | None, str | None]]
) -> None:
    """Only while rights overlap are they split: on a day with one holder he has his share, the whole where none is stated."""
    rows = [holding("P", who, area, share, begin, end) for who, share, begin, end in rights]
    level = daily(occupied(rows, [], {"P": area}).uses)
    begins = {r["from_on"] for r in rows}
    for day in DAYS:
        there = [r for r in rows if (r["from_on"] or FIRST) <= day <= (r["to_on"] or LAST)]
        if len(there) == 1 and day not in begins and there[0]["to_on"] != day:
            share = 10**9 if there[0]["share_ppb"] is None else there[0]["share_ppb"]
            expected = area * share // 10**9
            assert abs(level[f"E-{there[0]['record_key']}", day] - expected) <= (share < 10**9)


@settings(max_examples=40)
@given(AREA, RIGHTS, LEASES)
def test_leases_move_land_and_make_none(
    area: int,
    rights: list[tuple[str, int | None, str | None, str | None]],
    leases: list[tuple[str, str, int, str | None, str | None]],
) -> None:
    """Σ over the parties is what the holders have, every day, exactly; nobody with a right falls below 0."""
    rows = [holding("P", who, area, share, begin, end) for who, share, begin, end in rights]
    let = [lease("P", a, b, size, None, begin, end) for a, b, size, begin, end in leases]
    without = occupied(rows, [], {"P": area})
    found = occupied(rows, let, {"P": area})
    level = daily(found.uses)
    assert totals(level) == totals(daily(without.uses))
    assert max(totals(level).values()) <= area
    if "lessor_without_right" not in found.findings["finding"]:
        assert all(used >= 0 for used in level.values())
    assert all(used <= area for used in level.values()) or "lessor_without_right" in found.findings["finding"]
    assert "used_over_parcel" not in found.findings["finding"]


@settings(max_examples=40)
@given(AREA, RIGHTS, LEASES, st.randoms())
def test_the_order_of_leases_changes_nothing_but_ties(
    area: int,
    rights: list[tuple[str, int | None, str | None, str | None]],
    leases: list[tuple[str, str, int, str | None, str | None]],
    random: Any,
) -> None:
    """By largest remainder a tie goes to the earlier row: nobody's land moves by more than a dm² a row."""
    rows = [holding("P", who, area, share, begin, end) for who, share, begin, end in rights]
    let = [lease("P", a, b, size, None, begin, end) for a, b, size, begin, end in leases]
    mixed = random.sample(let, len(let))
    one, two = (occupied(rows, some, {"P": area}) for some in (let, mixed))
    first, second = daily(one.uses), daily(two.uses)
    slack = 2 * len(let)
    assert all(abs(first.get(k, 0) - second.get(k, 0)) <= slack for k in {*first, *second})
    kinds = [set(f.findings["finding"].to_list()) - {"rented_out_over_held"} for f in (one, two)]
    assert kinds[0] == kinds[1]
