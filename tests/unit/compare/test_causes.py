"""Each cause alone, all together, and the law that the effects add up to the movement."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from engine.compare import Comparison, compare, summary
from engine.compare_effects import CAUSES
from engine.ranking.pipeline import rankings
from engine.ranking.run import own_base_year, own_year
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.compare.made import release, worker
from tests.unit.ranking.firms import Firm

BEFORE = [worker(n, 50_000_000 * n) for n in range(1, 21)]


def figures(change: dict[int, int], base: list[Firm] = BEFORE) -> list[Firm]:
    """The firms with another tax for some."""
    return [f | {"vat_fen": change.get(n, f["vat_fen"])} for n, f in enumerate(base, 1)]


def causes(found: Comparison) -> set[str]:
    return set(found.rows["cause"].drop_nulls())


def assert_adds_up(found: Comparison) -> None:
    both = found.rows.filter(pl.col("places").is_not_null())
    total = pl.sum_horizontal(f"by_{c}" for c in CAUSES)
    assert both.height and both.filter(total != pl.col("places")).is_empty()
    assert both.filter(pl.col("places") != pl.col("rank_a") - pl.col("rank_b")).is_empty()


def test_the_same_release_twice_moves_nobody(home: Warehouse, tmp_path: Path) -> None:
    one = release(tmp_path / "a", BEFORE, last=BEFORE)
    found = compare(home, one, one)
    assert causes(found) == set() and summary(found)["moved"] == 0
    assert_adds_up(found)


def test_other_weights_are_the_policy(home: Warehouse, tmp_path: Path) -> None:
    firms = [f | {"invoiced_sales_fen": 10**9 * (21 - n)} for n, f in enumerate(BEFORE, 1)]
    a = release(tmp_path / "a", firms, last=firms)
    b = release(tmp_path / "b", firms, last=firms, weights={"tax_per_mu": 20, "sales_per_mu": 60})
    found = compare(home, a, b)
    assert causes(found) == {"policy"}
    assert set(summary(found)["policy_parts"]) == {"items"}
    assert_adds_up(found)


def test_one_firm_that_paid_more_moves_by_its_own_figures_and_the_others_by_theirs(
    home: Warehouse, tmp_path: Path
) -> None:
    a = release(tmp_path / "a", BEFORE, last=BEFORE)
    b = release(tmp_path / "b", figures({1: 2_000_000_000}), last=BEFORE)
    rows = compare(home, a, b).rows
    own, others = rows.filter(cause="data_own"), rows.filter(cause="data_peers")
    assert own["enterprise_id"].to_list() == ["E000001"]
    assert own.select("rank_a", "rank_b", "places", "by_data_own", "by_data_peers").row(0) == (20, 1, 19, 19, 0)
    assert others.height == 19 and set(others["places"]) == {-1}


def test_a_moved_base_alone_is_the_others(home: Warehouse, tmp_path: Path) -> None:
    """Twice last year's average of tax, and sales in reverse order: the scales between the items move the ranks."""
    firms = [f | {"invoiced_sales_fen": 10**9 * (21 - n)} for n, f in enumerate(BEFORE, 1)]
    last = [f | {"vat_fen": f["vat_fen"] * 30} for f in firms]
    a, b = release(tmp_path / "a", firms, last=firms), release(tmp_path / "b", firms, last=last)
    found = compare(home, a, b)
    assert causes(found) == {"data_peers"}
    assert_adds_up(found)


def test_a_correction_is_told_from_new_data(home: Warehouse, tmp_path: Path) -> None:
    corrected = figures({3: 1_900_000_000})
    done = [("E000003", "vat_fen", 2024, 150_000_000, 1_900_000_000)]
    a = release(tmp_path / "a", BEFORE, last=BEFORE)
    b = release(tmp_path / "b", corrected, last=BEFORE, corrections=done)
    rows = compare(home, a, b).rows
    assert set(rows["cause"].drop_nulls()) == {"correction"}
    back = compare(home, b, a).rows
    assert back["by_correction"].to_list() == [-n for n in rows["by_correction"]]


def test_a_correction_in_both_is_no_cause(home: Warehouse, tmp_path: Path) -> None:
    done = [("E000003", "vat_fen", 2024, 150_000_000, 1_900_000_000)]
    a = release(tmp_path / "a", figures({3: 1_900_000_000}), last=BEFORE, corrections=done)
    b = release(tmp_path / "b", figures({3: 1_900_000_000, 5: 1}), last=BEFORE, corrections=done)
    found = compare(home, a, b)
    assert causes(found) == {"data_own", "data_peers"}
    assert_adds_up(found)


