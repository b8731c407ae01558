"""``permu policy``: list, show, check, diff, try and schema as commands, their JSON and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.policy import app
from engine.policy.packs import shipped
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
SIX = [
    "tax_per_mu=39.015",
    "value_added_per_mu=99.2025",
    "value_added_per_tce=1.27",
    "value_added_per_t_emission=4861.08",
]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch, home: Warehouse) -> None:
    monkeypatch.setenv("PERMU_LANG", "en")
    monkeypatch.setenv("PERMU_HOME", str(home.home))


def said(*words: str) -> str:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def refused(*words: str) -> PermuError:
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, PermuError), done.output
    return done.exception


def test_list_names_every_pack_and_the_bureaus_own(home: Warehouse) -> None:
    (home.home / "policies").mkdir()
    (home.home / "policies" / "rich.yaml").write_bytes((HERE / "rich.yaml").read_bytes())
    policies = {p["id"]: p for p in told("list")["policies"]}
    assert list(policies) == [*shipped(), "rich"]
    assert policies["jingde-2022"]["status"] == "partial"
    assert policies["jingde-2022"]["missing"][0] == {"part": "weights", "zh": "各项指标的权重", "en": "the weights"}
    assert policies["linhai-2014"]["groups"] == ["land_3mu_up", "land_below_3mu"]
    assert all(name in said("list") for name in policies)


def test_show_gives_the_text_and_its_parts() -> None:
    text = said("show", "linhai-2014")
    assert text.strip() == (CHECKOUT / "data/policies/linhai-2014.yaml").read_text("utf-8").strip()
    assert told("show", "linhai-2014")["score"]["groups"]["land_3mu_up"]["items"]["tax_per_mu"]["weight"] == 40


def test_what_show_tells_is_a_pack_again(tmp_path: Path) -> None:
    """The JSON of a pack, its hash left out, is a pack file that says the same."""
    for name in [*shipped(), str(HERE / "rich.yaml")]:
        parts = told("show", name)
        del parts["sha256"]
        file = tmp_path / "again.yaml"
        file.write_text(json.dumps(parts, ensure_ascii=False), "utf-8")
        assert told("diff", name, str(file))["changes"] == []


def test_check_finds_no_fault_and_says_what_is_not_stated() -> None:
    assert told("check", str(HERE / "rich.yaml"))["ok"] is True
    done = CliRunner().invoke(app, ["check", str(HERE / "whole.yaml"), "wujin-2018-draft"])
    assert done.exit_code == 0 and "rounding: none, ties: share_better_rank" in done.stderr
    assert "not seen: the base values" in done.stderr


def test_check_refuses_two_that_claim_one_place(tmp_path: Path) -> None:
    rich = (HERE / "rich.yaml").read_text("utf-8")
    files = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for file in files:
        file.write_text(rich, "utf-8")
    error = refused("check", *map(str, files))
    assert error.code == "policy_claims" and "329900" in error.en
    files[1].write_text(rich.replace("valid_from: 2024-01-01", "valid_from: 2025-01-01"), "utf-8")
    assert refused("check", *map(str, files)).code == "policy_claims"
    files[0].write_text(rich.replace("valid_to: 2026-12-31", "valid_to: 2024-12-31"), "utf-8")
    assert [p["ok"] for p in told("check", *map(str, files))["policies"]] == [True, True]


def test_diff_of_two_years() -> None:
    changes = {c["path"]: c for c in told("diff", "huangyan-2021", "huangyan-2022")["changes"]}
    tax = changes["score.groups.above_scale.items.tax_per_mu.base.constant"]
    assert (tax["before"], tax["after"], tax["kind"]) == (26.01, 24.097, "changed")
    assert tax["zh_path"] == "综合分 · 分组 · 规上 · 指标 · 亩均税收 · 基准值 · 常数"
    missing = changes["score.groups.above_scale.items.value_added_per_t_emission.missing"]
    assert (missing["before"], missing["after"]) == ("zero_score", "group_average_score")
    assert not any("weight" in path or "shares" in path for path in changes)


def test_diff_names_what_came_and_went(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = said("diff", "anhui-city", "illustrative-2024").splitlines()
    assert "status: partial → illustrative" in lines
    assert "score.groups.below_scale.items.tax_per_mu.form: removed rank_only" in lines
    assert "score.groups.above_scale.items.tax_per_mu.base.average_of: added this_year" in lines
    assert "score.not_evaluated.列入免评名单（未定档）.listed: removed exemptions" in lines
    assert not any(".shares." in line for line in lines)
    assert said("diff", "anhui-city", "anhui-city").strip() == "no difference"
    monkeypatch.setenv("PERMU_LANG", "zh")
    assert "状态: partial → illustrative" in said("diff", "anhui-city", "illustrative-2024").splitlines()


def test_diff_tells_shares_and_rules_by_name(tmp_path: Path) -> None:
    rich = (HERE / "rich.yaml").read_text("utf-8")
    new = rich.replace("{grade: B, up_to_percent: 62.5}", "{grade: B, up_to_percent: 65}").replace(
        "grade: D\n      ev", "grade: B\n      ev"
    )
    (tmp_path / "new.yaml").write_text(new, "utf-8")
    lines = said("diff", str(HERE / "rich.yaml"), str(tmp_path / "new.yaml")).splitlines()
    assert "score.groups.above_scale.shares.B.up_to_percent: 62.5 → 65" in lines
    assert "score.adjustments.accident.grade: D → B" in lines


def test_try_shows_the_base_beside_the_score() -> None:
    text = said("try", "huangyan-2021", "--group", "below_scale", "tax_per_mu=33.202116", "tax_per_kwh=0.236565")
    assert all(part in text for part in ("16.601058", "0.236565", "100.0", "150.0", "50"))


def test_a_pack_of_one_group_scores_whoever_is_named() -> None:
    words = ("huaian-2024", "tax_per_mu=20", "sales_per_mu=150", "tax_per_tce=1")
    bases = ("--base", "tax_per_mu=16", "sales_per_mu=240", "tax_per_tce=5")
    answers = [told("try", *words, "--group", group, *bases) for group in ("all", "above_scale", "below_scale")]
    assert answers[0] == answers[1] == answers[2] and (answers[0]["group"], answers[0]["total"]) == ("all", 82.125)


def test_try_of_a_pure_rank_is_the_value_itself() -> None:
    answer = told("try", "anhui-city", "--group", "below_scale", "tax_per_mu=12.5")
    assert answer["items"] == {"tax_per_mu": 12.5} and answer["total"] == 12.5


def test_try_with_bases_that_were_not_seen() -> None:
    """A partial pack without bases is tried with bases that are given: then nothing is guessed."""
    words = ["tax_per_mu=60", "sales_per_mu=100", "tax_per_kwh=1"]
    assert refused("try", "haining-2023", "--group", "below_scale", *words).code == "base_needed"
    bases = ["--base", "tax_per_mu=30", "--base", "sales_per_mu=200", "--base", "tax_per_kwh=2"]
    answer = told("try", "haining-2023", "--group", "below_scale", *words, *bases)
    assert answer["items"] == {"tax_per_mu": 120.0, "sales_per_mu": 10.0, "tax_per_kwh": 10.0}
    assert answer["total"] == 140.0 and answer["bases"]["tax_per_mu"] == 30.0


RICH_ALL = [
    "--average",
    "tax_per_mu=10",
    "--base",
    "emission_per_wan=2",
    "--range",
    "rd_ratio=0..0.1",
    "--mean",
    "emission_per_wan=7",
]
RULES: list[tuple[str, dict[str, float | None], float]] = [
    # base of tax 1.8 × 10 = 18, cap 1.5 × 40; the mean stands for the emission; no R&D costs 3 points; VA per tce leaves its
    # weight of 27.5 to the others: 64 ÷ 0.725. 42.625 is rounded half up
    ("tax_per_mu=90", {"tax_per_mu": 60, "value_added_per_tce": None, "emission_per_wan": 7, "rd_ratio": -3}, 88.28),
    ("tax_per_mu=-4 value_added_per_tce=2.5 emission_per_wan=3 rd_ratio=0.05",
     {"tax_per_mu": 0, "value_added_per_tce": 27.5, "emission_per_wan": 3.125, "rd_ratio": 12}, 42.63),
    ("value_added_per_tce=5 emission_per_wan=0 rd_ratio=0.1",
     {"tax_per_mu": 0, "value_added_per_tce": 55, "emission_per_wan": 12.5, "rd_ratio": 20}, 87.5),
]  # fmt: skip


@pytest.mark.parametrize(("values", "items", "total"), RULES)
def test_try_applies_limits_and_missing_rules(values: str, items: dict[str, float | None], total: float) -> None:
    answer = told("try", str(HERE / "rich.yaml"), "--group", "above_scale", *values.split(), *RICH_ALL)
    assert answer["items"] == items
    assert answer["total"] == total, "this pack rounds half up to two digits before it ranks"


REFUSED = {
    "no composite": ("try sunan-2017 tax_per_mu=1", "no_composite", "output_per_mu"),
    "no group named": ("try huangyan-2021 tax_per_mu=1", "unknown_group", "above_scale, below_scale"),
    "a group that is none": ("try huangyan-2021 --group all tax_per_mu=1", "unknown_group", "below_scale"),
    "an indicator that is none": ("try huaian-2024 tax=1", "unknown_indicator", "tax_per_mu, sales_per_mu, tax_per_tce"),
    "a base of another item": ("try huaian-2024 tax_per_mu=1 --base rd_ratio=1", "unknown_indicator", "rd_ratio"),
    "last year's average": ("try huaian-2024 tax_per_mu=1", "base_needed", "2 × last year's group average"),
    "weights not seen": ("try jingde-2022 --group above_scale tax_per_mu=1", "policy_partial", "the weights"),
    "items not seen": ("try maanshan-2019 tax_per_mu=1", "policy_partial", "the indicators"),
    "a mean": (f"try huangyan-2022 --group above_scale {SIX[0]}", "mean_needed", "value_added_per_t_emission"),
    "a range": (f"try {HERE}/rich.yaml --group above_scale --average tax_per_mu=1 --base emission_per_wan=1 "
                "emission_per_wan=1 tax_per_mu=1", "range_needed", "rd_ratio=LEAST..GREATEST"),
    "no number": ("try huaian-2024 tax_per_mu=much", "bad_value", "tax_per_mu=much"),
    "infinite": ("try huaian-2024 tax_per_mu=inf", "bad_value", "tax_per_mu=inf"),
    "nan": ("try huaian-2024 --base tax_per_mu=nan", "bad_value", "tax_per_mu=nan"),
    "no name": ("try huaian-2024 =5", "bad_value", "=5"),
    "twice": ("try huaian-2024 tax_per_mu=1 tax_per_mu=2", "bad_value", "given once"),
    "a base where none is": ("try anhui-city --group below_scale tax_per_mu=1 --base tax_per_mu=5", "bad_base", "no base"),
    "a base of zero": ("try huaian-2024 tax_per_mu=1 --base tax_per_mu=0", "bad_base", "above 0"),
    "range upside down": ("try huaian-2024 --range tax_per_mu=9..1", "bad_value", "9..1"),
    "half a range": ("try huaian-2024 --range tax_per_mu=9", "bad_value", "tax_per_mu=9"),
    "an unknown policy": ("diff sunan-2017 sunan-2018", "unknown_policy", "sunan-2018"),
    "a broken file": (f"check {HERE}/broken/weights-105.yaml", "bad_policy", "weights sum to 105"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_clear_line(case: str) -> None:
    line, code, words = REFUSED[case]
    error = refused(*line.split())
    assert error.code == code and words in error.en, error.en
    assert error.zh and all(len(text.splitlines()) == 1 for text in (error.en, error.zh))


def test_the_schema_in_the_docs_is_the_models() -> None:
    """`permu policy schema > docs/policy.schema.json` makes it anew."""
    assert json.loads((CHECKOUT / "docs/policy.schema.json").read_text("utf-8")) == json.loads(said("schema"))


def test_several_bases_after_one_option() -> None:
    """As the manual writes it: ``try ID NAME=… --base NAME=… NAME=…``."""
    words = ["tax_per_mu=60", "sales_per_mu=100", "tax_per_kwh=1"]
    bases = ["--base", "tax_per_mu=30", "sales_per_mu=200", "tax_per_kwh=2"]
    answer = told("try", "haining-2023", "--group", "below_scale", *words, *bases)
    assert answer["total"] == 140.0 and answer["bases"]["sales_per_mu"] == 200.0
    first = told("try", "haining-2023", *bases[:2], "--base", "sales_per_mu=200", "--base", "tax_per_kwh=2",
                 "--group", "below_scale", *words)  # fmt: skip
    assert first == answer
