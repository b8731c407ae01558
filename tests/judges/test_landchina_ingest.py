"""Land-supply workbooks of January 2007 (26 .xls, 125 rows): every row kept or refused, hectares converted exactly."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest.ids import valid_uscc
from ingest.load import LoadReport, ingest


@pytest.fixture(scope="module")
def loaded(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, list[LoadReport]]:
    home = Warehouse(tmp_path_factory.mktemp("landchina")).create()
    return home, ingest(home, [shared / "real" / "land_landchina"], source="land")


def kept(home: Warehouse) -> pl.DataFrame:
    return pl.read_parquet(home.canonical / "land" / "*" / "parcel.parquet")


def refused(home: Warehouse) -> pl.DataFrame:
    return pl.read_parquet(home.refused / "land" / "*.parquet")


def test_landchina_every_row_is_kept_or_refused(loaded: tuple[Warehouse, list[LoadReport]]) -> None:
    home, reports = loaded
    assert len(reports) == 26
    assert {r.year for r in reports} == {2007}
    assert sum(r.rows_in - r.furniture for r in reports) == 125
    assert sum(r.kept for r in reports) == kept(home).height == 117
    assert refused(home)["code"].value_counts().sort("code").rows() == [
        ("missing_area_dm2", 1),
        ("missing_parcel_code", 7),
    ]


def test_landchina_each_number_once(loaded: tuple[Warehouse, list[LoadReport]]) -> None:
    home, _ = loaded
    numbers = kept(home)["parcel_code"].to_list()
    without_area = (
        refused(home).filter(pl.col("code") == "missing_area_dm2")["raw"].str.json_path_match("$.parcel_code")
    )
    assert len({*numbers, *without_area}) == len(numbers) + 1 == 118


def test_landchina_hectares_are_converted_exactly(shared: Path, loaded: tuple[Warehouse, list[LoadReport]]) -> None:
    home, _ = loaded
    stated: dict[str, Decimal] = {}
    for path in (shared / "real" / "land_landchina").glob("*.xls"):
        sheet = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
        stated |= {n: Decimal(a) for n, a in sheet.select("电子监管号", "面积(公顷)").rows() if n and a and a != "Nah"}
    got = dict(kept(home).select("parcel_code", "area_dm2").rows())
    assert {n: Decimal(a) / 10**6 for n, a in got.items()} == {
        n: a.quantize(Decimal("1.000000")) for n, a in stated.items() if n in got
    }


def test_landchina_the_header_one_column_short_is_moved(loaded: tuple[Warehouse, list[LoadReport]]) -> None:
    _, reports = loaded
    main = next(r for r in reports if r.file == "HEAD_2007年01月.xls")
    sheet = main.understood["sheets"][0]  # type: ignore[index]
    assert sheet["header"][8:11] == ["", "行业分类", "土地级别"]
    assert "行业分类" in sheet["notes"][0]


def test_landchina_the_same_file_under_two_names_counts_once(shared: Path, home: Warehouse, tmp_path: Path) -> None:
    original = shared / "real" / "land_landchina" / "HEAD_2007年01月-工业用地.xls"
    for name in ("一.xls", "二.xls"):
        shutil.copy(original, tmp_path / name)
    reports = ingest(home, [tmp_path / "一.xls", tmp_path / "二.xls"], source="land", year=2007)
    assert [(r.kept, r.duplicate) for r in reports] == [(1, False), (0, True)]
    assert kept(home).height == 1


def test_credit_codes_of_the_outside_judge(shared: Path) -> None:
    with (shared / "judges" / "codes" / "uscc_vectors.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    found = valid_uscc(pl.Series([r["uscc"].replace(" ", "") for r in rows])).to_list()
    assert len(rows) > 50
    assert found == [r["expected"].startswith("valid") for r in rows]
