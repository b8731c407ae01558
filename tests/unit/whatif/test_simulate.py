"""A simulation is the ranking that the draft would give: held against that ranking, and against the release as it is."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import polars as pl
import pytest

from engine.query.selection import Group
from engine.ranking.run import rank
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from engine.whatif.simulate import Simulation, simulate
from engine.whatif.telling import told
from tests.unit.whatif.worlds import EVERY_FORM

CHANGES = ["weights.tax_per_mu=35", "shares.A=25", "scope.below_scale_least_mu=6", "caps.sales_per_mu=1.5"]


@pytest.fixture(scope="module")
def release(demo_home: Warehouse) -> Release:
    return find(demo_home, year=2024, policy="huaian-2024")


@pytest.fixture(scope="module")
def simulation(demo_home: Warehouse, release: Release) -> Simulation:
    return simulate(demo_home, release, CHANGES, rescale=True)


def test_it_is_the_ranking_that_the_draft_gives(demo_home: Warehouse, simulation: Simulation, tmp_path: Path) -> None:
    home = Warehouse(Path(shutil.copytree(demo_home.home, tmp_path / "home")))
    (tmp_path / "draft.yaml").write_text(simulation.pack.text, "utf-8")
    made = find(home, rank(home, 2024, str(tmp_path / "draft.yaml")).release_id).rankings
    rows = simulation.rows
    assert rows["enterprise_id"].to_list() == made["enterprise_id"].to_list()
    assert rows["score_after"].to_list() == made["score"].to_list()
    assert rows["grade_after"].to_list() == made["grade"].fill_null("-").to_list()
    assert rows["rank_after"].to_list() == made["rank__score__region_county"].to_list()
    assert simulation.moved.height > 20


def test_before_is_the_release(release: Release, simulation: Simulation) -> None:
    rows, table = simulation.rows, release.rankings
    assert rows["score_before"].to_list() == table["score"].to_list()
    assert rows["grade_before"].to_list() == table["grade"].fill_null("-").to_list()
    assert rows["of_before"].to_list() == [
        of if rank is not None else None
        for rank, of in table.select("rank__score__region_county", "of__score__region_county").iter_rows()
    ]


def test_nothing_moves_where_nothing_that_counts_changes(demo_home: Warehouse, release: Release) -> None:
    same = simulate(demo_home, release, ["bottom_percent=7"])
    assert same.moved.is_empty() and set(same.rows["why"]) == {""}
    for name in ("score", "rank", "of", "line"):
        assert same.rows[f"{name}_before"].to_list() == same.rows[f"{name}_after"].to_list()
    assert same.rows.select(pl.col("^delta__.*$").abs().max()).row(0) == (0.0, 0.0, 0.0)


def test_the_matrix_counts_everyone_once(simulation: Simulation) -> None:
    matrix, rows = simulation.matrix, simulation.rows
    assert sum(sum(row.values()) for row in matrix.values()) == rows.height
    assert sum(n for a, row in matrix.items() for b, n in row.items() if a != b) == simulation.moved.height
    assert list(matrix) == ["A", "B", "C", "D", "T", "-"] == list(matrix["A"])
    for grade, row in matrix.items():
        assert sum(row.values()) == (rows["grade_before"] == grade).sum()


def test_points_add_up_to_the_change_of_the_score(simulation: Simulation) -> None:
    both = simulation.rows.drop_nulls(["score_before", "score_after"])
    added = both.select(pl.sum_horizontal("^delta__.*$")).to_series()
    assert both.height > 100
    assert (added - (both["score_after"] - both["score_before"])).abs().max() < 1e-9


def test_lines_are_the_lowest_score_of_the_better_grade(release: Release, simulation: Simulation) -> None:
    table = release.rankings.filter(pl.col("rank__score__all").is_not_null())
    checked = 0
    for row in simulation.moved.filter(pl.col("line_before").is_not_null()).iter_rows(named=True):
        county = row["region_code"][:6]
        same = table.filter((pl.col("region_county") == county) & (pl.col("grade_initial") == row["line_of"]))
        assert row["line_before"] == same["score"].min()
        assert row["line_of"] == min(row["grade_before"], row["grade_after"])
        checked += 1
    assert checked > 5


def test_whoever_leaves_the_scope_is_said_so(simulation: Simulation) -> None:
    left = simulation.moved.filter(pl.col("why") == "no_longer_ranked")
    assert (
        left.height
        and left["grade_after"].unique().to_list() == ["-"]
        and left["rank_after"].null_count() == left.height
    )


def test_every_movement_has_its_reason_in_both_languages(simulation: Simulation) -> None:
    for row in simulation.moved.iter_rows(named=True):
        zh, en = told(row, "zh"), told(row, "en")
        assert row["why"] and zh and en and zh != en
        if "line" in row["why"].split(","):
            assert f"line of {row['line_of']}" in en and f"{row['line_of']} 级线" in zh
    still = simulation.rows.filter(pl.col("grade_before") == pl.col("grade_after"))
    assert {told(r, "en") for r in still.iter_rows(named=True)} == {""}


def test_a_place_shows_its_rows_and_grades_stay_those_among_all(simulation: Simulation) -> None:
    part = simulation.within(Group(region="3205", industry="C"))
    assert 0 < part.rows.height < simulation.rows.height
    assert part.rows["region_code"].str.starts_with("3205").all()
    kept = simulation.rows.filter(pl.col("enterprise_id").is_in(part.rows["enterprise_id"].implode()))
    assert kept.equals(part.rows)


def test_nothing_is_written(demo_home: Warehouse, release: Release) -> None:
    def state() -> dict[str, int]:
        files = (f for f in demo_home.home.rglob("*") if f.is_file() and "sqlite-" not in f.name)
        return {str(f): f.stat().st_mtime_ns for f in files}

    before = state()
    simulate(demo_home, release, ["weights.tax_per_mu=35"], rescale=True)
    assert state() == before


def test_a_base_of_a_year_before_that_is_not_there(demo_home: Warehouse, tmp_path: Path) -> None:
    """2023 is the first year: a base of last year has nowhere to come from, and nothing takes its place."""
    home = Warehouse(Path(shutil.copytree(demo_home.home, tmp_path / "home")))
    first = find(home, rank(home, 2023, EVERY_FORM).release_id)
    assert simulate(home, first, ["bases.below_scale.sales_per_mu=60"]).moved.height
    base = "bases.below_scale.sales_per_mu"
    with pytest.raises(PermuError) as caught:
        simulate(home, first, [f"{base}.average_of=last_year", f"{base}.within=region_city"])
    assert caught.value.code == "no_base_year" and "2022" in caught.value.en


def test_a_policy_without_a_score_has_nothing_to_change(demo_home: Warehouse) -> None:
    with pytest.raises(PermuError) as caught:
        simulate(demo_home, find(demo_home, year=2024, policy="sunan-2017"), ["weights.tax_per_mu=35"])
    assert caught.value.code == "no_composite"


def test_it_answers_while_somebody_waits(demo_home: Warehouse, release: Release) -> None:
    """400 enterprises here; docs/whatif.md has the figure for 20,000 (processor time: others may use the machine)."""
    simulate(demo_home, release, ["bottom_percent=7"])
    begun = time.process_time()
    simulate(demo_home, release, ["bottom_percent=8"])
    assert time.process_time() - begun < 2
