"""Coverage: source × month × county, and where the holes are."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.schema.warehouse import Warehouse
from ingest.coverage import Covered
from ingest.overview import status
from tests.unit.ingest.files import A, B, C, one, put

REGISTER = f"统一社会信用代码,企业名称,行业代码,行政区划代码\n{A},甲公司,2614,320583\n{B},乙公司,2614,320585001\n"


def line(home: Warehouse, source: str) -> dict:
    return next(x for x in status(home, 2024)["coverage"] if x["source"] == source)


def test_months_by_county_with_holes(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "工商2024.csv", REGISTER), "commerce")
    months = [(A, m) for m in range(1, 13)] + [(B, m) for m in range(1, 13) if m not in (3, 7)]
    rows = "".join(f"{code},2024{m:02d},1\n" for code, m in months)
    one(home, put(tmp_path, "国税.csv", "纳税人识别号,月份,增值税\n" + rows), "state_tax")
    found = line(home, "state_tax")
    assert (found["loads"], found["kept"], found["months"]) == (1, 22, 12)
    assert found["months_held"] == list(range(1, 13))
    assert found["holes"] == [{"county": "320585", "name": "太仓市", "months": [3, 7]}]
    assert {c["county"]: len(c["months"]) for c in found["counties"]} == {"320583": 12, "320585": 10}


def test_a_county_without_any_row_is_a_hole(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "工商2024.csv", REGISTER), "commerce")
    one(home, put(tmp_path, "统计2024.csv", f"统一社会信用代码,工业总产值\n{A},5\n"), "statistics")
    one(
        home,
        put(tmp_path, "用电.csv", "户号,户名,行政区划代码,月份,用电量\n1,甲公司,320583,202401,5\n2,乙公司,,202401,5\n"),
        "power",
    )
    assert line(home, "statistics")["holes"] == [{"county": "320585", "name": "太仓市", "months": []}]
    assert [h["months"] for h in line(home, "power")["holes"]] == [list(range(2, 13))] * 2
    assert line(home, "commerce")["holes"] == []
    ((year, gone),) = [(m["year"], m["sources"]) for m in status(home)["missing_sources"]]
    assert year == 2024
    assert "state_tax" in gone and "power" not in gone and "relations" not in gone


@pytest.mark.parametrize(
    ("months", "missing"),
    [({3, 6, 12}, [9]), ({3, 6, 9, 12}, []), ({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, [12]), ({0}, []), ({0, 1}, [])],
)
def test_what_is_expected(months: set[int], missing: list[int]) -> None:
    holes = Covered({"320583": months}).holes({"320583"})
    assert [h["months"] for h in holes] == ([missing] if missing else [])


def test_without_a_register_the_months_still_show(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "国税.csv", f"纳税人识别号,月份,增值税\n{A},202402,1\n"), "state_tax")
    found = line(home, "state_tax")
    assert (found["months_held"], found["counties"]) == ([2], [])
    assert found["holes"] == [{"county": None, "name": None, "months": [1, *range(3, 13)]}]


def test_a_name_of_two_counties_tells_none(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "工商2024.csv", REGISTER.replace("乙公司", "甲公司")), "commerce")
    one(home, put(tmp_path, "用电.csv", "户号,户名,月份,用电量\n1,甲公司,202401,5\n"), "power")
    found = line(home, "power")
    assert (found["counties"], len(found["holes"])) == ([], 2)


def test_another_spelling_of_a_name_tells_the_county(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "工商2024.csv", REGISTER.replace("乙公司", "乙有限公司")), "commerce")
    one(home, put(tmp_path, "用电.csv", "户号,户名,月份,用电量\n1,乙有限责任公司,202401,5\n"), "power")
    assert [(c["county"], c["months"]) for c in line(home, "power")["counties"]] == [("320585", [1])]


def test_months_that_their_first_rows_settle_are_the_same(
    home: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the first rows of a month name every county, the others are not looked up; among them codes of no county."""
    one(home, put(tmp_path, "工商2024.csv", REGISTER), "commerce")
    months = [(code, m) for code in (A, B, C) for m in (1, 2, 3) if (code, m) != (B, 3)]
    rows = "".join(f"{code},2024{m:02d},1\n" for code, m in months)
    one(home, put(tmp_path, "国税.csv", "纳税人识别号,月份,增值税\n" + rows), "state_tax")
    quick = status(home, 2024)["coverage"]
    monkeypatch.setattr("ingest.coverage._FIRST", 0)
    assert status(home, 2024)["coverage"] == quick
    held = {c["county"]: c["months"] for c in line(home, "state_tax")["counties"]}
    assert held == {"320583": [1, 2, 3], "320585": [1, 2]}