def test_a_published_ranking_that_code_of_today_makes_otherwise(home: Warehouse, tmp_path: Path) -> None:
    a, b = (release(tmp_path / name, BEFORE, last=BEFORE) for name in "ab")
    table = a.rankings
    swapped = pl.col("grade_rank").replace({1: 2, 2: 1})
    table.with_columns(grade_rank=swapped).write_parquet(a.folder / "rankings.parquet")
    rows = compare(home, Release(a.folder, a.manifest), b).rows.filter(pl.col("places") != 0)
    assert sorted(rows["by_code"]) == [-1, 1] and set(rows["cause"]) == {"code"}


def test_who_comes_and_who_goes(home: Warehouse, tmp_path: Path) -> None:
    a = release(tmp_path / "a", BEFORE[:15], last=BEFORE)
    b = release(tmp_path / "b", BEFORE[5:], last=BEFORE)
    found = compare(home, a, b)
    told = summary(found)
    assert (told["of"], told["entered"], told["left"]) == (20, 5, 5)
    gone = found.rows.filter(pl.col("rank_b").is_null())
    assert gone["places"].null_count() == 5 and set(gone["cause"]) <= {"data_own", "data_peers"}
    assert_adds_up(found)


def test_everything_at_once_adds_up(home: Warehouse, tmp_path: Path) -> None:
    rng = random.Random(5)
    a_firms = [worker(n, rng.randrange(10**9), rng.randrange(10**10)) for n in range(1, 41)]
    b_firms = [worker(n, rng.randrange(10**9), rng.randrange(10**10)) for n in range(4, 44)]
    done = [(f"E{n:06}", "vat_fen", 2024, rng.randrange(10**9), b_firms[n - 4]["vat_fen"]) for n in (7, 11, 23)]
    a = release(tmp_path / "a", a_firms, last=b_firms, year=2023)
    b = release(tmp_path / "b", b_firms, last=a_firms, corrections=done, weights={"tax_per_mu": 20, "sales_per_mu": 60})
    found = compare(home, a, b)
    assert_adds_up(found)
    assert {"policy", "correction", "data_own"} <= {c for c in CAUSES if found.rows[f"by_{c}"].drop_nulls().abs().sum()}


@pytest.mark.parametrize("policy", ["sunan-2017", "huaian-2024"])
def test_own_figures_are_what_ranking_with_them_gives(home: Warehouse, tmp_path: Path, policy: str) -> None:
    """For each enterprise: put its own figures of B among A's, rank the whole year, read its place."""
    rng = random.Random(7)
    a_firms = [worker(n, rng.randrange(10**9), rng.randrange(10**10)) for n in range(1, 31)]
    b_firms = [worker(n, rng.randrange(10**9), rng.randrange(10**10)) for n in range(1, 31)]
    last = a_firms if policy == "huaian-2024" else None
    a, b = (release(tmp_path / n, f, policy, last=last) for n, f in (("a", a_firms), ("b", b_firms)))
    rows = compare(home, a, b).rows
    rank = "grade_rank" if policy == "huaian-2024" else "rank__output_per_mu__all"
    base = own_base_year(home, a)
    for n, row in enumerate(rows.to_dicts()):
        mixed = release(tmp_path / f"m{n}", [*a_firms[:n], b_firms[n], *a_firms[n + 1 :]], policy, last=last)
        table = rankings(a.pack.policy, own_year(mixed).tables(), base.tables() if base else None)
        place = table.to_native().collect().filter(enterprise_id=row["enterprise_id"])[rank][0]
        assert row["rank_a"] - place == row["by_data_own"]


@pytest.mark.parametrize("sides", [(("sunan-2017", 2023), ("sunan-2017", 2024)), (("sunan-2017", 2024), ("huaian-2024", 2024))])  # fmt: skip
def test_the_demo_adds_up(demo_home: Warehouse, sides: tuple[tuple[str, int], tuple[str, int]]) -> None:
    a, b = (find(demo_home, policy=policy, year=year) for policy, year in sides)
    found = compare(demo_home, a, b)
    assert_adds_up(found)
    if a.manifest["year"] == b.manifest["year"]:
        assert causes(found) == {"policy"}


def test_a_metric_that_one_side_does_not_rank_is_refused(home: Warehouse, tmp_path: Path) -> None:
    a = release(tmp_path / "a", BEFORE, last=BEFORE)
    with pytest.raises(PermuError, match="output_per_mu"):
        compare(home, a, a, by="rd_ratio")
    found = compare(home, a, a, by="benefit_per_mu", within="region_city")
    assert found.place.within == "region_city" and replace(found).rows["rank_a"].max() == 20
