"""Check-up sheets and the yearly report, asked over HTTP and on the command line, read back as text and as pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
import typst
from fastapi.testclient import TestClient
from PIL import Image, ImageChops, ImageStat
from pypdf import PdfReader
from pypdf.generic import ContentStream

from api.app import create_app
from api.documents import press
from api.documents.charts import against, fields, histogram, place
from api.documents.year import year_pages
from api.exports.provenance import Provenance
from cli.main import run
from engine.query import Board, Selection
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

GOLDEN = Path(__file__).parents[2] / "golden" / "report-plots.png"
BLUE, ORANGE = (47, 106, 163), (196, 102, 42)  # of bars and of marks in official.typ


@pytest.fixture(scope="module")
def asked(served_home: Warehouse) -> Iterator[TestClient]:
    """A client of the demo."""
    with TestClient(create_app(served_home), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def release(served_home: Warehouse) -> Release:
    """The demo's graded release of 2024."""
    return find(served_home, None, 2024, "huaian-2024")


@pytest.fixture(scope="module")
def scored(release: Release) -> dict[str, Any]:
    """An enterprise that has a score and a grade."""
    return release.rankings.filter(pl.col("grade") == "B").row(0, named=True)


@pytest.fixture(scope="module")
def report(asked: TestClient) -> PdfReader:
    """The demo's yearly report under huaian-2024."""
    answer = asked.get("/api/v1/report", params={"year": 2024, "policy": "huaian-2024"})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="permu-2024-huaian-2024-report.pdf"'
    return PdfReader(io.BytesIO(answer.content))


def text_of(reader: PdfReader) -> str:
    """All text without the blanks that setting puts between characters."""
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def boxes(reader: PdfReader) -> int:
    """How many glyphs of all pages are number 0: the box that stands for what a font does not have."""
    found = 0
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator in (b"Tj", b"TJ"):
                shown = operands[0] if operator == b"TJ" else operands
                codes = [bytes(getattr(s, "original_bytes", b"")) for s in shown if not isinstance(s, int | float)]
                found += sum(code[i : i + 2] == b"\0\0" for code in codes for i in range(0, len(code), 2))
    return found


