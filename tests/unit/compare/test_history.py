"""Years in the bottom and movement, beside a count written out in plain Python."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.history import history, through_years
from engine.releases import find
from engine.schema.warehouse import Warehouse

SHAPE = {"enterprise_id": pl.String, "year": pl.Int32, "rank": pl.Int64, "of": pl.Int64}


def told(rows: list[tuple[str, int, int | None, int]], percent: int | Decimal = 5) -> list[dict[str, object]]:
    return through_years(pl.DataFrame(rows, schema=SHAPE, orient="row"), percent).to_dicts()


@pytest.mark.parametrize(
    ("ranks", "years"),
    [
        ({2021: 100, 2022: 96, 2023: 100}, [1, 2, 3]),
        ({2021: 100, 2022: 95, 2023: 100}, [1, 0, 1]),  # 95 of 100 is not in the bottom 5 %
        ({2021: 100, 2023: 100}, [1, 1]),  # a year without a release begins anew
        ({2021: 100, 2022: None, 2023: 100}, [1, 0, 1]),  # and so does a year without a rank
    ],
)
def test_consecutive_years(ranks: dict[int, int | None], years: list[int]) -> None:
    rows = told([("E1", year, rank, 100) for year, rank in ranks.items()])
    assert [r["years_in_bottom"] for r in rows] == years


def test_movement_is_up_when_positive_and_needs_the_year_before() -> None:
    rows = told([("E1", 2022, 30, 101), ("E1", 2023, 10, 101), ("E1", 2025, 1, 1), ("E2", 2023, 5, 101)])
    assert [r["places"] for r in rows] == [None, 20, None, None]
    assert [r["percentile"] for r in rows] == [71.0, 91.0, None, 96.0]
    assert [r["percentile_change"] for r in rows] == [None, 20.0, None, None]


def test_a_share_of_a_half_per_cent_is_exact() -> None:
    assert [r["in_bottom"] for r in told([("E1", 2024, 995, 1000), ("E2", 2024, 996, 1000)], Decimal("0.5"))] == [
        False,
        True,
    ]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.integers(2018, 2024)), st.one_of(st.none(), st.integers(1, 20)), max_size=14
    )
)
def test_as_counted_by_hand(ranks: dict[tuple[str, int], int | None]) -> None:
    rows = told([(e, y, rank, 20) for (e, y), rank in ranks.items()], 25)

    def run(e: str, y: int) -> int:
        rank = ranks.get((e, y))
        return 0 if rank is None or rank * 100 <= 75 * 20 else 1 + run(e, y - 1)

    assert [r["years_in_bottom"] for r in rows] == [run(e, y) for e, y in sorted(ranks)]


def test_over_the_releases_of_the_demo(demo_home: Warehouse) -> None:
    releases = [find(demo_home, policy="sunan-2017", year=year) for year in (2024, 2023)]
    table = history(releases)
    assert table.height == sum(r.rankings.height for r in releases)
    twice = table.filter(pl.col("years_in_bottom") == 2)
    lasts = [
        r.rankings.filter(pl.col("rank__output_per_mu__all") * 100 > 95 * pl.col("of__output_per_mu__all"))
        for r in releases
    ]
    assert set(twice["enterprise_id"]) == set(lasts[0]["enterprise_id"]) & set(lasts[1]["enterprise_id"])
    assert twice.height > 0
