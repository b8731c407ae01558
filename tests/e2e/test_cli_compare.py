"""``permu compare`` and ``permu explain`` as a person and a program meet them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from engine.releases import find
from engine.schema.warehouse import Warehouse
from tests.e2e.tour import Done, inside, state

Run = Callable[..., Done]
YEARS = "compare 2023 2024"
POLICIES = "compare sunan-2017 huaian-2024 --year 2024"


@pytest.fixture
def run(demo_home: Warehouse, tmp_path: Path) -> Iterator[Run]:
    """Runs a command line on the small demo, which must be afterwards as it was before."""
    before = state(demo_home.home)
    yield lambda line, **more: inside(tmp_path, *line.split(), PERMU_HOME=str(demo_home.home), **more)
    assert state(demo_home.home) == before, "something was written"


def done(result: Done) -> Done:
    assert result.code == 0, result.err
    return result


def test_years_say_who_moved_why_and_how_long_in_the_bottom(run: Run) -> None:
    found = done(run(f"{YEARS} --json")).json()
    assert (found["a"]["year"], found["b"]["year"]) == (2023, 2024) and found["a"]["policy"] == "sunan-2017"
    assert found["moved"] == len(found["rows"]) > 0
    assert sum(c["enterprises"] for c in found["causes"]) == found["moved"]
    for row in found["rows"]:
        if row["places"] is not None:
            assert row["places"] == sum(v for k, v in row.items() if k.startswith("by_"))
    assert {row["years_in_bottom"] for row in found["rows"]} >= {0, 1, 2}


def test_policies_beside_a_third_in_bands(run: Run) -> None:
    line = f"{POLICIES} --beside sunan-2017 --beside-by benefit_per_mu --region 3205"
    found = done(run(f"{line} --all --json")).json()
    assert found["beside"]["policy"] == "sunan-2017" and {c["cause"] for c in found["causes"]} == {"policy"}
    assert all(row["region_code"].startswith("3205") for row in found["rows"])
    assert {row["band_c"] for row in found["rows"]} >= {"0–20 %", "20–60 %", "60–95 %"}
    english, chinese = done(run(line)).out, done(run(line, PERMU_LANG="zh")).out
    assert "rank bands of C" in english and "main causes" in english and "policy" in english
    assert "名次段" in chinese and "主要原因" in chinese and "办法" in chinese


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_rows_as_a_file_that_says_what_it_is(run: Run, tmp_path: Path, form: str) -> None:
    moved = done(run(f"{YEARS} --json")).json()["moved"]
    done(run(f"{YEARS} --format {form} --out rows.{form}"))
    if form == "csv":
        frame = pl.read_csv(io.BytesIO((tmp_path / "rows.csv").read_bytes()))
        assert frame.height == moved and {"places", "by_data_own", "cause", "loads_digest"} <= set(frame.columns)
    else:
        book = openpyxl.load_workbook(tmp_path / "rows.xlsx", read_only=True)
        cells = [cell for row in book.worksheets[0].iter_rows(max_row=6, values_only=True) for cell in row if cell]
        assert any("comparison" in str(c) for c in cells) and any("Places up" in str(c) for c in cells)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("compare nothing 2024", "unknown_release", ["nothing", "permu releases"]),
        ("compare 2023 2024 --by rd_ratio", "bad_parameter", ["rd_ratio", "output_per_mu"]),
        ("compare 2023 2024 --within street", "bad_parameter", ["street", "region_county"]),
        ("compare 2023 2024 --region 99", "bad_parameter", ["99", "county"]),
        (f"{POLICIES} --beside sunan-2017 --beside-by score", "bad_parameter", ["score", "benefit_per_mu"]),
    ],
)
def test_wrong_questions_are_told_what_to_do(run: Run, line: str, code: str, words: list[str]) -> None:
    refused = run(f"{line} --json")
    assert refused.code == 2 and refused.json()["error"]["code"] == code
    assert all(word in refused.json()["error"]["en"] for word in words) and "Traceback" not in refused.err


def graded(home: Warehouse, grade: str) -> str:
    return str(find(home, policy="huaian-2024", year=2024).rankings.filter(grade=grade)["enterprise_id"][0])


def test_an_explanation_reads_from_the_row_to_the_next_grade(run: Run, demo_home: Warehouse) -> None:
    line = f"explain {graded(demo_home, 'C')} --policy huaian-2024"
    english, chinese = done(run(line)).out, done(run(line, PERMU_LANG="zh")).out
    sections = [
        "1. Records",
        "2. Land",
        "3. Facts",
        "4. Amounts",
        "5. Indicators",
        "6. Score",
        "7. Ranks",
        "8. Grade",
        "9. What",
    ]
    assert [english.index(s) for s in sections] == sorted(english.index(s) for s in sections)
    assert "row " in english and "reaches grade B" in english and "Σ tax_fen" in english
    assert not any(unit in english for unit in ("万元", "亩", "千瓦时", "立方米", "标准煤", "吨"))
    assert "九、升级所需" in chinese and "即达 B 等" in chinese and "万元/亩" in chinese
    table = done(run(f"{line} --format table")).out
    assert "━" in table and "8. Grade" in table
    assert done(run(f"{line} --format json")).json() == done(run(f"{line} --json")).json()


def test_every_unit_of_an_english_explanation_is_english(run: Run, demo_home: Warehouse) -> None:
    steps = done(run(f"explain {graded(demo_home, 'D')} --policy huaian-2024 --json")).json()["steps"]
    assert all(step["unit"].isascii() or set(step["unit"]) - set("×³") <= set(map(chr, range(128))) for step in steps)
    kinds = [step["kind"] for step in steps]
    assert kinds.index("base") < kinds.index("item") < kinds.index("total") < kinds.index("quota") < kinds.index("next")
