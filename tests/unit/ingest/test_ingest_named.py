"""Regions and industries by name: exact and unique, or none; what was read and what was not is counted."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.named import industry_of, region_of

REGIONS = [
    ("昆山市", "320583"), ("江苏省苏州市昆山市", "320583"), ("苏州市昆山市", "320583"), ("江苏省昆山市", "320583"), ("苏州市", "3205"),
    ("江苏省", "32"), ("昆山市玉山镇", "320583100"), ("玉山镇", None), ("鼓楼区", None), ("南京市鼓楼区", "320106"),
    ("徐州市鼓楼区", "320302"), ("昆山", None), ("昆山市 ", "320583"), ("月亮市", None), ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code"), REGIONS)
def test_regions_by_name(name: str, code: str | None) -> None:
    assert region_of(name) == code


INDUSTRIES = [
    ("化学农药制造", "2631"), ("专用设备修理", "4330"), ("羽毛(绒)加工", "1941"), ("羽毛（绒）加工", "1941"), ("纺织业", "17"),
    ("制造业", None), ("看不懂的行业", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code"), INDUSTRIES)
def test_industries_by_name(name: str, code: str | None) -> None:
    assert industry_of(name) == code


def test_names_in_a_file_are_read_and_counted(home: Warehouse, tmp_path: Path) -> None:
    rows = [
        ("甲", "昆山市", "化学农药制造"), ("乙", "江苏省苏州市昆山市", "3011；3012"), ("丙", "月亮市", "看不懂的行业"),
        ("丁", "320505", "C2614"), ("戊", "", "102V"), ("己", "鼓楼区", ""), ("庚", "320583 昆山市", "2614化学试剂"),
    ]  # fmt: skip
    text = "企业名称,行政区划,行业代码\n" + "".join(f"{','.join(r)}\n" for r in rows)
    path = tmp_path / "工商.csv"
    path.write_text(text, "utf-8")
    (report,) = ingest(home, [path], source="commerce", year=2024)
    table = pl.read_parquet(home.canonical / "commerce" / report.load_id / "enterprise.parquet", glob=False)
    assert table["region_code"].to_list() == ["320583", "320583", None, "320505", None, None, "320583"]
    assert table["industry_code"].to_list() == ["2631", "3011", "看不懂的行业", "2614", "102V", None, "2614"]
    counts = report.understood["sheets"][0]["counts"]  # type: ignore[index]
    assert counts == {
        "region_code_named": 2, "region_code_unread": 2, "industry_code_named": 1, "industry_code_several": 1,
        "industry_code_unread": 1,
    }  # fmt: skip
