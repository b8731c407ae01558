"""The traps as recorded are the traps in the files, counted by reading the files without the generator's code."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pyogrio
import pytest
import shapely
from lxml import html
from stdnum.cn import uscc

from engine.schema.names import SYNTHETIC_MARK

YEARS = (2023, 2024)
_MARKS = ["/", "—", "Nah"]


def _sheet(path: Path, header: int) -> pl.DataFrame:
    """A workbook's table as text; ``header``: rows above the header."""
    return fastexcel.read_excel(path).load_sheet(0, header_row=header, dtypes="string").to_polars()


def _state_tax(written: Any, year: int) -> pl.DataFrame:
    files = [f for f in written.files("state_tax", year) if "补报" not in f.name]
    assert len(files) == 12
    return pl.concat([pl.read_csv(f.read_text("gb18030").encode(), infer_schema=False) for f in files])


def _commerce(written: Any, year: int) -> pl.DataFrame:
    files = [f for f in written.files("commerce", year) if "开发区" not in f.name]
    assert len(files) == 5
    return pl.concat([_sheet(f, 2) for f in files])


def _rights(written: Any, year: int) -> pl.DataFrame:
    return _sheet(next(f for f in written.files("land", year) if "使用权" in f.name), 1)


def _is_valid(number: str | None) -> bool:
    return number is not None and uscc.is_valid(unicodedata.normalize("NFKC", number))


def test_every_source_has_a_folder_for_every_year(written: Any) -> None:
    sources = "commerce land state_tax local_tax power gas environment statistics water hr regions relations exemptions events"
    assert sorted(f.name for f in (written.folder / "drops").iterdir()) == sorted(sources.split())
    assert all(written.files(s, y) for s in sources.split() for y in YEARS)


def test_it_says_that_it_is_synthetic(written: Any) -> None:
    assert written.about["synthetic"] is True
    assert SYNTHETIC_MARK in written.about["label"]["zh"] or "合成" in written.about["label"]["zh"]
    names = _commerce(written, 2024)["企业名称"]
    assert names.str.contains(SYNTHETIC_MARK, literal=True).all()


@pytest.mark.parametrize("year", YEARS)
def test_commerce(written: Any, year: int) -> None:
    rows = _commerce(written, year)
    codes = rows["统一社会信用代码"].drop_nulls()
    bad = [c for c in codes if not _is_valid(c)]
    assert len(bad) == written.trap("commerce_bad_check_digits", year)
    wide = codes.filter(codes.str.contains("[０-９]"))
    assert len(wide) == written.trap("commerce_full_width_ids", year)
    blank = rows.filter(pl.col("统一社会信用代码").is_null())
    assert blank["组织机构代码"].is_not_null().sum() == written.trap("old_id_org_only", year)
    assert blank["组织机构代码"].is_null().sum() == written.trap("old_id_reg_only", year)
    assert codes.str.starts_with("92").sum() == written.trap("sole_traders", year)
    branches = rows["企业名称"].str.contains(r"(公司\S*分公司|厂\S*分公司|二厂|集团有限公司)$").sum()
    assert branches == written.trap("branches", year)
    old = (rows["行业分类版本"] == "2011").sum()
    assert old == written.trap("vintage_2011", year) + written.trap("vintage_2011_one_to_many", year)
    assert (rows["行政区划代码"] == "320571").sum() == written.trap("zone_code_as_region", year)
    assert (rows["注册资本(万元)"] == "/").sum() == written.trap("commerce_empty_marks", year)
    pairs = rows.group_by("企业名称").len().filter(pl.col("len") > 1)
    assert pairs.height == written.trap("same_name_pairs", year)
    assert rows.height == 400 + len(bad)


@pytest.mark.parametrize("year", YEARS)
def test_state_tax(written: Any, year: int) -> None:
    rows = _state_tax(written, year)
    numbers = rows["纳税人识别号"]
    assert numbers.filter(numbers.str.len_chars() == 15).n_unique() == written.trap("state_tax_old_taxpayer_ids", year)
    long = numbers.filter(numbers.str.len_chars() == 18)
    assert sum(not _is_valid(n) for n in long) == written.trap("state_tax_bad_check_digits", year)
    assert numbers.str.contains("[０-９]").sum() == written.trap("state_tax_full_width_ids", year)
    assert (rows["增值税(元)"] == "待核实").sum() == written.trap("state_tax_bad_numbers", year)
    assert rows["消费税(元)"].is_in(_MARKS).sum() == written.trap("state_tax_empty_marks", year)
    sales = rows.filter(pl.col("应税销售收入(元)").is_in(_MARKS))
    assert sales["纳税人名称"].n_unique() == written.trap("no_invoiced_sales", year)
    refunds = rows.filter(pl.col("留抵退税(元)").cast(pl.Decimal(20, 2)) > 0)
    assert refunds.height == written.trap("vat_refunds", year)


def test_supplement_repeats_and_corrects(written: Any) -> None:
    rows = _state_tax(written, 2024)
    late = next(f for f in written.files("state_tax", 2024) if "补报" in f.name)
    again = pl.read_csv(late.read_text("gb18030").encode(), infer_schema=False)
    same = again.join(rows, on=again.columns, how="semi", nulls_equal=True)
    assert same.height == written.trap("state_tax_duplicate_rows", 2024)
    assert again.height - same.height == written.trap("state_tax_corrected_rows", 2024)


