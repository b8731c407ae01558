"""The shipped rule is what its script writes: thresholds from its cuts, figures as ``permu demo check`` counts them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from data.demo.check import check
from engine.schema.warehouse import Warehouse
from ingest.match.rule import FEATURES, PPB, rule
from tests.bench import fit_linking as script

TOLD = json.loads(script.RULE.read_text(encoding="utf-8"))
PROMISED_PRECISION, PROMISED_FOUND = 0.999, 0.98  # of all records without an id


def test_the_thresholds_are_those_that_the_criterion_gives_on_the_shipped_cuts() -> None:
    cut = pl.read_csv(script.CUTS)
    tried = {s: part["threshold_ppb"].to_list() for (s,), part in cut.group_by("seed")}
    assert tried == {seed: list(script.GRID) for seed in script.TRAINING}
    link, review = script.thresholds(cut)
    assert TOLD["thresholds_ppb"] == {"link": link, "review": review}
    assert (rule().link_ppb, rule().review_ppb) == (link, review)
    for at in cut.filter(threshold_ppb=link).rows(named=True):
        figures = TOLD["measured"][f"seed_{at['seed']}"]
        assert figures["linked"] == at["exact"] + at["linked"] and figures["linked_by_rule"] == at["linked"]
        assert figures["wrong"] == figures["linked"] - at["exact_right"] - at["right"]
        assert figures["precision"] >= script.LEAST_PRECISE


def test_the_rule_says_how_it_was_made() -> None:
    assert list(TOLD["coefficients"]) == list(FEATURES)
    assert TOLD["fitted"]["seeds"] == list(script.TRAINING) and TOLD["fitted"]["ridge"] == script.RIDGE
    assert TOLD["asked"] == {
        "least_precise": script.LEAST_PRECISE, "least_precise_by_rule": script.LEAST_PRECISE_BY_RULE,
        "least_sure": script.LEAST_SURE, "least_found_by_rule": script.LEAST_FOUND_BY_RULE,
    }  # fmt: skip
    assert len(script.UNSEEN) >= 2 and not script.TRAINING.keys() & (script.UNSEEN | script.SHIPPED).keys()


@pytest.mark.parametrize("seed", [*script.TRAINING, *script.UNSEEN, *script.SHIPPED])
def test_every_seed_keeps_what_is_promised(seed: int) -> None:
    figures = TOLD["measured"][f"seed_{seed}"]
    assert figures["precision"] >= PROMISED_PRECISION and figures["candidates_recall"] >= PROMISED_FOUND
    assert figures["on"].startswith("training" if seed in script.TRAINING else "unseen")


def test_the_figures_are_those_of_demo_check(demo_folder: Path, demo_home: Warehouse) -> None:
    with demo_home.read() as db:
        newest = db.execute("SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC", (script.YEAR,))
        merged = demo_home.merged / newest.fetchone()["merge_id"]
    told = check({script.YEAR: merged}, {}, demo_folder / "truth")["links"]["without_id"]
    one = script.world(7, demo_home, merged, demo_folder / "truth")
    ours = script.measured(script.judged(one, rule()), rule())
    assert (ours["keys"], ours["linked"]) == (told["keys"], told["linked"]) and ours["linked_by_rule"] > 0
    for name in ("precision", "recall", "review_share", "candidates_recall"):
        assert ours[name] == round(told[name], 5), name


# (linked, right, shown) at four thresholds, of 100 undecided beside 1,000 exact ones → what the criterion takes
LEVELS = (500_000_000, 900_000_000, 950_000_000, 990_000_000)
LOW, FIRST, SECOND, THIRD = LEVELS
CUTS = {
    "all is right": ([(60, 60, 99), (50, 50, 97), (40, 40, 97), (30, 30, 97)], (FIRST, LOW)),
    "enough shown above": ([(60, 60, 99), (50, 50, 98), (40, 40, 98), (30, 30, 97)], (FIRST, FIRST)),
    "wrong below the second": ([(60, 58, 99), (50, 48, 99), (40, 40, 98), (30, 30, 97)], (SECOND, SECOND)),
    "right below a wrong one": ([(3000, 2999, 99), (3000, 2999, 99), (40, 38, 99), (30, 30, 97)], (THIRD, SECOND)),
    "what is linked wrongly is not found": (
        [(3000, 2999, 98), (3000, 2999, 98), (40, 40, 98), (30, 30, 97)],
        (FIRST, 0),
    ),
    "more than 5 in 10,000 of all": ([(400, 400, 99), (400, 399, 99), (40, 40, 98), (30, 30, 97)], (SECOND, SECOND)),
    "wrong everywhere": ([(60, 50, 99), (50, 40, 99), (40, 30, 98), (30, 20, 97)], (PPB, SECOND)),
    "never enough shown": ([(60, 60, 90), (50, 50, 90), (40, 40, 80), (30, 30, 70)], (FIRST, 0)),
}
COLUMNS = ["threshold_ppb", "linked", "right", "shown", "exact", "exact_right", "undecided"]


def cut_of(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    told = [(at, *row, 1000, 1000, 100) for at, row in zip(LEVELS, rows, strict=True)]
    return pl.DataFrame(told, schema=COLUMNS, orient="row")


@pytest.mark.parametrize("case", CUTS)
def test_thresholds(case: str) -> None:
    rows, limits = CUTS[case]
    cut = cut_of(rows)
    assert script.thresholds(cut) == script.thresholds(cut.reverse()) == limits


def test_an_error_of_one_seed_is_not_hidden_by_the_others() -> None:
    good = cut_of(4 * [(400, 400, 99)])
    poor = cut_of([*(2 * [(400, 399, 99)]), *(2 * [(40, 40, 99)])])
    assert script.thresholds(good)[0] == FIRST
    assert script.thresholds(pl.concat([good, poor, good, good]))[0] == SECOND


def test_the_page_shows_the_figures(checkout: Path) -> None:
    page = (checkout / "docs" / "linking.md").read_text(encoding="utf-8")
    for name, m in TOLD["measured"].items():
        shares = (m["precision"], m["recall"], m["candidates_recall"], m["review_share"], m["precision_by_rule"])
        cells = (name.removeprefix("seed_"), m["on"], m["keys"], m["linked"], m["wrong"], *shares)
        assert f"| {' | '.join(map(str, cells))} |" in page
    for limit in (*TOLD["asked"].values(), *(ppb / PPB for ppb in TOLD["thresholds_ppb"].values())):
        assert f" {limit:g}" in page
