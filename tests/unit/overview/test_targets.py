"""The targets of 2017: figures by hand, no figure without its base, and a file of bases that is understood or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.overview import Members, progress
from engine.overview.target_files import Bases, load_bases, load_targets
from engine.query import Board, Selection
from engine.schema.errors import PermuError
from tests.unit.overview.held import Held, firms

TCE, WAN = 10**10, 10**6  # one tce, 万元 in the smallest units
NOTHING = Bases(targets="sunan-2017")


def lines(
    bases: Bases = NOTHING, least: int = 1, region: str | None = None, year: int = 2024, **facts: Any
) -> dict[str, Any]:
    """target → its line for Suzhou, of three firms: 100 万元 of value added each, the last without energy."""
    held = {"value_added_fen": [100 * WAN] * 3, "energy_ce": [30 * TCE, 20 * TCE, None], **facts}
    table = firms([1, 1, 1])
    wide = table.select("enterprise_id").with_columns(pl.Series(n, v, dtype=pl.Int64) for n, v in held.items())
    members = Members.of(Board(Held(table, wide, year=year)), Selection.parse(region=region), least)
    found = progress(members, bases, region)
    return {x["target"]: x for x in found["lines"] if x["region"] == (region or "3205")}


def base(target: str, value: float, region: str = "3205") -> Bases:
    return Bases.model_validate(
        {
            "targets": "sunan-2017",
            "figures": [{"region": region, "target": target, "value": value, "source": "统计年鉴"}],
        }
    )


def test_value_is_sigma_over_sigma_of_who_has_both() -> None:
    line = lines()["energy_per_value_added"]
    assert (line["value"], line["of"], line["members"]) == (0.25, 2, 3)  # 50 tce over 200 万元, not over 300


def test_without_a_base_figure_there_is_no_progress() -> None:
    line = lines(base("energy_per_value_added", 0.5, region="3202"))["energy_per_value_added"]
    assert (line["reason"], line["base"], line["progress"], line["met"]) == ("no_base", None, None, None)


@pytest.mark.parametrize(
    ("was", "change", "met"), [(0.5, -0.5, True), (0.25, 0.0, False), (0.28, 0.25 / 0.28 - 1, False)]
)
def test_change_against_the_base_year(was: float, change: float, met: bool) -> None:
    line = lines(base("energy_per_value_added", was))["energy_per_value_added"]
    assert (line["progress"], line["met"], line["reason"]) == (change, met, None)
    assert line["base"]["source"] == "统计年鉴"


def test_productivity_grows_by_the_year() -> None:
    line = lines(base("labour_productivity", 10.0), employees=[5, 5, 5])["labour_productivity"]
    assert line["value"] == 20.0 and line["progress"] == pytest.approx(2 ** (1 / 9) - 1) and line["met"]
    early = lines(base("labour_productivity", 10.0), employees=[5, 5, 5], year=2015)["labour_productivity"]
    assert early["progress"] is None and early["met"] is None


def test_research_is_a_level_of_above_scale_firms() -> None:
    line = lines(rd_fen=[3 * WAN, 1 * WAN, 5 * WAN], main_revenue_fen=[100 * WAN, 100 * WAN, None])["rd_ratio"]
    assert (line["value"], line["of"], line["met"], line["base"]) == (0.02, 2, True, None)


def test_pollutants_count_where_every_one_is_stated() -> None:
    facts = {"cod_gram": [2000, 1000, 7000], "ammonia_nitrogen_gram": [1000, None, 1000]}
    line = lines(**facts)["water_pollutants_per_value_added"]
    assert (line["value"], line["of"]) == (11 / 200, 2)


def test_no_facts_is_said() -> None:
    assert lines()["water_per_value_added"]["reason"] == "no_facts"
    board = Board(Held(firms([1, 1])))
    found = progress(Members.of(board, Selection()), NOTHING)
    assert {x["reason"] for x in found["lines"]} == {"no_facts"} and {x["value"] for x in found["lines"]} == {None}


def test_few_firms_are_hidden_from_the_public() -> None:
    line = lines(least=5)["energy_per_value_added"]
    assert (line["reason"], line["value"]) == ("too_few", None)


def test_a_city_is_told_with_its_counties_and_a_county_alone() -> None:
    board = Board(Held(firms([1, 1]), firms([1, 1]).select("enterprise_id")))
    told = {
        region: {
            x["region"] for x in progress(Members.of(board, Selection.parse(region=region)), NOTHING, region)["lines"]
        }
        for region in (None, "3205", "320507")
    }
    assert told == {None: {"3205"}, "3205": {"3205", "320507"}, "320507": {"320507"}}


def test_the_targets_are_those_of_the_document() -> None:
    targets = load_targets()
    assert {t.id: t.goal for t in targets.targets} == {
        "energy_per_value_added": -0.18, "water_per_value_added": -0.20, "water_pollutants_per_value_added": -0.16,
        "air_pollutants_per_value_added": -0.20, "labour_productivity": 0.07, "rd_ratio": 0.015,
    }  # fmt: skip
    assert (targets.base_year, targets.until, targets.regions) == (2015, 2019, ("3201", "3202", "3204", "3205", "3211"))


# --- the bureau's file -------------------------------------------------------------------------------------------

GOOD = (
    'targets: sunan-2017\nfigures:\n- {region: "3205", target: energy_per_value_added, value: 0.5, source: 年鉴 2016}\n'
)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text(GOOD, "utf-8")
    figure = load_bases(tmp_path).of("3205", "energy_per_value_added")
    assert figure is not None and figure.value == 0.5
    assert load_bases(tmp_path / "none").figures == ()


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("value: 0.5", "value: -0.5", "value"),
        ("value: 0.5", "value: .nan", "value"),
        (", source: 年鉴 2016", "", "source"),
        ("energy_per_value_added", "energy", "energy"),
        ('"3205"', '"32050"', "region"),
        ("targets: sunan-2017", "targets: other", "sunan-2017"),
        ("figures:", "figure:", "figure"),
        ("- {", "- {note: x, ", "note"),
        (GOOD, GOOD + GOOD.splitlines()[-1] + "\n", "twice"),
        (GOOD, "a: [", "line"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, was: str, becomes: str, words: str) -> None:
    assert was in GOOD
    (tmp_path / "targets.yaml").write_text(GOOD.replace(was, becomes, 1), "utf-8")
    with pytest.raises(PermuError) as caught:
        load_bases(tmp_path)
    assert caught.value.code == "bad_targets" and words in caught.value.en
