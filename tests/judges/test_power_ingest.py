"""A month of daily readings of 1,454 real enterprises: every row kept, their sum as published; a weather file in GBK."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest.load import LoadReport, ingest
from ingest.read import batches, open_file
from ingest.read.text import sniff


@pytest.fixture(scope="module")
def loaded(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[LoadReport, pl.DataFrame]:
    home = Warehouse(tmp_path_factory.mktemp("power")).create()
    (report,) = ingest(home, [shared / "real" / "power" / "tianchi_power_2016_09_long.csv"], source="power", year=2016)
    return report, pl.read_parquet(home.canonical / "power" / report.load_id / "usage.parquet", glob=False)


def test_power_every_enterprise_and_the_total(loaded: tuple[LoadReport, pl.DataFrame]) -> None:
    report, table = loaded
    assert report.rows_in == report.kept + report.furniture
    assert report.reasons == {}
    assert table["account"].n_unique() == 1454
    assert table["power_wh"].sum() == 112_032_567 * 1000
    assert table["period"].unique().to_list() == [201609]
    assert sorted(table["day"].unique().to_list()) == list(range(1, 31))


def test_power_weather_is_gbk_and_reads_right(shared: Path) -> None:
    path = shared / "real" / "power" / "weather_GBK.csv"
    assert sniff(path) == "gb18030"
    (sheet,) = open_file(path)
    rows = pl.concat(batches(sheet, path))
    assert rows.height == 610
    # (the header and 609 days)
    assert "".join(c for c in rows.row(0)[1:] if c).count("�") == 0
    words = set("".join(str(v) for row in rows.select(pl.exclude("row")).rows() for v in row if v))
    assert set("日期最高低气温天晴多云风") <= words
    assert not words & set("ÈÕÆÚ")
