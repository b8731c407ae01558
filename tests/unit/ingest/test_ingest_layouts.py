"""Tables as offices lay them out: rival columns, foreign units, values that belie a unit, months as columns, taxes as rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.load import LoadReport, ingest

A, B, C = "91110108551385082Q", "91110000600037341L", "91310112087994932F"


def put(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def one(home: Warehouse, path: Path, source: str, year: int = 2024) -> LoadReport:
    (report,) = ingest(home, [path], source=source, year=year)
    assert report.rows_in == report.kept + report.refused + report.furniture
    return report


def kept(home: Warehouse, report: LoadReport, table: str) -> pl.DataFrame:
    return pl.read_parquet(home.canonical / report.source / report.load_id / f"{table}.parquet", glob=False)


def refused(home: Warehouse, report: LoadReport) -> pl.DataFrame:
    return pl.read_parquet(home.refused / report.source / f"{report.load_id}.parquet", glob=False)


def notes(report: LoadReport) -> str:
    return "\n".join(n for sheet in report.understood["sheets"] for n in sheet["notes"])  # type: ignore[attr-defined]


# --- two columns for one field -------------------------------------------------------------------------------------

RIVALS = [
    ("land", "宗地代码,权利人,宗地面积,使用权面积\nA1,甲,10,20\nA2,乙,30,40\n", ["C 宗地面积", "D 使用权面积"]),
    ("state_tax", f"纳税人识别号,所属期,增值税,增值税入库\n{A},202401,1,2\n", ["增值税", "增值税入库"]),
    ("power", "户号,户号,月份,用电量\n1,2,202401,5\n", ["A 户号", "B 户号"]),
    ("power", "户号,客户编号,月份,用电量\n1,77,202401,5\n", ["户号", "客户编号"]),
    ("state_tax", f"统一社会信用代码,纳税人识别号,所属期,增值税\n{A},{B},202401,1\n", ["统一社会信用代码", "纳税人识别号"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text", "words"), RIVALS)
def test_two_columns_that_differ_are_both_named(
    home: Warehouse, tmp_path: Path, source: str, text: str, words: list[str]
) -> None:
    with pytest.raises(PermuError) as error:
        one(home, put(tmp_path, "a.csv", text), source)
    assert error.value.code == "ambiguous_column"
    for word in words:
        assert word in error.value.en
        assert word in error.value.zh


def test_two_columns_that_agree_are_no_question(home: Warehouse, tmp_path: Path) -> None:
    text = "宗地代码,权利人,宗地面积,使用权面积\nA1,甲,10,10\nA2,乙,30,30\n"
    assert one(home, put(tmp_path, "a.csv", text), "land").kept == 2


def test_a_second_column_of_ids_stands_in_where_the_first_is_empty(home: Warehouse, tmp_path: Path) -> None:
    old = "110108551385082"  # six digits of the region, then the organisation code inside A
    text = f"统一社会信用代码,纳税人识别号,所属期,增值税\n{A},{old},202401,1\n,{B},202401,2\n/,{C},202401,3\n"
    report = one(home, put(tmp_path, "a.csv", text), "state_tax")
    assert kept(home, report, "payment")["uscc"].to_list() == [A, B, C]
    assert "each where those before it are empty" in notes(report)


# --- units -------------------------------------------------------------------------------------------------------


def test_a_foreign_currency_that_no_row_needs_is_left_out_and_noted(home: Warehouse, tmp_path: Path) -> None:
    text = f"统一社会信用代码,企业名称,注册资本（万美元）\n{A},甲,100\n{B},乙,200\n"
    report = one(home, put(tmp_path, "a.csv", text), "commerce")
    assert kept(home, report, "enterprise")["capital_fen"].to_list() == [None, None]
    assert "万美元" in notes(report) and not report.needs_person


def test_a_column_in_the_unit_of_another_quantity_is_left_out_and_told(home: Warehouse, tmp_path: Path) -> None:
    """COD in tonnes under the name of the energy that was used, which is in tonnes of coal."""
    text = f"统一社会信用代码,企业名称,年份,是否规上,综合能耗（吨）\n{A},甲,2024,是,12.5\n{B},乙,2024,是,7.5\n"
    report = one(home, put(tmp_path, "a.csv", text), "statistics")
    assert kept(home, report, "annual").height == 2 and report.refused == 0
    assert [f["kind"] for f in report.findings] == ["foreign_unit"] and report.needs_person
    assert "综合能耗（吨）" in str(report.findings[0]["zh"])


def test_a_foreign_unit_of_what_every_row_needs_is_asked_for(home: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError) as error:
        one(home, put(tmp_path, "a.csv", "户号,月份,用电量（立方米）\n1,202401,5\n"), "power")
    assert error.value.code == "ambiguous_unit"


@pytest.mark.parametrize("rows", [3, 40])
def test_square_metres_under_mu(home: Warehouse, tmp_path: Path, rows: int) -> None:
    body = "".join(f"320583001001GB{i:05d},甲{i},{6667 + i}\n" for i in range(rows))
    with pytest.raises(PermuError) as error:
        one(home, put(tmp_path, "a.csv", f"宗地代码,权利人,使用权面积（亩）\n{body}"), "land")
    assert error.value.code == "ambiguous_unit"
    assert "使用权面积(亩)" in error.value.en.replace("（", "(").replace("）", ")")
    assert "plausible" in error.value.en
    assert "median 66" in error.value.en


def test_mu_under_square_metres(home: Warehouse, tmp_path: Path) -> None:
    body = "".join(f"320583001001GB{i:05d},甲{i},{10 + i}\n" for i in range(12))
    with pytest.raises(PermuError) as error:
        one(home, put(tmp_path, "a.csv", f"宗地代码,权利人,使用权面积（平方米）\n{body}"), "land")
    assert error.value.code == "ambiguous_unit"


# --- months as columns ---------------------------------------------------------------------------------------------

MONTHS = [
    ["1月", "2月", "3月"], ["一月", "二月", "三月"], ["2024年1月", "2024年2月", "2024年3月"], ["202401", "202402", "202403"],
    ["1月用电量（千瓦时）", "2月用电量（千瓦时）", "3月用电量（千瓦时）"], ["2024-01", "2024-02", "2024-03"], ["１月份", "２月份", "３月份"],
]  # fmt: skip


@pytest.mark.parametrize("months", MONTHS)
def test_months_as_columns(home: Warehouse, tmp_path: Path, months: list[str]) -> None:
    text = f"用电情况,,,,\n户号,户名,{','.join(months)}\n1,甲,10,,30\n2,乙,5,6,/\n3,丙,,,\n合计,,15,6,30\n"
    report = one(home, put(tmp_path, "a.csv", text), "power")
    rows = kept(home, report, "usage").select("account", "period", "power_wh", "row").sort("account", "period").rows()
    assert rows == [
        ("1", 202401, 10_000, 3),
        ("1", 202403, 30_000, 3),
        ("2", 202401, 5_000, 4),
        ("2", 202402, 6_000, 4),
    ]
    assert report.reasons == {"missing_power_wh": 1}, "a row without any value is refused, not lost"
    assert report.findings == [], "the total adds up in each month"
    assert (report.rows_in, report.kept, report.furniture) == (6, 2, 3), "rows of the sheet, not cells"


def test_a_row_of_months_is_refused_once_under_its_first_reason(home: Warehouse, tmp_path: Path) -> None:
    text = "户号,户名,1月,2月,3月\n1,甲,10,x,-3\n2,乙,5,6,7\n2,乙,5,6,7\n"
    report = one(home, put(tmp_path, "a.csv", text), "power")
    assert (report.rows_in, report.kept, report.refused, report.furniture) == (4, 1, 2, 1)
    assert report.reasons == {"duplicate_row": 1, "not_a_number": 1}
    assert len(kept(home, report, "usage")) == 4, "the months that can be read count"
    assert len(refused(home, report)) == 5


def test_months_under_a_merged_header_with_a_unit_line(home: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "用水.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("2024")
    sheet.merge_range("A1:N1", "2024年用水情况（单位：万立方米）")
    sheet.merge_range("A2:A3", "户号")
    sheet.merge_range("B2:M2", "用水量")
    sheet.merge_range("N2:N3", "全年合计")
    for month in range(1, 13):
        sheet.write(2, month, f"{month}月")
        sheet.write(3, month, month)
    sheet.write(3, 0, "0001")
    sheet.write(3, 13, 78)
    book.close()
    report = one(home, path, "water")
    table = kept(home, report, "usage").sort("period")
    assert table["period"].to_list() == list(range(202401, 202413))
    assert table["water_litre"].to_list() == [m * 10**7 for m in range(1, 13)]
    assert table["sheet"].to_list()[0] == "2024 1月"


def test_months_of_another_year(home: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError) as error:
        one(home, put(tmp_path, "a.csv", "户号,2023年1月,2023年2月\n1,2,3\n"), "power")
    assert error.value.code == "period_outside_year"
    assert "--year 2023" in error.value.en


# --- taxes as rows ---------------------------------------------------------------------------------------------------


def test_taxes_as_rows(home: Warehouse, tmp_path: Path) -> None:
    text = (
        "纳税人识别号,纳税人名称,税款所属期,税种,实缴金额（万元）\n"
        f"{A},甲,202401,增值税,1.5\n{A},甲,202401,企业所得税,2\n{A},甲,202401,增值税,0.5\n{B},乙,202402,增值税,-3\n"
        f"{B},乙,202402,车辆购置税,4\n合计,,,,5\n"
    )
    report = one(home, put(tmp_path, "国税明细.csv", text), "state_tax")
    table = kept(home, report, "payment")
    assert table.select("row", "vat_fen", "corporate_income_tax_fen").rows() == [
        (2, 1_500_000, None), (3, None, 2_000_000), (4, 500_000, None), (5, -3_000_000, None),
    ]  # fmt: skip
    assert (report.refused, report.furniture) == (1, 2)
    refused = pl.read_parquet(home.refused / "state_tax" / f"{report.load_id}.parquet", glob=False)
    assert "车辆购置税" in refused["zh"][0]


# --- around the table --------------------------------------------------------------------------------------------


def test_five_header_rows_in_two_languages_with_units_inside(home: Warehouse, tmp_path: Path) -> None:
    rows = [
        ["2024年规模以上工业企业主要指标", None, None, None], ["Main Indicators", None, None, None], ["单位：万元", None, None, "(10000 yuan)"],
        ["统一社会", "企　业", "主营业", "平均用工"], ["信用代码", "名　称", "务收入", "人数(人)"], ["Credit", "Name of", "Revenue", "Average"],
        ["Code", "Enterprise", "from", "Number of"], [None, None, "Business", "Employees"],
        [A, "苏 州 甲 公司", "１，２３４．５", "30"], [B, "乙　公司", "—", "Nah"], ["合  计", None, "1234.5", "30"], ["注：快报数。", None, None, None],
    ]  # fmt: skip
    path = tmp_path / "统计2024.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("说明").write(0, 0, "填表说明：统一社会信用代码必填")
    sheet = book.add_worksheet("数据")
    for at, row in enumerate(rows):
        sheet.write_row(at, 0, row)
    book.close()
    report = one(home, path, "statistics")
    assert kept(home, report, "annual").select("name", "main_revenue_fen", "employees").rows() == [
        ("苏州甲公司", 1_234_500_000, 30), ("乙公司", None, None),
    ]  # fmt: skip
    assert report.reasons == {}
    assert report.understood["skipped_sheets"] == ["说明"]


def test_a_code_with_the_mark_of_text_before_it(home: Warehouse, tmp_path: Path) -> None:
    text = f"纳税人识别号,所属期,增值税（元）\n'{A},202401,5\n‘{B},202401,6\n'91110108551385082X,202401,7\n"
    report = one(home, put(tmp_path, "a.csv", text), "state_tax")
    assert kept(home, report, "payment")["uscc"].to_list() == [A, B]
    assert report.reasons == {"bad_credit_code": 1}, "a wrong one stays wrong"


@pytest.mark.parametrize(
    ("amount", "wh"), [("20.4901", 204_901_000), ('"204,901"', 2_049_010_000_000), ("2024.01", 20_240_100_000)]
)
def test_an_amount_that_looks_like_a_month_is_an_amount(home: Warehouse, tmp_path: Path, amount: str, wh: int) -> None:
    """In a file of one row, where what stands under the header could be a second line of it."""
    path = tmp_path / "a.csv"
    path.write_text(f"户号,户名,月份,用电量（万千瓦时）\n0001,企业1,2024-01,{amount}\n", "utf-8")
    report = ingest(home, [path], source="power", year=2024)[0]
    scan = Year(home, 2024).scan("power", "usage")
    assert scan is not None and report.refused == 0
    assert scan.select("period", "power_wh").collect().rows() == [(202401, wh)]
