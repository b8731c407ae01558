"""The check-up sheet computed again by LibreOffice, from its facts and bases to the score and grade of the release."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from api.documents import formulas
from api.documents.checkup import check_up
from api.documents.checkup_xlsx import workbook
from api.exports.formats import write
from api.exports.provenance import Provenance
from api.exports.table import bottom_sheet
from engine.policy.scoring import Item
from engine.query import Board, Selection
from engine.releases import Release

LABELS = {"综合得分", "核对", "初评等级", "最终等级", "各项得分之和", "加分合计", "发布得分"}


def chosen(release: Release) -> list[str]:
    """Of every grade the first and the last, some with gaps in their figures and with events."""
    table = release.rankings.filter(pl.col("score_e10").is_not_null()).sort("enterprise_id")
    items = [c for c in table.columns if c.startswith("item__")]
    gaps = table.filter(pl.any_horizontal(pl.col(c.removeprefix("item__")).is_null() for c in items))
    ends = table.group_by("grade", maintain_order=True).agg(
        pl.col("enterprise_id").first(), last=pl.col("enterprise_id").last()
    )
    more = table.filter(pl.col("bonus") > 0) if "bonus" in table.columns else table.clear()
    ids = [*ends["enterprise_id"], *ends["last"], *gaps["enterprise_id"].head(2), *more["enterprise_id"].head(2)]
    return list(dict.fromkeys(ids))


def labelled(page: Worksheet) -> dict[str, Any]:
    """What stands beside the labels: in column F for figures of the score, in B for grades."""
    found = {}
    for row in page.iter_rows(min_row=1, max_col=7):
        if row[0].value in LABELS:
            found[row[0].value] = row[1].value if "等级" in row[0].value else row[5].value
    return found


def bare(release: Release, enterprise: str, place: Path, change: dict[str, int] | None = None) -> None:
    """The sheet without the results that it was written with (openpyxl keeps formulas alone), facts changed or not."""
    origin = Provenance.of(Board(release), {}, "test", "draft")
    place.write_bytes(workbook(check_up(release, enterprise), origin, [("行", "文")]))
    book = openpyxl.load_workbook(place)
    for row in book.worksheets[0].iter_rows(max_col=2):
        if row[0].value in (change or {}):
            row[1].value = (change or {})[row[0].value]
    book.save(place)


@pytest.fixture(scope="module")
def office() -> str:
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("no LibreOffice (Debian: libreoffice-calc): nothing here that computes a spreadsheet")
    return found


def computed(office: str, folder: Path) -> dict[str, Worksheet]:
    """Every sheet in a folder as LibreOffice computes it, by file name."""
    files = sorted(str(p) for p in folder.glob("*.xlsx"))
    own = f"-env:UserInstallation=file://{folder}/profile"
    words = [office, "--headless", own, "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out")]
    subprocess.run([*words, *files], check=True, capture_output=True, timeout=180)
    return {p.stem: openpyxl.load_workbook(p, data_only=True).worksheets[0] for p in (folder / "out").glob("*.xlsx")}


# (item, value, base or lowest, highest or mean, weight) → points; the worked examples of Huangyan, Jingde, Linhai
FORMS: list[tuple[dict[str, Any], tuple[float | None, ...], float | None]] = [
    ({"weight": 30, "missing": "zero_score"}, (39.015, 26.01, None, 30), 45),
    ({"weight": 30, "missing": "zero_score", "cap": "1.2"}, (39.015, 26.01, None, 30), 36),
    ({"weight": 30, "missing": "zero_score", "floor": 0}, (-5, 26.01, None, 30), 0),
    ({"weight": 30, "missing": "zero_score"}, (-5.202, 26.01, None, 30), -6),
    ({"weight": 30, "missing": "zero_score"}, (None, 26.01, None, 30), 0),
    ({"weight": 30, "missing": "penalty", "penalty": -3}, (None, 26.01, None, 30), -3),
    ({"weight": 30, "missing": "group_average_score"}, (None, 26.01, 12.5, 30), 12.5),
    ({"weight": 30, "missing": "exclude_reweight"}, (None, 26.01, None, 30), None),
    ({"weight": 30, "form": "minmax_20_80", "missing": "zero_score"}, (12, 0, 60, 30), 10.8),
    ({"weight": 30, "form": "minmax_20_80", "missing": "zero_score"}, (7, 7, 7, 30), 30),
    ({"weight": 4, "form": "inverse", "missing": "zero_score"}, (0, 10, None, 4), 4),
    ({"weight": 4, "form": "inverse", "missing": "zero_score"}, (10, 10, None, 4), 2),
    ({"weight": 4, "form": "inverse", "missing": "zero_score"}, (15, 10, None, 4), 1),
    ({"weight": 4, "form": "inverse", "missing": "zero_score"}, (50, 10, None, 4), 0),
    ({"form": "rank_only", "missing": "zero_score"}, (3.25, None, None, None), 3.25),
]
AMOUNTS = [  # over vat_fen 5, tax_fen missing, fee_fen 7
    ("first(tax_fen, vat_fen)", 5), ("total(vat_fen, tax_fen)", 5), ("total(vat_fen * 3, tax_fen * 2)", 15),
    ("vat_fen + tax_fen", None), ("vat_fen - fee_fen * 2", -9), ("total(tax_fen)", None), ("first(tax_fen, vat_fen + 1)", 6),
]  # fmt: skip


def forms(place: Path) -> None:
    """A row for each case of :data:`FORMS` with its points in E, and under them the amounts in A, bare of results."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for n, (stated, given, _) in enumerate(FORMS, 1):
        item = Item.model_validate(
            stated | {"base": {"constant": 1}} if stated.get("form") in (None, "inverse") else stated
        )
        page.append([*given, formulas.points(item, f"A{n}", f"B{n}", f"C{n}", f"D{n}", f"C{n}")])
    at = len(FORMS) + 1
    page.append([5, None, 7])
    cells = {"vat_fen": f"A{at}", "tax_fen": f"B{at}", "fee_fen": f"C{at}"}
    for text, _ in AMOUNTS:
        page.append([formulas.amount(text, cells)])
    left_out = {n: Item(weight=w, missing="exclude_reweight", base={"constant": 1}) for n, w in (("a", 30), ("b", 70))}
    page.append([formulas.total(left_out, {"a": ("D8", "E8"), "b": ("D1", "E1")})])  # 45 points of a weight of 30
    book.save(place)


