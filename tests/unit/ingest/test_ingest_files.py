"""Files as departments write them, end to end into a warehouse: kinds, headers, units, furniture, repeats, errors."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.declared import sources
from ingest.headers import fold
from ingest.load import ingest
from tests.unit.ingest.files import kept, one, refused

A, B, C = "91110108551385082Q", "91110000600037341L", "91310112087994932F"
TAX = f'纳税人识别号,纳税人名称,所属期,增值税（万元）\n{A},甲公司,202401,1.5\n{B},乙公司,2024年2月,"1,200.25"\n'


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, sheets: dict[str, list[list[object]]], merges: tuple[tuple[str, str], ...] = ()) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        for area, text in merges:
            sheet.merge_range(area, text)
    book.close()
    return path


# --- kinds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_in_every_encoding(home: Warehouse, tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = TAX.replace(",", delimiter).replace(f'"1{delimiter}200.25"', '"1,200.25"')
    report = one(home, put(tmp_path, "国税.csv", text, encoding), "state_tax")
    assert (report.rows_in, report.kept, report.furniture, report.year) == (3, 2, 1, 2024)
    table = kept(home, report, "payment")
    assert table["vat_fen"].to_list() == [1_500_000, 1_200_250_000]
    assert table["name"].to_list() == ["甲公司", "乙公司"]
    assert table["period"].to_list() == [202401, 202402]
    assert table["row"].to_list() == [2, 3]
    assert table["record_key"].to_list() == [f"uscc:{A}", f"uscc:{B}"]


def test_html_saved_as_xls(home: Warehouse, tmp_path: Path) -> None:
    rows = [
        ["<th>户号", "<th>户名", "<th>月份", "<th>用电量(万千瓦时)"],
        ["<td>001", "<td>甲", "<td>2024-01", "<td>1.2"],
    ]
    body = "".join(f"<tr>{''.join(r)}</tr>" for r in rows)
    text = f"<html><body><table><tr><td colspan=4>用电量统计表</td></tr>{body}</table></body></html>"
    report = one(home, put(tmp_path, "用电.xls", text, "gbk"), "power")
    assert (report.rows_in, report.kept, report.furniture) == (3, 1, 2)
    assert kept(home, report, "usage")["power_wh"].to_list() == [12_000_000]
    assert kept(home, report, "usage")["row"].to_list() == [3]


def test_parquet(home: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "参保.parquet"
    pl.DataFrame({"单位名称": ["甲", "乙"], "参保人数": [12, None], "月份": ["202401"] * 2}).write_parquet(path)
    report = one(home, path, "hr")
    assert report.reasons == {"missing_insured_persons": 1}
    assert kept(home, report, "insured")["insured_persons"].to_list() == [12]


# --- finding the table -------------------------------------------------------------------------------------------


def test_title_merged_two_row_header_unit_row_totals_and_notes(home: Warehouse, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["2024年度企业税收情况表"], [], ["填报单位：示例", None, None, None, "单位：万元"],
        ["序号", "企业信息", None, "所属期", "税收", None], [None, "统一社会信用代码", "企业名称", None, "增值税", "企业所得税"],
        ["甲", "乙", "丙", "丁", 1, 2],
        [1, A, "甲公司", 202401, 10, 1.5], [2, B, "乙公司", 202401, "/", "—"],
        ["小计", None, None, None, 10, 1.5], [3, C, "丙公司", "2024-02-29", -3.25, "Nah"], ["合计", None, None, None, 6.75, 1.5],
        ["注：本表数据为净入库数。"], ["填表人：示例", None, None, "审核人：示例"],
    ]  # fmt: skip
    path = workbook(tmp_path / "税收.xlsx", {"说明": [["本表说明"], ["第一条"]], "2024": rows})
    report = one(home, path, "state_tax")
    assert (report.kept, report.refused, report.furniture) == (3, 0, 9)
    table = kept(home, report, "payment")
    assert table["vat_fen"].to_list() == [10_000_000, None, -3_250_000]
    assert table["corporate_income_tax_fen"].to_list() == [1_500_000, None, None]
    assert table["row"].to_list() == [7, 8, 10]
    assert report.understood["skipped_sheets"] == ["说明"]


def test_bilingual_header_and_unit_row(home: Warehouse, tmp_path: Path) -> None:
    text = f"企业名称,统一社会信用代码,主营业务收入,综合能耗,平均用工人数\nName,Credit code,Revenue,Energy,Employees\n,,千元,吨标准煤,人\n甲,{A},1.5,２,30\n"
    report = one(home, put(tmp_path, "统计2024.csv", text), "statistics")
    row = kept(home, report, "annual").row(0, named=True)
    assert (row["main_revenue_fen"], row["energy_ce"], row["employees"]) == (150_000, 2 * 10**10, 30)
    assert (report.rows_in, report.kept, report.furniture) == (4, 1, 3)


UNIT_HEADERS = [
    "使用权面积（亩）",
    "使用权面积(亩)",
    "使用权面积/亩",
    "使用权面积_亩",
    "使用权面积 亩",
    "使用权面积亩",
    "土地面积[亩]",
    "使用权面积（单位：亩）",
    "２０２４年使用权面积（亩）",
]


@pytest.mark.parametrize("header", UNIT_HEADERS)
def test_a_unit_beside_the_header(home: Warehouse, tmp_path: Path, header: str) -> None:
    text = f"宗地代码,土地使用权人,{header}\n320583001001GB00001,甲,1.5\n"
    report = one(home, put(tmp_path, "宗地.csv", text), "land", year=2024)
    assert kept(home, report, "parcel")["area_dm2"].to_list() == [100_000]


STATED = [
    ("增值税（净入库，万元）", ""), ("增值税（万元，不含税）", ""), ("增值税", "金额单位：万元（保留两位小数）"), ("增值税", "2024年税收情况表（万元）"),
    ("其中：增值税（万元）", ""), ("2024年增值税（万元）", ""), ("增值税额(万元)", ""), ("增值税：万元", ""), ("增值税\u3000（ 万元 ）", ""),
]  # fmt: skip


@pytest.mark.parametrize(("header", "line"), STATED)
def test_where_a_unit_is_stated(home: Warehouse, tmp_path: Path, header: str, line: str) -> None:
    text = f'"{line}"\n统一社会信用代码,月份,"{header}"\n{A},202401,2\n'
    report = one(home, put(tmp_path, "国税.csv", text), "state_tax")
    assert kept(home, report, "payment")["vat_fen"].to_list() == [2_000_000]


@pytest.mark.parametrize("header", ["增值税（美元）", "增值税（吨）", "增值税（元角）"])
def test_a_unit_nobody_knows_is_asked_for(home: Warehouse, tmp_path: Path, header: str) -> None:
    with pytest.raises(PermuError) as error:
        one(home, put(tmp_path, "国税.csv", f"统一社会信用代码,月份,{header}\n{A},202401,2\n"), "state_tax")
    assert error.value.code == "ambiguous_unit"


@pytest.mark.parametrize(("header", "vintage"), [("行业代码（GB/T 4754-2011）", "2011"), ("行业代码", "2017")])
def test_the_vintage_of_industry_codes(home: Warehouse, tmp_path: Path, header: str, vintage: str) -> None:
    text = f"统一社会信用代码,企业名称,{header}\n{A},甲,C2614\n"
    report = one(home, put(tmp_path, "工商2024.csv", text), "commerce")
    assert kept(home, report, "enterprise").select("industry_code", "industry_vintage").rows() == [("2614", vintage)]


def test_a_header_one_column_short(home: Warehouse, tmp_path: Path) -> None:
    rows = "\n".join(f"{i},甲{i},32058300100{i}GB00001,苏州示例路{i}号,2024-01-0{i},{i}.5" for i in range(1, 8))
    text = f"序号,宗地代码,坐落,起始日期,使用权面积（亩）\n{rows}\n"
    report = one(home, put(tmp_path, "宗地.csv", text), "land", year=2024)
    table = kept(home, report, "parcel")
    assert table.height == 7
    assert table["parcel_code"][0] == "320583001001GB00001"
    assert table["area_dm2"][0] == 100_000
    sheets = report.understood["sheets"]
    assert isinstance(sheets, list)
    assert "one column short" in sheets[0]["notes"][0]


def test_a_month_that_only_the_sheet_or_file_names(home: Warehouse, tmp_path: Path) -> None:
    head: list[object] = ["户号", "户名", "用气量"]
    path = workbook(tmp_path / "燃气.xlsx", {"1月": [head, ["a", "甲", 1]], "2月": [head, ["a", "甲", 2]]})
    report = one(home, path, "gas", year=2024)
    assert kept(home, report, "usage")["period"].to_list() == [202401, 202402]
    text = "户号,户名,用气量\nb,乙,3\n"
    report = one(home, put(tmp_path, "燃气2024年3月.csv", text), "gas")
    assert kept(home, report, "usage")["period"].to_list() == [202403]


def test_row_and_cell_address_of_a_refused_row(home: Warehouse, tmp_path: Path) -> None:
    text = TAX + f"{C[:-1]}A,丙,202403,1\n{A},甲公司,202512,1\n{A},甲公司,202403,x\n,,202404,1\n{A},甲公司,13月,1\n"
    report = one(home, put(tmp_path, "国税.csv", text), "state_tax", year=2024)
    found = refused(home, report)
    assert found["code"].to_list() == [
        "bad_credit_code", "period_outside_year", "not_a_number", "missing_uscc", "bad_period",
    ]  # fmt: skip
    first = found.row(0, named=True)
    assert (first["row"], first["column"], first["header"], first["value"]) == (4, "A", "纳税人识别号", C[:-1] + "A")
    assert "校验位" in first["zh"]
    assert "check digit" in first["en"]


def test_negative_amounts_where_no_refund_is_possible(home: Warehouse, tmp_path: Path) -> None:
    report = one(home, put(tmp_path, "用电.csv", "户号,户名,月份,用电量\n1,甲,202401,-5\n"), "power")
    assert report.reasons == {"negative_amount": 1}


def test_a_row_with_too_many_cells(home: Warehouse, tmp_path: Path) -> None:
    text = "户号,户名,月份,用电量\n1,甲,202401,5\n2,乙,厂,202401,5\n3,丙,202401,7\n"
    report = one(home, put(tmp_path, "用电.csv", text), "power")
    assert report.reasons == {"extra_cells": 1}


def test_personal_data_reaches_nothing(home: Warehouse, tmp_path: Path) -> None:
    text = f"统一社会信用代码,企业名称,法定代表人,联系电话,行业代码\n{A[:-1]}A,甲,示例人,13800000000,2614\n11010519491231002X,个体,人,1,26\n"
    report = one(home, put(tmp_path, "工商2024.csv", text), "commerce")
    found = refused(home, report)
    assert "示例人" not in str(found.rows())
    assert "13800000000" not in str(found.rows())
    assert "19491231" not in str(found.rows())


# --- repeats --------------------------------------------------------------------------------------------------


def test_the_same_row_twice_in_a_file(home: Warehouse, tmp_path: Path) -> None:
    text = TAX + f"{A},甲公司,202401,1.50\n{B},乙公司,202402,7\n"
    report = one(home, put(tmp_path, "国税.csv", text), "state_tax")
    assert report.reasons == {"conflicting_row": 1, "duplicate_row": 1}
    assert kept(home, report, "payment")["row"].to_list() == [2, 3]


def test_the_same_file_again_and_under_another_name(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "a.csv", TAX), "state_tax")
    again = one(home, put(tmp_path, "b.csv", TAX), "state_tax")
    assert (again.duplicate, again.kept, again.rows_in) == (True, 0, 0)


def test_a_later_load_refuses_what_is_known_and_replaces_what_changed(home: Warehouse, tmp_path: Path) -> None:
    old = one(home, put(tmp_path, "a.csv", TAX), "state_tax")
    text = TAX.replace(",1.5\n", ",2.5\n") + f"{C},丙,202401,1\n"
    new = one(home, put(tmp_path, "b.csv", text), "state_tax")
    assert (new.kept, new.reasons, new.replaced) == (2, {"duplicate_row": 1}, 1)
    gone = pl.read_parquet(home.canonical / "state_tax" / old.load_id / "payment.superseded.parquet", glob=False)
    assert gone.select("row", "by").rows() == [(2, new.load_id)]


def test_a_file_of_the_same_name_replaces_the_older_one(home: Warehouse, tmp_path: Path) -> None:
    old = one(home, put(tmp_path, "a.csv", TAX), "state_tax")
    new = one(home, put(tmp_path, "a.csv", TAX.replace("1.5", "9")), "state_tax")
    with home.read() as db:
        rows = dict(db.execute("SELECT load_id, superseded_by FROM loads").fetchall())
    assert rows == {old.load_id: new.load_id, new.load_id: None}
    assert new.kept == 2


def test_two_files_with_other_columns_of_the_same_firms_stand_beside_each_other(
    home: Warehouse, tmp_path: Path
) -> None:
    one(home, put(tmp_path, "产值.csv", f"统一社会信用代码,工业总产值(万元)\n{A},5\n"), "statistics", year=2024)
    report = one(
        home, put(tmp_path, "能耗.csv", f"统一社会信用代码,综合能耗(吨标准煤)\n{A},5\n"), "statistics", year=2024
    )
    assert (report.kept, report.replaced) == (1, 0)


def test_daily_records_are_no_repeats(home: Warehouse, tmp_path: Path) -> None:
    rows = "\n".join(f"2024-01-{d:02d},7,{d}" for d in range(1, 31))
    report = one(home, put(tmp_path, "日电量.csv", f"日期,户号,用电量\n{rows}\n2024-01-30,7,30\n"), "power")
    assert (report.kept, report.reasons) == (30, {"duplicate_row": 1})


# --- errors and dry run -------------------------------------------------------------------------------------------

BROKEN = [
    ("power/a.csv", b"%PDF-1.7 ...", "unreadable_file", "PDF"),
    ("power/a.csv", b"", "unreadable_file", "empty"),
    ("power/a.xlsx", b"PK\x03\x04broken", "unreadable_file", "a.xlsx"),
    ("power/a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "unreadable_file", "a.xls"),
    ("power/a.csv", "户号,月份\n1,202401\n".encode(), "missing_column", "用电量"),
    ("power/a.csv", b"a,b\n1,2\n", "no_table", "power.yaml"),
    ("power/a.csv", "户号,用电量\n1,5\n".encode(), "no_year", "--year"),
    ("power/a.csv", "户号,月份,用电量(万元)\n1,202401,5\n".encode(), "ambiguous_unit", "万元"),
    ("power/a.csv", "户号,户号,月份,用电量\n1,2,202401,5\n".encode(), "ambiguous_column", "户号"),
    ("elsewhere/a.csv", b"a,b\n1,2\n", "unknown_source", "--source"),
]


@pytest.mark.parametrize(("name", "content", "code", "words"), BROKEN)
def test_one_clear_line_and_nothing_written(
    home: Warehouse, tmp_path: Path, name: str, content: bytes, code: str, words: str
) -> None:
    path = tmp_path / "drops" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    put(tmp_path / "drops" / "state_tax", "good.csv", TAX)
    with pytest.raises(PermuError) as error:
        ingest(home, [tmp_path / "drops"])
    assert error.value.code == code
    assert words in error.value.en
    assert "\n" not in error.value.en
    assert not home.ledger.exists()
    assert not any(home.loads.iterdir())


def test_every_file_that_fails_has_its_line(home: Warehouse, tmp_path: Path) -> None:
    put(tmp_path / "power", "a.csv", "%PDF-1.7")
    put(tmp_path / "gas", "b.csv", "x,y\n1,2\n")
    with pytest.raises(PermuError) as error:
        ingest(home, [tmp_path])
    assert len(error.value.en.splitlines()) == 2


def test_a_missing_folder(home: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError, match="no such file") as error:
        ingest(home, [tmp_path / "nothing"])
    assert error.value.code == "missing_folder"


def test_folders_say_source_and_year(home: Warehouse, tmp_path: Path) -> None:
    put(tmp_path / "drops" / "国税" / "2024", "a.csv", TAX)
    put(tmp_path / "drops" / "2023" / "state_tax", "a.csv", TAX.replace("2024", "2023"))
    reports = ingest(home, [tmp_path / "drops"])
    assert sorted((r.source, r.year, r.file, r.kept) for r in reports) == [
        ("state_tax", 2023, "a.csv", 2), ("state_tax", 2024, "a.csv", 2),
    ]  # fmt: skip
    assert [r.year for r in ingest(home, [tmp_path / "drops"], year=2024)] == [2024]
    (again,) = ingest(home, [tmp_path / "drops" / "国税" / "2024" / "a.csv"])
    assert (again.duplicate, again.source, again.file, again.year) == (True, "state_tax", "a.csv", 2024)


def test_dry_run_says_what_it_understood_and_writes_nothing(tmp_path: Path) -> None:
    home = Warehouse(tmp_path / "none")
    report = one(home, put(tmp_path, "国税.csv", "标题\n" + TAX + "x,丙,202403,1\n"), "state_tax", dry_run=True)
    sheet = report.as_dict(understood=True)["understood"]["sheets"][0]  # type: ignore[index]
    assert sheet["columns"]["vat_fen"] == {"column": "D", "header": "增值税（万元）", "unit": "万元"}
    assert sheet["header_rows"] == [2, 2]
    assert sheet["sample"][0] == {"row": 3, "uscc": A, "name": "甲公司", "period": 202401, "vat_fen": 1500000}
    assert report.reasons == {"bad_credit_code": 1}
    assert not home.home.exists()


def test_progress_is_told(home: Warehouse, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    one(home, put(tmp_path, "国税.csv", TAX), "state_tax", progress=lambda *a: told.append(a))
    assert told == [("国税.csv", 3, 3)]


# --- declarations ---------------------------------------------------------------------------------------------


def test_no_header_names_two_fields_of_a_table() -> None:
    for source in sources().values():
        for name, table in source.tables.items():
            seen: dict[str, str] = {}
            for field, declared in table.fields.items():
                for header in declared.headers:
                    assert seen.setdefault(fold(header), field) == field, (source.source, name, header)


def test_the_fourteen_sources() -> None:
    wanted = "commerce land state_tax local_tax power gas environment statistics water hr regions relations exemptions events"
    assert set(sources()) == set(wanted.split())


def test_a_mapping_that_is_not_understood(home: Warehouse, tmp_path: Path) -> None:
    data = put(tmp_path, "a.csv", "x,y\n1,2\n")
    mapping = put(tmp_path, "m.yaml", "source: power\ntables: {usage: {fields: {nonsense: {type: text}}}}\n")
    with pytest.raises(PermuError, match="nonsense") as error:
        ingest(home, [data], mapping=mapping, year=2024)
    assert error.value.code == "bad_mapping"
