"""Movement between two releases: its margins are the releases' own counts, whoever entered, left or has no grade."""

from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.overview import movement
from engine.query import Board
from engine.query.selection import Group
from tests.unit.overview.held import Held, board, firms

GRADES = st.one_of(st.none(), st.sampled_from("ABCDT"))
YEAR = st.dictionaries(st.integers(0, 30), st.tuples(GRADES, st.sampled_from(["3205", "3202"])), min_size=1)


def year(held: dict[int, tuple[str | None, str]]) -> Board:
    """A board of these firms: number → grade and city; one of another city holds an A, so that the year is graded."""
    numbers = [*sorted(held), 99]
    every = {**held, 99: ("A", "3299")}
    table = firms([1] * len(numbers), grade=[every[n][0] for n in numbers])
    places = [every[n][1] for n in numbers]
    table = table.with_columns(
        enterprise_id=pl.Series([f"E{n:06}" for n in numbers]),
        region_code=pl.Series([p + "07001" for p in places]),
        region_city=pl.Series(places),
    )
    return Board(Held(table))


@given(YEAR, YEAR)
def test_margins_are_the_counts_of_both_years(before: dict[int, tuple], after: dict[int, tuple]) -> None:
    found = movement(year(before), year(after), Group(region="3205"))
    assert found["kind"] == "grade"
    for held, key, side in ((before, "from", "before"), (after, "to", "after")):
        real = Counter(grade or "ungraded" for grade, city in held.values() if city == "3205")
        told: Counter[str] = Counter()
        for link in found["links"]:
            told[link[key]] += link["count"]
        states = {s["state"]: s[side] for s in found["states"]}
        assert {s: n for s, n in told.items() if s not in ("outside", "absent")} == dict(real)
        assert states == {s: told[s] for s in states}
    inside = {n for year_ in (before, after) for n, (_, city) in year_.items() if city == "3205"}
    assert sum(link["count"] for link in found["links"]) == len(inside)


@given(YEAR, YEAR)
def test_who_entered_and_left_is_told_apart_from_who_moved_house(
    before: dict[int, tuple], after: dict[int, tuple]
) -> None:
    found = movement(year(before), year(after), Group(region="3205"))
    count = {(x["from"], x["to"]): x["count"] for x in found["links"]}
    here = {n for n, (_, city) in after.items() if city == "3205"}
    assert sum(c for (a, _), c in count.items() if a == "absent") == len(here - set(before))
    moved = {n for n in here & set(before) if before[n][1] != "3205"}
    assert sum(c for (a, _), c in count.items() if a == "outside") == len(moved)


def test_small_links_are_left_out_and_counted() -> None:
    one = year(dict.fromkeys(range(7), ("A", "3205")))
    two = year({n: ("A" if n < 5 else "B", "3205") for n in range(7)})
    found = movement(one, two, Group(region="3205"), least=5)
    assert found["links"] == [{"from": "A", "to": "A", "count": 5}] and found["hidden"] == 2


def test_without_grades_bands_of_the_rank_are_told() -> None:
    found = movement(board([*range(100, 0, -1)]), board([*range(100, 0, -1)]), Group())
    assert (found["kind"], found["by"]) == ("band", "output_per_mu")
    assert {s["state"]: s["after"] for s in found["states"]} == {
        "0–20 %": 20, "20–60 %": 40, "60–95 %": 35, "95–100 %": 5,
    }  # fmt: skip
    assert all(link["from"] == link["to"] for link in found["links"])


def test_without_a_value_there_is_no_band() -> None:
    found = movement(board([5, None]), board([5, 5]), Group())
    assert {"from": "ungraded", "to": "0–20 %", "count": 1} not in found["links"]  # both tie at rank 1 of 2: 50 %
    assert {"from": "ungraded", "to": "20–60 %", "count": 1} in found["links"]
