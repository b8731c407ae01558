"""Workbooks whose rows are written by our own code, read back by openpyxl and calamine."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastexcel
import openpyxl
import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from api.exports.cells import LONGEST_TEXT, ROWS_AT_ONCE
from api.exports.formats import disarmed
from api.exports.provenance import Provenance
from api.exports.sheets import LONGEST_NAME, RESERVED, legal_names
from api.exports.table import Part, Sheet
from api.exports.words import FLAGS
from api.exports.xlsx import FIRST_ROW, prepare
from engine.schema.errors import PermuError

BOTTOM = "/api/v1/rankings/bottom"


def origin(who: str = "张三") -> Provenance:
    loads = ({"load_id": "land-2024-1", "source": "land", "file": "宗地.xlsx"},)
    return Provenance(
        "r1", 2024, "own", "sha", "complete", "draft", True, "2025", "hash", loads, {}, who, basis=("某公告 1号",)
    )


def book(frame: pl.DataFrame, **more: Any) -> bytes:
    sheet = Sheet(frame, "output_per_mu", frame.height, more.pop("kind", "ranking"), **more)
    return prepare(sheet, origin(), "zh", split=bool(sheet.parts)).finish(origin())


def cells(content: bytes, sheet: str | None = None) -> list[tuple[Any, ...]]:
    read = openpyxl.load_workbook(io.BytesIO(content))
    page = read[sheet] if sheet else read.worksheets[0]
    return [tuple(c.value for c in r) for r in page.iter_rows(min_row=FIRST_ROW + 1)]


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)),
            st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
            st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_value_is_read_back_as_it_was(given_rows: list[tuple[str | None, float | None, int | None]]) -> None:
    frame = pl.DataFrame(given_rows, {"name": pl.String, "output_per_mu": pl.Float64, "rank": pl.Int32}, orient="row")
    for got, want in zip(cells(book(frame)), given_rows, strict=False):
        text, figure, number = want
        assert (None if got[0] is None else unescape(got[0])) == text
        finite = figure is not None and figure == figure and abs(figure) != float("inf")
        assert got[1] == (figure if finite else None) and got[2] == number


def test_slices_join_without_a_seam() -> None:
    rows = 2 * ROWS_AT_ONCE + 3
    frame = pl.DataFrame({"rank": pl.Series(range(rows), dtype=pl.Int32), "name": [f"企业{n}" for n in range(rows)]})
    read = fastexcel.read_excel(book(frame)).load_sheet(0, header_row=None, skip_rows=FIRST_ROW).to_polars()
    assert read.height == rows
    numbers, names = read.get_columns()
    assert numbers.cast(pl.Int32).to_list() == list(range(rows)) and names[-1] == f"企业{rows - 1}"


def test_the_size_that_the_sheet_states_is_its_own() -> None:
    frame = pl.DataFrame({"rank": [1, 2, 3], "name": ["a", "b", None]})
    with zipfile.ZipFile(io.BytesIO(book(frame))) as file:
        assert file.namelist()[0] == "[Content_Types].xml" and len(set(file.namelist())) == len(file.namelist())
        assert f'<dimension ref="A1:B{FIRST_ROW + 3}"/>'.encode() in file.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(("lang", "lines", "told"), [("zh", 1, "某办法 · r1 · 草稿"), ("en", 2, "own · r1 · draft")])
def test_the_header_is_in_the_asked_language_and_has_room(lang: str, lines: int, told: str) -> None:
    frame = pl.DataFrame({"name": ["甲"], "output_per_mu": [1.0]})
    by = replace(origin(), policy_title={"zh": "某办法"})
    made = prepare(Sheet(frame, "output_per_mu", 1, "ranking"), by, lang).finish(by)
    page = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]
    assert told in page["A2"].value
    assert (page.row_dimensions[FIRST_ROW].height or 15) == 15 * lines  # the row of units; a line is not written


def test_a_text_longer_than_a_cell_is_refused() -> None:
    assert cells(book(pl.DataFrame({"name": ["长" * LONGEST_TEXT]})))[0][0] == "长" * LONGEST_TEXT
    with pytest.raises(PermuError) as refused:
        book(pl.DataFrame({"name": ["长" * (LONGEST_TEXT + 1)]}))
    assert refused.value.code == "cell_too_long"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formulas_are_disarmed_also_full_width(start: str) -> None:
    assert disarmed(pl.DataFrame({"t": [start + "1"]}))["t"][0] == "'" + start + "1"
    page = openpyxl.load_workbook(io.BytesIO(book(pl.DataFrame({"name": [start + "1", "1" + start]})))).worksheets[0]
    armed, plain = page.cell(FIRST_ROW + 1, 1), page.cell(FIRST_ROW + 2, 1)
    assert armed.data_type == "s" and armed.quotePrefix and not plain.quotePrefix


def test_a_kept_table_gets_the_name_and_time_of_each_export() -> None:
    frame = pl.DataFrame({"rank": [1], "name": ["甲"]})
    made = prepare(Sheet(frame, "output_per_mu", 1, "ranking"), origin("甲"), "zh")
    files = [made.finish(origin(who)) for who in ("甲", "乙")]
    told = [{r[0].value: r[1].value for r in openpyxl.load_workbook(io.BytesIO(f))["说明"].iter_rows()} for f in files]
    assert [t["导出人"] for t in told] == ["甲", "乙"] and told[0]["办法依据"] == "某公告 1号"
    assert cells(files[0]) == cells(files[1]) == [(1, "甲")]


def test_marks_are_told_in_words_and_every_mark_has_some(checkout: Path) -> None:
    frame = pl.DataFrame({"name": ["甲", "乙", "丙"], "flags": ["landless,no_tax", "", "a_new_one"]})
    assert [r[1] for r in cells(book(frame))] == ["没有用地记录、没有税收数据", None, "a_new_one"]
    text = (checkout / "engine" / "ranking" / "pipeline.py").read_text(encoding="utf-8")
    marks = set(re.findall(r'^ +(?:marks\[|return marks \| \(\{)?"([a-z_]+)"(?:\]| ?:)', text, re.MULTILINE))
    assert {"landless", "tenant", "adjusted", "no_base"} <= marks and marks - set(FLAGS) == set()


# --- one sheet a group -------------------------------------------------------------------------------------------


def test_each_group_has_its_sheet_and_the_first_lists_them(client: TestClient) -> None:
    asked = {"count": 1, "within": "industry,size"}
    groups = [g for g in client.get(BOTTOM, params=asked).json()["groups"] if g["rows"]]
    answer = client.get(BOTTOM, params=asked | {"format": "xlsx", "sheets": "group"})
    read = openpyxl.load_workbook(io.BytesIO(answer.content))
    contents, *pages, notes = read.worksheets
    assert contents.title == "目录" and notes.title == "说明" and len(pages) == len(groups) > 1
    for page, group, line in zip(pages, groups, contents.iter_rows(min_row=6, values_only=True), strict=True):
        heads = [str(c.value).split("\n")[0] for c in page[5]]
        found = [r[heads.index("企业编号")].value for r in page.iter_rows(min_row=FIRST_ROW + 1)]
        assert found == [r["enterprise_id"] for r in group["rows"]]
        assert line == (line[0], len(group["rows"]), group["of"]) and line[0] in page["A1"].value
    assert contents["A6"].hyperlink.location == f"'{pages[0].title}'!A1"


def test_too_many_groups_are_refused_whole(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.exports.sheets.MOST_SHEETS", 1)
    asked = {"count": 2, "within": "industry,size", "format": "xlsx", "sheets": "group"}
    answer = client.get(BOTTOM, params=asked)
    assert answer.status_code == 400 and answer.json()["parameter"] == "sheets"


def test_sheets_without_groups_is_one_sheet() -> None:
    frame = pl.DataFrame({"rank": [9, 8], "name": ["甲", "乙"]})
    whole = book(frame, kind="bottom", parts=(Part({}, 9, 0, 2),))
    assert cells(whole) == [(9, "甲"), (8, "乙")]
    assert "小型" in openpyxl.load_workbook(io.BytesIO(book(frame, kind="bottom", parts=(
        Part({"size": "small"}, 9, 0, 1), Part({"size": None}, 3, 1, 1),
    )))).sheetnames  # fmt: skip


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_group_gets_a_name_that_a_spreadsheet_takes(wanted: list[str]) -> None:
    names = legal_names(wanted, RESERVED)
    folded = [n.casefold() for n in (*names, *RESERVED)]
    assert len(names) == len(wanted) and len(set(folded)) == len(folded)
    for name in names:
        assert 1 <= len(name) <= LONGEST_NAME and not set(name) & set("[]:*?/\\")
        assert not name.startswith("'") and not name.endswith("'")


def test_names_cut_to_the_same_text_stay_apart() -> None:
    assert legal_names(["A" * 40, "a" * 40, "History"], RESERVED) == ["A" * 31, "a" * 28 + "(2)", "History(2)"]
