"""``permu correct`` and ``permu disputes`` as docs/corrections.md shows them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.e2e.tour import inside, permu, state
from tests.unit.corrections.test_correcting import COMMERCE, HR, STATISTICS, SURVEY, TAX
from tests.unit.ingest.files import A, put


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a merged year, and the page's files beside it."""
    put(tmp_path, "data/warehouse/sources/survey.yaml", SURVEY)
    texts = {"commerce": COMMERCE, "state_tax": TAX, "statistics": STATISTICS, "hr": HR}
    texts["survey"] = f"统一社会信用代码,年平均从业人数\n{A},80\n"
    for source, text in texts.items():
        put(tmp_path, f"drops/{source}/{source}2024.csv", text)
    assert inside(tmp_path, "ingest", "drops", "--year", "2024").code == 0
    assert inside(tmp_path, "merge", "--year", "2024").code == 1  # a dispute
    return tmp_path


def blocks(checkout: Path, language: str) -> list[str]:
    text = (checkout / "docs" / "corrections.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_page_runs(place: Path, checkout: Path) -> None:
    correction, withdrawal = blocks(checkout, "yaml")
    put(place, "corrections.yaml", correction)
    commands = [line.split("#")[0].split()[1:] for block in blocks(checkout, "sh") for line in block.splitlines()]
    assert [c[0] for c in commands] == ["correct", "correct", "correct", "merge", "disputes", "disputes"]
    for words in commands:
        done = inside(place, *words)
        assert done.code in (0, 1) and not done.err.startswith("permu:"), (words, done.err)
    assert (place / "disputes.csv").is_file()
    put(place, "withdraw.yaml", withdrawal)
    done = inside(place, "correct", "withdraw.yaml", "--json")
    assert [c["change"] for c in done.json()["corrections"]] == ["withdrawn"] and done.json()["written"]


def test_dry_run_shows_before_and_after_and_stores_nothing(place: Path, checkout: Path) -> None:
    put(place, "c.yaml", blocks(checkout, "yaml")[0])
    before = state(place)
    done = permu(place, "correct", "c.yaml", "--dry-run")
    assert done.code == 0 and "1.2 万元 → 120.5 万元" in done.out and "nothing was stored" in done.out
    told = inside(place, "correct", "c.yaml", "--dry-run", "--json").json()
    (line,) = told["corrections"]
    assert not told["written"] and (line["before"], line["after"]) == (1_200_000, 120_500_000)
    assert state(place) == before


def test_a_broken_guard_ends_with_two_in_one_line(place: Path, checkout: Path) -> None:
    put(place, "c.yaml", blocks(checkout, "yaml")[0])
    assert inside(place, "correct", "c.yaml").code == 0
    put(place, "drops/state_tax/state_tax2024.csv", TAX.replace("12000", "1205000"))
    assert inside(place, "ingest", "drops/state_tax", "--source", "state_tax", "--year", "2024").code == 0
    before = state(place)
    done = permu(place, "merge", "--year", "2024")
    assert done.code == 2 and "Traceback" not in done.err
    (line,) = [x for x in done.err.splitlines() if x.startswith("permu:")]
    assert "vat_fen" in line and "lt 2 万元" in line and "120.5 万元" in line
    assert state(place) == before


def test_an_ended_correction_is_told_and_ends_with_one(place: Path, checkout: Path) -> None:
    put(place, "c.yaml", blocks(checkout, "yaml")[0].replace("2099-12-31", "2020"))
    assert inside(place, "correct", "c.yaml").code == 0
    done = inside(place, "merge", "--year", "2024")
    assert done.code == 1 and "ended" in done.out + done.err
    listed = inside(place, "correct", "list")
    assert listed.code == 1 and "ended" in listed.out and "until 2020" in listed.out


def test_the_list_is_empty_at_first(place: Path) -> None:
    assert inside(place, "correct", "list", "--json").json() == {"corrections": []}
    assert "共 0 项更正" in inside(place, "correct", "list", PERMU_LANG="zh").out


def test_disputes_say_who_said_what_and_where(place: Path) -> None:
    done = inside(place, "disputes", "--json")
    (one,) = done.json()["disputes"]
    assert done.code == 1 and (one["field"], one["value_taken"], one["source_taken"], one["spread"]) == (
        "employees", 120, "statistics", 40,
    )  # fmt: skip
    assert [(c["source"], c["value"], Path(c["file"]).name, c["row"]) for c in one["claims"]] == [
        ("statistics", 120, "statistics2024.csv", 2), ("survey", 80, "survey2024.csv", 2),
    ]  # fmt: skip
    assert inside(place, "disputes", "--field", "vat_fen").code == 0
    assert inside(place, "disputes", "--year", "2023", "--json").json()["disputes"] == []


@pytest.mark.parametrize("name", ["d.csv", "d.xlsx"])
def test_disputes_are_exported(place: Path, name: str) -> None:
    import fastexcel

    assert inside(place, "disputes", "--out", name).code == 1
    if name.endswith("csv"):
        rows = list(csv.DictReader((place / name).read_text("utf-8-sig").splitlines()))
    else:
        rows = fastexcel.read_excel(str(place / name)).load_sheet(0).to_polars().to_dicts()
    assert [(r["uscc"], r["source"], int(r["value"])) for r in rows] == [(A, "statistics", 120), (A, "survey", 80)]


@pytest.mark.parametrize("words", ["disputes --field vat", "disputes --out d.txt", "correct none.yaml"])
def test_wrong_usage_is_one_line(place: Path, words: str) -> None:
    done = inside(place, *words.split())
    assert done.code == 2 and len(done.err.strip().splitlines()) == 1


def test_explain_tells_a_dispute_and_its_correction(place: Path) -> None:
    def fact(kind: str = "fact") -> str:
        assert inside(place, "rank", "--year", "2024").code == 0
        steps = inside(place, "explain", A, "--json").json()["steps"]
        (one,) = [s for s in steps if s["kind"] == kind and s["name"] == "employees"]
        return str(one["note"])

    assert "sources disagree; the most trusted is taken" in fact()
    assert "each source: statistics 120; survey 80; they differ by 40" in fact()
    entry = f"enterprise: {A}, field: employees, year: 2024, value: 99, unit: 人, expect: {{between: [100, 130]}}"
    rest = "reason: counted, evidence: payroll, approver: Wang, until: never"
    put(place, "c.yaml", f"corrections: [{{{entry}, {rest}}}]\n")
    assert inside(place, "correct", "c.yaml").code == 0 and inside(place, "merge", "--year", "2024").code == 0
    told = fact()
    assert "corrected by hand" in told
    assert "120 → 99 (guard between 100 130 人); reason: counted" in fact("correction")
    assert "statistics 120; survey 80" in told  # what each said stays
