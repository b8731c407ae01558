"""23 workbooks of a statistical yearbook (11 encrypted .xls, 2 plain .xls, 1 HTML, 9 .xlsx) against its tidy answers."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest.load import ingest

MAPPING = Path(__file__).parent / "mappings" / "yearbook_operation.yaml"
BOOKS = [
    *(f"raw-{year}.{kind}" for year in (2010, 2011, 2012, 2013, 2014, 2021, 2022, 2023) for kind in ("xls", "xlsx")),
    *(f"raw-{year}.xls" for year in (2015, 2016, 2018, 2019, 2020)), "raw-2020-edited.xlsx", "raw-2020-soshu.xls",
]  # fmt: skip
ROUNDED = ("raw-2015", "raw-2016", "raw-2020.xls", "raw-2021")
FIELDS = {"企业数": ("employees", 1), "主营业务收入": ("main_revenue_fen", 10**10), "利润总额": ("profit_fen", 10**10)}
FIELDS["营业收入"] = FIELDS["主营业务收入"]
Values = dict[tuple[str, str], Decimal]


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "real" / "yearbook"


def read(home: Warehouse, path: Path) -> Values:
    """(region, field) → the value in the yearbook's unit, through the reader, the table finder and the loader."""
    (report,) = ingest(home, [path], mapping=MAPPING, year=int(path.stem[4:8]))
    assert report.rows_in == report.kept + report.refused + report.furniture
    table = pl.read_parquet(home.canonical / "statistics" / report.load_id / "annual.parquet", glob=False)
    wanted = set(FIELDS.values())
    rows = table.to_dicts()
    return {(r["name"], f): Decimal(r[f]) / scale for r in rows for f, scale in wanted if r[f] is not None}


def answer(path: Path) -> Values:
    frame = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
    rows = frame.select("province", "chn_block4", "value").rows()
    return {(p, FIELDS[b][0]): Decimal(v) for p, b, v in rows if v is not None}


def whole(value: Decimal) -> set[Decimal]:
    return {value.quantize(Decimal(1), rounding) for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)}


def test_yearbook_every_workbook_is_there(folder: Path) -> None:
    assert sorted(BOOKS) == sorted(p.name for p in (folder / "raw-01-operation").iterdir())


@pytest.mark.parametrize("name", BOOKS)
def test_yearbook_values_equal_the_tidy_answer(folder: Path, home: Warehouse, name: str) -> None:
    found = read(home, folder / "raw-01-operation" / name)
    wanted = answer(folder / "tidy-01-operation" / f"{name[4:8]}.xlsx")
    assert len(wanted) == 96
    compared = {key: (found.get(key), value) for key, value in wanted.items()}
    if name.startswith(ROUNDED):
        wrong = {k: v for k, v in compared.items() if v[0] is None or not whole(v[0]) & whole(v[1])}
    else:
        wrong = {k: v for k, v in compared.items() if v[0] != v[1]}
    assert wrong == {}


def test_yearbook_count_of_workbooks_read(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books = sorted((folder / "raw-01-operation").iterdir())
    read_out = [b.name for i, b in enumerate(books) if len(read(Warehouse(tmp_path / str(i)).create(), b)) >= 96]
    with capsys.disabled():
        print(f"\nyearbook: {len(read_out)} of {len(books)} workbooks read to tables")
    assert len(read_out) == len(books) == 23
