"""Total rows against the sum of their rows: a difference is a finding with both figures, never a refusal."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest.totals import written
from tests.unit.ingest.files import A, ledger, one, put, refused

HEAD = "户号,户名,月份,用电量（万千瓦时）"
ROWS = ["1,甲,202401,10", "2,乙,202401,5.5", "3,丙,202401,0.25"]

ADD_UP = [
    [*ROWS, "合计,,,15.75"],
    ["合计,,,15.75", *ROWS],
    [ROWS[0], ROWS[1], "小计,,,15.5", ROWS[2], "小计,,,0.25", "合计,,,15.75"],
    [ROWS[0], "昆山市合计,,,10", ROWS[1], ROWS[2], "太仓市合计,,,5.75", "总计,,,15.75"],
    ["小计,,,15.5", ROWS[0], ROWS[1], "小计,,,0.25", ROWS[2], "合计,,,15.75"],
    [*ROWS, "合计,,,16"],  # rounded to whole units
    [*ROWS, "合计,,,"],
    [*ROWS, "合计,,,/"],
    [*ROWS, "累计,,,99"],  # carries earlier months
    [*ROWS, "x,丁,202413,4", "合计,,,19.75"],  # a refused row was added up too
    [*ROWS, "5,丁,202401,很多", "合计,,,99"],  # one value cannot be read: nothing to compare with
    ["小计,,,0"],
]
OFF = [
    ([*ROWS, "合计,,,15.74"], [("合计", "15.74", "15.75", "-0.01", 3)]),
    ([*ROWS, "合 计：,,,1575"], [("合计", "1575", "15.75", "1559.25", 3)]),
    ([ROWS[0], "小计,,,10", *ROWS[1:], "小计,,,5", "合计,,,15.75"], [("小计", "5", "5.75", "-0.75", 2)]),
    ([ROWS[0], "小计,,,10", *ROWS[1:], "小计,,,5.75", "合计,,,5.75"], [("合计", "5.75", "15.75", "-10", 3)]),
]  # fmt: skip


def text(lines: list[str]) -> str:
    return "\n".join([HEAD, *lines]) + "\n"


@pytest.mark.parametrize("lines", ADD_UP)
def test_totals_that_add_up(home: Warehouse, tmp_path: Path, lines: list[str]) -> None:
    report = one(home, put(tmp_path, "用电.csv", text(lines)), "power", year=2024)
    assert report.findings == []


@pytest.mark.parametrize(("lines", "told"), OFF)
def test_a_difference_is_a_finding(home: Warehouse, tmp_path: Path, lines: list[str], told: list[tuple]) -> None:
    report = one(home, put(tmp_path, "用电.csv", text(lines)), "power", year=2024)
    assert [(f["word"], f["stated"], f["sum"], f["difference"], f["rows"]) for f in report.findings] == told
    assert (report.kept, report.refused) == (3, 0)
    assert report.needs_person
    assert ledger(home)[report.load_id]["understood"]["findings"] == report.findings
    assert report.findings[0]["unit"] == "万千瓦时"
    assert " D 列 用电量" in report.findings[0]["zh"] and "column D" in report.findings[0]["en"]


def test_each_amount_column_is_compared(home: Warehouse, tmp_path: Path) -> None:
    rows = f"纳税人识别号,月份,增值税,企业所得税\n{A},202401,1.5,2\n{A},202402,1,-3\n合计,,2.5,1\n"
    report = one(home, put(tmp_path, "国税.csv", rows), "state_tax")
    assert [(f["field"], f["row"], f["sum"]) for f in report.findings] == [("corporate_income_tax_fen", 4, "-1")]


def test_a_refused_row_with_a_wrong_code_still_counts(home: Warehouse, tmp_path: Path) -> None:
    rows = f"纳税人识别号,月份,增值税\n{A},202401,1.5\n{A[:-1]}A,202402,1\n合计,,2.5\n"
    report = one(home, put(tmp_path, "国税.csv", rows), "state_tax")
    assert (report.findings, refused(home, report).height) == ([], 1)


def test_totals_over_many_batches(home: Warehouse, tmp_path: Path) -> None:
    rows = [f"{i},企业{i},202401,1.25" for i in range(150_000)]
    rows.insert(140_000, f"小计,,,{140_000 * 1.25}")
    rows += [f"小计,,,{10_000 * 1.25}", f"合计,,,{150_000 * 1.25 + 1}"]
    report = one(home, put(tmp_path, "用电.csv", text(rows)), "power", year=2024)
    assert [(f["word"], f["difference"]) for f in report.findings] == [("合计", "1")]


@given(st.integers(-(10**15), 10**15), st.sampled_from([Fraction(1), Fraction(100), Fraction(10**6), Fraction(10**10)]))
def test_amounts_are_written_exactly(value: int, factor: Fraction) -> None:
    assert Fraction(written(value, factor)) * factor == value


def test_an_amount_in_mu_comes_back(home: Warehouse) -> None:
    assert round(Fraction(written(100_000, Fraction(200_000, 3))) * Fraction(200_000, 3)) == 100_000
