"""What became of an enterprise under its one id, told; and a title on the page for every kind of step."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import engine.explain as explaining
from engine.explain import explain
from engine.explain.titles import STEP_KINDS, step_title
from engine.releases import Release
from ingest.identity import EVENTS
from tests.unit.explain.years import release_of
from tests.unit.ranking.firms import firm

PACK = Path("data/policies/sunan-2017.yaml")
LINES = [
    ("E000001", "move", 2024, None, "东路1号", "西路2号", None, "commerce-2024-1", "Sheet1", 7),
    ("E000001", "rename", 2024, None, "旧名厂", "新名厂", None, "commerce-2024-1", "Sheet1", 7),
    ("E000001", "new_code", 2024, None, None, "91320583MA1", None, "commerce-2024-1", "Sheet1", 7),
    ("E000001", "merge", 2024, date(2024, 3, 1), None, None, "E000002", "relations-2024-1", "", 3),
    ("E000002", "split", 2024, None, None, None, "E000009", None, None, None),
]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("identity")
    firms = [firm(n, vat_fen=n * 10**8, invoiced_sales_fen=10**9, land_dm2_days=10**9) for n in (1, 2)]
    pl.DataFrame(LINES, schema=EVENTS, orient="row").write_parquet(folder / "identity_events.parquet")
    return release_of(folder, PACK.read_text("utf-8"), firms)


def told(release: Release, enterprise: str, lang: str) -> list[tuple[str, object, str]]:
    found = explain(release, enterprise, lang)["steps"]
    return [(s["name"], s["value"], s["note"]) for s in found if s["kind"] == "identity"]


def test_every_change_is_told_in_order_with_both_sides(release: Release) -> None:
    assert told(release, "E000001", "en") == [
        ("rename", "新名厂", "2024 renamed: 旧名厂 → 新名厂; its id stays"),
        ("move", "西路2号", "2024 moved: 东路1号 → 西路2号; its id stays"),
        ("new_code", "91320583MA1", "2024 given a new code: (none) → 91320583MA1; its id stays"),
        ("merge", None, "2024-03-01 merged: with 示例2; its id stays"),
    ]
    assert told(release, "E000001", "zh")[0][2] == "2024 年 更名：旧名厂 → 新名厂；企业编号不变"
    (step,) = told(release, "E000002", "zh")
    assert step == ("split", None, "2024 年 分立：涉及 E000009；企业编号不变")


def test_a_change_names_the_row_that_shows_it(release: Release) -> None:
    first, *_ = (s for s in explain(release, "E000001")["steps"] if s["kind"] == "identity")
    assert (first["source"]["load_id"], first["source"]["row"]) == ("commerce-2024-1", 7)
    (bare,) = (s for s in explain(release, "E000002")["steps"] if s["kind"] == "identity")
    assert "source" not in bare


def test_the_page_has_a_title_for_every_kind_of_step() -> None:
    texts = [p.read_text("utf-8") for p in Path(explaining.__file__).parent.glob("*.py")]
    made = {kind for text in texts for kind in re.findall(r'\bstep\(\s*"(\w+)"', text)}
    dynamic = {"bonus", "deduction"}  # step(kind, kind, …)
    shown = (made | dynamic) - {"rank"}  # ranks stand in a table of their own
    assert shown == set(STEP_KINDS)
    assert all(zh and en and zh != en for zh, en in STEP_KINDS.values())


@pytest.mark.parametrize(("lang", "title"), [("zh", "更名"), ("en", "renamed")])
def test_a_change_has_a_title_in_words(lang: str, title: str) -> None:
    assert step_title(lang, "rename", "identity") == title