@pytest.mark.parametrize("year", YEARS)
def test_power(written: Any, year: int) -> None:
    files = [f for f in written.files("power", year) if f.name.endswith("月.csv")]
    assert files[0].read_bytes().startswith(b"\xef\xbb\xbf")
    rows = pl.concat([pl.read_csv(f, infer_schema=False) for f in files])
    assert (rows["用电量(千瓦时)"] == "换表").sum() == written.trap("power_bad_numbers", year)
    assert (rows["月份"] == f"{year - 1}12").sum() == written.trap("power_period_outside_year", year)
    january = rows.filter(pl.col("月份") == f"{year}01")["户名"]
    assert january.str.contains("居民委员会").sum() == written.trap("power_meters_without_counterpart", year)
    assert january.str.contains("、").sum() == written.trap("power_meters_without_share", year)
    shares = _sheet(next(f for f in written.files("power", year) if f.suffix == ".xlsx"), 1)
    assert shares["户号"].n_unique() == written.trap("power_shared_meters", year)


@pytest.mark.parametrize("source", ["power", "gas", "water"])
def test_near_names_belong_to_nobody(written: Any, source: str) -> None:
    links = written.truth("links").filter(
        pl.col("source") == source, pl.col("kind") == "near_name", pl.col("year") == 2024
    )
    assert links.height == written.trap(f"{source}_near_names_without_counterpart", 2024) > 0
    assert links["uscc"].null_count() == links.height


def test_old_numbers_become_credit_codes_in_the_last_year(written: Any) -> None:
    old = [written.trap("old_id_org_only", y) + written.trap("old_id_reg_only", y) for y in YEARS]
    assert old[0] == old[1] + written.trap("credit_code_new_this_year", 2024) > old[1] > 0


def test_gas_comes_in_two_units(written: Any) -> None:
    headers = [_sheet(f, 1).columns[-1] for f in written.files("gas", 2024)]
    assert headers.count("用气量(万立方米)") == written.trap("gas_files_in_ten_thousand_m3", 2024)
    assert headers.count("用气量(立方米)") == 6


@pytest.mark.parametrize("year", YEARS)
def test_land(written: Any, year: int) -> None:
    layer = next(f for f in written.files("land", year) if f.suffix in (".shp", ".gpkg"))
    meta, _, geometry, columns = pyogrio.raw.read(layer)
    assert meta["crs"] == "EPSG:4490"
    assert len(columns[0]) == written.trap("parcels", year)
    assert (~shapely.is_valid(shapely.from_wkb(geometry))).sum() == written.trap("invalid_rings", year)
    rows = _rights(written, year)
    shared = rows.filter(pl.col("份额").is_not_null())
    assert shared["宗地代码"].n_unique() == written.trap("parcels_shared", year)
    nobody = rows["土地使用权人"].str.contains("经济合作社").sum()
    near = written.trap("rights_without_counterpart", year) - nobody
    assert near > 0  # firms whose names are near those of known ones
    unnamed = rows["统一社会信用代码"].is_null().sum()
    assert unnamed - nobody - near == written.trap("rights_by_name", year)


def test_html_total_and_unit_rows(written: Any) -> None:
    january = next(f for f in written.files("local_tax", 2024) if f.suffix == ".xls")
    rows = [[c.text_content() for c in r.findall("td")] for r in html.fromstring(january.read_bytes()).iter("tr")]
    assert rows[1] == ["单位：元"]
    assert rows[2][0] == "纳税人识别号" and rows[-1][0] == "合计"
    assert len([f for f in written.files("local_tax", 2024) if f.suffix == ".xlsx"]) == 11


def test_statistics_header_and_totals(written: Any) -> None:
    rows = _sheet(written.files("statistics", 2024)[0], 2)
    assert rows["统一社会信用代码"].is_in(["小计", "合计"]).sum() == written.trap("statistics_total_rows", 2024)
    assert rows["主营业务收入"][0] == "Main revenue"


def test_header_is_one_column_short(written: Any) -> None:
    late = next(f for f in written.files("hr", 2024) if "补充" in f.name)
    rows = fastexcel.read_excel(late).load_sheet(0, header_row=None, dtypes="string").to_polars()
    assert rows.row(0)[0] == "统一社会信用代码" and rows.row(1)[0] == "1"
    assert rows.height - 1 == written.trap("hr_header_one_short_rows", 2024)


def test_recorded_rows_are_the_rows_of_the_files(written: Any) -> None:
    late = pl.concat(
        pl.read_csv(f.read_text("gb18030").encode(), infer_schema=False) for f in written.files("state_tax", 2023)
    )
    assert late.height == written.about["rows"]["2023"]["state_tax"]


def test_report_counts_files_and_rows(written: Any) -> None:
    files = [f for f in (written.folder / "drops").rglob("*") if f.is_file()]
    assert written.report.files == len(files)
    assert written.report.bytes == sum(f.stat().st_size for f in files)
    assert written.report.as_dict()["synthetic"] is True
