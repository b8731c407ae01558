"""A county whose files are as messy as they come, and whose every figure was worked out apart (tests/judges/county.py)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.tour import inside
from tests.judges import county

Rows = dict[str, dict[str, Any]]
NAMES = {firm.name.replace("（", "(").replace("）", ")"): firm.key for firm in county.FIRMS}


def run_json(folder: Path, *words: str) -> Any:
    """The command's answer; 1 (a person should look) is done too."""
    done = inside(folder, *words, "--json")
    assert done.code in (0, 1), done.err
    return done.json()


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the county ingested, merged and ranked by the command."""
    folder = tmp_path_factory.mktemp("county")
    for year in county.DAYS:
        county.write(folder / "drops", year)
    loads = run_json(folder, "ingest", "drops")["loads"]
    assert sum(one["duplicate"] for one in loads) == 2, "the copy under another name, in each year"
    assert not any(one["refused"] or one["findings"] for one in loads), "every total adds up, nothing is refused"
    for year in county.DAYS:
        run_json(folder, "merge", "--year", str(year))
    for policy in ("sunan-2017", "huaian-2024"):
        run_json(folder, "rank", "--year", "2024", "--policy", policy)
    return folder


def rows(folder: Path, policy: str, *options: str) -> Rows:
    found = run_json(folder, "rankings", "--year", "2024", "--policy", policy, *options)["rows"]
    return {NAMES[row["name"]]: row for row in found}


def same(shown: float | None, exact: Fraction | None) -> bool:
    """Equal to the last bits of a float64."""
    if shown is None or exact is None:
        return shown is None and exact is None
    return abs(Fraction(shown) - exact) <= abs(exact) / 10**14


def test_land_output_and_tax_are_those_worked_out_by_hand(ranked: Path) -> None:
    found = rows(ranked, "sunan-2017")
    assert sorted(found) == sorted(firm.key for firm in county.FIRMS)
    for key, row in found.items():
        due = county.figures(key, 2024)
        assert same(row["land_mu"] or 0, due.land_mu), key
        assert same(row["output_wan_yuan"], due.output), key
        assert same(row["tax_wan_yuan"], due.tax), key
        assert same(row["output_per_mu"], due.per_mu(due.output)), key
        assert same(row["benefit_per_mu"], due.per_mu(due.tax)), key


@pytest.mark.parametrize("metric", ["output", "tax"])
def test_ranks_of_the_whole_and_of_each_industry(ranked: Path, metric: str) -> None:
    name = {"output": "output_per_mu", "tax": "benefit_per_mu"}[metric]
    found = rows(ranked, "sunan-2017", "--by", name)
    figures = {f.key: county.figures(f.key, 2024) for f in county.FIRMS}
    values = {key: due.per_mu(getattr(due, metric)) for key, due in figures.items()}
    groups: dict[str, Callable[[county.Firm], str]] = {
        "all": lambda f: "",
        "industry_2": lambda f: f.industry[:2],
        "region_county": lambda f: f.county,
    }
    for grouping, of in groups.items():
        for group in {of(firm) for firm in county.FIRMS}:
            members = {f.key: values[f.key] for f in county.FIRMS if of(f) == group}
            for key, place in county.competition(members).items():
                shown = found[key]["ranks"][name][grouping]
                assert (shown and (shown["rank"], shown["of"])) == place, (key, grouping)


def test_scores_and_grades_of_the_composite(ranked: Path) -> None:
    found, scores, grades = rows(ranked, "huaian-2024"), county.scores(), county.grades()
    for key, row in found.items():
        due = scores.get(key)
        exact = None if due is None else Fraction((due * 10**10 + Fraction(1, 2)).__floor__(), 10**10)
        assert same(row["score"], exact), key
        assert row["grade"] == grades.get(key), key
    assert found["e"]["rank"] == found["e2"]["rank"], "the same figures share a rank"
    assert county.competition(scores)["f"] == (found["f"]["rank"], found["f"]["of"])


def test_a_county_with_one_firm_says_that_its_grade_rests_on_nobody_else(ranked: Path) -> None:
    (alone,) = [f for f in county.FIRMS if f.county == "320812"]
    told = run_json(ranked, "explain", alone.uscc.lower(), "--year", "2024", "--policy", "huaian-2024")
    assert told["grade"] == "D", "the quota taken literally: 1 of 1 is beyond 95 per cent"
    (quota,) = [step for step in told["steps"] if step["kind"] == "quota"]
    assert "fewer than 5" in quota["note"]
    (town,) = [step for step in told["steps"] if step["name"] == "score/region_town"]
    assert town["value"] is None
    assert "None" not in town["note"], "the register states no town of it"