def listed(release: Release, place: Path) -> None:
    """A spreadsheet whose rows our own code wrote, for LibreOffice to read and write again."""
    board = Board(release)
    origin = Provenance.of(board, {}, "test", "draft")
    place.write_bytes(write("xlsx", bottom_sheet(board, Selection.parse(), percent=Fraction(20)), origin))


def differing(page: Worksheet, other: Worksheet) -> list[tuple[Any, Any]]:
    """Cells that differ; LibreOffice writes numbers to 15 digits."""
    assert page.dimensions == other.dimensions
    pairs = [(a.value, b.value) for x, y in zip(page.rows, other.rows, strict=True) for a, b in zip(x, y, strict=True)]
    return [
        (a, b) for a, b in pairs if a != b and not (isinstance(a, int | float) and a == pytest.approx(b, rel=1e-13))
    ]


@pytest.mark.slow
def test_libreoffice_computes_the_score_of_the_release(
    office: str, releases: dict[str, Release], tmp_path: Path
) -> None:
    asked = [(policy, e) for policy, release in releases.items() for e in chosen(release)]
    assert len(asked) > 15 and {p for p, _ in asked} == {"huaian-2024", "illustrative-2024", "own"}
    for policy, enterprise in asked:
        bare(releases[policy], enterprise, tmp_path / f"{policy}_{enterprise}.xlsx")
    first = asked[0][1]
    bare(releases["huaian-2024"], first, tmp_path / f"changed_{first}.xlsx", {"增值税": 10**12})
    forms(tmp_path / "forms.xlsx")
    listed(releases["own"], tmp_path / "list.xlsx")
    sheets = computed(office, tmp_path)
    given, read = openpyxl.load_workbook(tmp_path / "list.xlsx").worksheets[0], sheets["list"]
    assert given.max_row > 20 and differing(read, given) == []
    page = sheets["forms"]
    for n, (stated, given, points) in enumerate(FORMS, 1):
        assert (page.cell(n, 5).value or None if points is None else page.cell(n, 5).value) == (
            None if points is None else pytest.approx(points)
        ), (stated, given)
    for n, (text, value) in enumerate(AMOUNTS, len(FORMS) + 2):
        assert (page.cell(n, 1).value or None) == value, text
    assert page.cell(len(FORMS) + len(AMOUNTS) + 2, 1).value == pytest.approx(45 * 100 / 30)
    for policy, enterprise in asked:
        row, found = releases[policy].enterprise(enterprise), labelled(sheets[f"{policy}_{enterprise}"])
        assert found["综合得分"] == pytest.approx(row["score"], abs=1e-9), (policy, enterprise)
        assert found["核对"] == "一致"
        assert found.get("初评等级", row["grade_initial"]) == row["grade_initial"] and found["最终等级"] == row["grade"]
        assert found.get("加分合计", 0) == pytest.approx(row.get("bonus") or 0)
    changed = labelled(sheets[f"changed_{first}"])
    assert changed["综合得分"] > releases["huaian-2024"].enterprise(first)["score"] + 1 and changed["核对"] == "不一致"


def test_the_sheet_is_written_with_its_results(releases: dict[str, Release], tmp_path: Path) -> None:
    """A viewer that does not compute shows the release's figures, not zeros."""
    release = releases["own"]
    enterprise = chosen(release)[0]
    origin = Provenance.of(Board(release), {}, "test", "draft")
    (tmp_path / "a.xlsx").write_bytes(workbook(check_up(release, enterprise), origin, [("行", "文")]))
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)
    found, row = labelled(book.worksheets[0]), release.enterprise(enterprise)
    assert found["综合得分"] == pytest.approx(row["score"]) and found["最终等级"] == row["grade"]
    live = [
        c
        for r in openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0].iter_rows()
        for c in r
        if c.data_type == "f"
    ]
    assert len(live) > 10 and book.worksheets[0]["A1"].value == "2024年工业企业资源集约利用体检表"


def test_an_enterprise_without_a_score_has_its_facts_and_ranks(releases: dict[str, Release], tmp_path: Path) -> None:
    table = releases["huaian-2024"].rankings.filter(pl.col("score_e10").is_null())
    found = check_up(releases["huaian-2024"], table["enterprise_id"][0])
    assert not found.scored and not found.items and found.facts and found.ranks
