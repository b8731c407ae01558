"""Files read back by other libraries; the same content gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import fastexcel
import numpy as np
import openpyxl
import polars as pl
import pyogrio
import pytest
import shapely
from lxml import html

from data.demo import writers
from data.demo.writers import Sheet

_FRAME = pl.DataFrame({"名称": ["示例<甲>&乙", "示例丙"], "金额": ["12.50", "/"], "空": [None, "x"]})
_SHEET = Sheet(_FRAME, above=[["标题"]], below=[["合计", "12.50"]], numbers=frozenset({"金额"}), merges=("A1:C1",))


def test_workbook_as_two_readers_see_it(tmp_path: Path) -> None:
    path = writers.write_book(tmp_path / "a.xlsx", _SHEET)
    rows = [list(r) for r in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]
    assert rows == [
        ["标题", None, None],
        ["名称", "金额", "空"],
        ["示例<甲>&乙", 12.5, None],
        ["示例丙", "/", "x"],
        ["合计", "12.50", None],
    ]
    calamine = fastexcel.read_excel(path).load_sheet(0, header_row=1)
    assert calamine.to_polars()["金额"].to_list()[:2] == ["12.5", "/"]


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".geojson"])
def test_layer_reads_back_in_4490(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame({"宗地代码": ["320583100001GB00001"], "宗地面积": [12.5]})
    writers.write_layer(tmp_path / f"宗地{suffix}", frame, shapely.box([120], [31], [121], [32]), layer="宗地")
    meta, _, geometry, columns = pyogrio.raw.read(tmp_path / f"宗地{suffix}")
    assert meta["crs"] == "EPSG:4490"
    assert [c.tolist() for c in columns] == [["320583100001GB00001"], [12.5]]
    assert shapely.from_wkb(geometry[0]).bounds == (120, 31, 121, 32)


def test_dbf_is_gbk(tmp_path: Path) -> None:
    frame = pl.DataFrame({"宗地代码": ["x"]})
    writers.write_layer(tmp_path / "a.shp", frame, shapely.box([120], [31], [121], [32]), layer="a")
    assert "宗地代码".encode("gbk") in (tmp_path / "a.dbf").read_bytes()
    assert (tmp_path / "a.cpg").read_text() == "GBK"


def test_html_under_the_name_xls(tmp_path: Path) -> None:
    writers.write_html(tmp_path / "a.xls", _SHEET)
    table = html.fromstring((tmp_path / "a.xls").read_bytes())
    cells = [[c.text_content() for c in row.findall("td")] for row in table.iter("tr")]
    assert cells[1] == ["名称", "金额", "空"]
    assert cells[3] == ["示例丙", "/", "x"]


def test_more_rows_than_a_sheet_holds_become_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "EXCEL_ROWS", 4)
    path = writers.write_book(tmp_path / "a.xlsx", _SHEET)
    assert path.suffix == ".csv" and not (tmp_path / "a.xlsx").exists()
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines == ["标题,,", "名称,金额,空", "示例<甲>&乙,12.50,", "示例丙,/,x", "合计,12.50,"]


def test_csv_in_gb18030(tmp_path: Path) -> None:
    writers.write_csv(tmp_path / "a.csv", _FRAME, "gb18030")
    assert (tmp_path / "a.csv").read_text(encoding="gb18030").startswith("名称,金额,空")


def test_rows_beyond_one_chunk_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_CHUNK", 3)
    frame = pl.DataFrame({"n": np.arange(10).astype(str)})
    path = writers.write_book(tmp_path / "a.xlsx", Sheet(frame, numbers=frozenset({"n"})))
    assert [r[0] for r in openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True)] == list(range(10))


@pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_column_names(index: int, name: str) -> None:
    assert writers.column_name(index) == name