def colours(picture: bytes, wanted: tuple[int, int, int]) -> int:
    """How many pixels of a page are of a colour."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    return int((abs(pixels - wanted).max(axis=2) < 30).sum())


# --- the report -----------------------------------------------------------------------------------------------------


def test_the_report_says_what_the_release_holds(report: PdfReader, release: Release, asked: TestClient) -> None:
    text = text_of(report)
    assert 5 <= len(report.pages) <= 12 and report.metadata is not None and report.metadata.title
    for part in (
        "一、总体情况",
        "三、产出与效益的四象限",
        "五、分行业、分地区、分规模情况",
        "七、末位名单概况",
        "十、版本与依据",
    ):
        assert part in text, part
    whole = asked.get("/api/v1/summary", params={"release": release.id}).json()["groups"][0]
    assert f"{whole['metrics']['output_per_mu']['ratio']:,.2f}" in text and f"{whole['enterprises']:,}家" in text
    assert all(f"{grade}级" in text for grade in "ABCD") and "合成演示数据" in text
    assert release.id in text and release.manifest["rankings_sha256"][:16] in text
    for code, number in release.manifest["fell_out"]["enterprises"].items():
        assert f"{code}{number:,}" in text, code


def test_the_report_has_its_font_and_no_boxes(report: PdfReader) -> None:
    held = {str(f["/BaseFont"]) for page in report.pages for f in _fonts(page)}
    assert held and all("CJK" in name or "Han" in name for name in held), held
    assert boxes(report) == 0


def _fonts(page: Any) -> list[Any]:
    return [f.get_object() for f in page["/Resources"].get("/Font", {}).values()]


def test_boxes_are_found_where_a_font_has_no_chinese() -> None:
    bare = typst.Fonts(include_system_fonts=False)
    made = typst.compile(
        b'#set text(font: "Libertinus Serif", fallback: false)\nA\xe4\xba\xa9B\xe7\xa8\x8e', font_paths=bare
    )
    assert boxes(PdfReader(io.BytesIO(made))) == 2


def test_every_page_is_drawn_and_the_plots_are_not_empty(release: Release) -> None:
    board = Board(release)
    pages = year_pages(board, Selection.parse(), Provenance.of(board, {}, "test", "draft"), 80)
    inked = [1 - ImageStat.Stat(Image.open(io.BytesIO(p)).convert("L")).mean[0] / 255 for p in pages]
    assert all(0.003 < share < 0.5 for share in inked), inked
    blue, orange = (sum(colours(p, c) for p in pages) for c in (BLUE, ORANGE))
    assert blue > 5_000 and orange > 100, (blue, orange)


def test_a_region_has_a_report_of_its_own(asked: TestClient, release: Release) -> None:
    city = release.rankings["region_city"].drop_nulls()[0]
    made = asked.get("/api/v1/report", params={"release": release.id, "region": city})
    rows = release.rankings.filter(pl.col("region_code").str.starts_with(city)).height
    assert f"{rows:,}家" in text_of(PdfReader(io.BytesIO(made.content))) and "分县（市、区）情况" in text_of(
        PdfReader(io.BytesIO(made.content))
    )
    nobody = asked.get("/api/v1/report", params={"release": release.id, "region": "110101"})
    assert nobody.status_code == 400 and nobody.json()["parameter"] == "region"


def test_a_release_without_grades_has_a_report(asked: TestClient) -> None:
    made = asked.get("/api/v1/report", params={"year": 2024, "policy": "sunan-2017"})
    assert "本办法只排名，不分等级" in text_of(PdfReader(io.BytesIO(made.content)))


@pytest.mark.parametrize(
    ("path", "asked_for"),
    [("/api/v1/report", "xlsx"), ("/api/v1/report", "json"), ("/api/v1/enterprises/{id}/checkup", "csv")],
)
def test_a_document_in_another_format_is_refused(
    asked: TestClient, scored: dict[str, Any], path: str, asked_for: str
) -> None:
    answer = asked.get(path.format(id=scored["enterprise_id"]), params={"format": asked_for})
    assert answer.status_code == 400 and answer.json()["parameter"] == "format"


# --- plots ----------------------------------------------------------------------------------------------------------

PLOTS = b"""#import "official.typ": *
#set page(width: 150mm, height: 225mm, margin: 6mm)
#set text(font: data.faces.text)
#histogram(data.histogram)
#fields(data.fields)
#stacked(data.stacked, steps, ("a", "b", "c", "d", "e"))
"""


def test_plots_look_as_they_did() -> None:
    """Compared with a picture that was looked at: shapes may move by the hinting of another font version, not more."""
    spread = {"edges": [0.0, 10.0, 20.0, 30.0], "counts": [3, 40, 25, 9, 5]}
    points = [{"x": 10.0 ** (k % 7 / 2), "y": 10.0 ** (k % 5 / 2) - 1} for k in range(35)]
    counts = {"high_high": 9, "high_low": 9, "low_high": 9, "low_low": 8}
    found = {"cells": None, "points": points, "cross": {"median": {"x": 30.0, "y": 9.0}}, "counts": counts, "of": 35}
    data = {
        "synthetic": False,
        "histogram": histogram(spread, [("median", 12.5), ("mean", 31.0), ("none", None)], "unit"),
        "fields": fields(found, "x", "y", ("a", "b", "c", "d")),
        "stacked": [{"name": "one", "parts": [1, 2, 3, 4, 0], "told": "10"}, {"name": "two", "parts": [0, 0, 0, 0, 5], "told": "5"}],
        "faces": press.faces(press.fonts()),
    }  # fmt: skip
    made = typst.compile(
        PLOTS, root=str(press.TEMPLATES), font_paths=press.fonts(), format="png", ppi=60, sys_inputs={"data": json.dumps(data)}
    )  # fmt: skip
    picture, golden = Image.open(io.BytesIO(made)).convert("RGB"), Image.open(GOLDEN).convert("RGB")
    assert picture.size == golden.size
    assert sum(ImageStat.Stat(ImageChops.difference(picture, golden)).mean) < 3
    moved = ImageChops.offset(picture, 4, 4)
    assert sum(ImageStat.Stat(ImageChops.difference(moved, golden)).mean) > 6, "the tolerance would let anything pass"


@pytest.mark.parametrize(("value", "expected"), [(-5, 0.5), (0, 1), (5, 1.5), (10, 2), (29, 3.9), (30, 4.5), (99, 4.5)])
def test_a_mark_stands_in_its_bin(value: float, expected: float) -> None:
    assert place(value, [0.0, 10.0, 20.0, 30.0]) == pytest.approx(expected)


def test_indicators_against_bases_count_everybody_once() -> None:
    values = pl.Series([1.0, 4.9, 5.0, 10.0, 15.0, 20.0, None, 3.0]).to_numpy()
    bases = pl.Series([10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, None]).to_numpy()
    assert against(values, bases) == [2, 1, 1, 2, 2]


# --- check-up sheets --------------------------------------------------------------------------------------------------


def test_a_check_up_sheet_on_paper_says_what_the_spreadsheet_says(
    asked: TestClient, release: Release, scored: dict[str, Any]
) -> None:
    path, params = f"/api/v1/enterprises/{scored['uscc']}/checkup", {"release": release.id}
    sheet = asked.get(path, params=params)
    assert (
        f'filename="permu-2024-huaian-2024-checkup-{scored["enterprise_id"]}.xlsx"'
        in sheet.headers["content-disposition"]
    )
    book = openpyxl.load_workbook(io.BytesIO(sheet.content), data_only=True)
    told = {r[0].value: r[1].value for r in book["说明"].iter_rows()}
    assert told["发布版本"] == release.id and told["导出人"] and "third-party copy" in told["办法依据"]
    paper = PdfReader(io.BytesIO(asked.get(path, params={**params, "format": "pdf"}).content))
    text = text_of(paper)
    assert boxes(paper) == 0 and 2 <= len(paper.pages) <= 5
    assert scored["name"] in text and scored["uscc"] in text and f"{scored['score']:,.4f}" in text
    for row in book["体检表"].iter_rows(min_row=9, max_row=24):
        if isinstance(row[3].value, float):
            assert f"{row[3].value:,.4f}" in text, row[0].value


def test_a_check_up_sheet_in_english(asked: TestClient, release: Release, scored: dict[str, Any]) -> None:
    path = f"/api/v1/enterprises/{scored['enterprise_id']}/checkup"
    book = openpyxl.load_workbook(io.BytesIO(asked.get(path, params={"release": release.id, "lang": "en"}).content))
    assert book.sheetnames == ["Check-up", "Notes"] and str(book["Check-up"]["A1"].value).startswith("Check-up sheet")
    paper = asked.get(path, params={"release": release.id, "lang": "en", "format": "pdf"})
    assert "Scoreandgrade" in text_of(PdfReader(io.BytesIO(paper.content)))


def test_nobody_has_no_check_up_sheet(asked: TestClient) -> None:
    answer = asked.get("/api/v1/enterprises/nobody/checkup")
    assert answer.status_code == 404 and answer.json()["code"] == "unknown_enterprise"


# --- without a font; the command line ---------------------------------------------------------------------------------


def test_without_a_chinese_font_nothing_is_set(
    asked: TestClient, served_home: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    bare = typst.Fonts(include_system_fonts=False)
    with pytest.raises(PermuError) as refused:
        press.faces(bare)
    assert all("fonts-noto-cjk" in text for text in (refused.value.en, refused.value.zh))
    monkeypatch.setattr(press, "fonts", lambda: bare)
    answer = asked.get("/api/v1/report", params={"year": 2024, "region": "32"})
    assert answer.status_code == 503 and answer.json()["code"] == "no_font"
    with pytest.raises(SystemExit) as ended:
        run(["report", "year", "--year", "2024", "--home", str(served_home.home), "--out", str(tmp_path / "r.pdf")])
    assert ended.value.code == 2 and "fonts-noto-cjk" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_the_command_writes_both_documents(
    served_home: Warehouse, scored: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--year", "2024", "--policy", "huaian-2024", "--home", str(served_home.home), "--json"]
    for words, name, start in (
        (["year", "--region", "32"], "r.pdf", b"%PDF"),
        (["enterprise", scored["uscc"], "--format", "pdf"], "c.pdf", b"%PDF"),
        (["enterprise", scored["enterprise_id"]], "c.xlsx", b"PK"),
    ):
        with pytest.raises(SystemExit) as ended:
            run(["report", *words, *common, "--out", str(tmp_path / name)])
        told = json.loads(capsys.readouterr().out)
        made = (tmp_path / name).read_bytes()
        assert ended.value.code == 0 and made.startswith(start) and told["bytes"] == len(made)
