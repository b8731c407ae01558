"""Departments and facts that a bureau declares in its own warehouse: one YAML file, no file of the package edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from engine.schema.warehouse import Warehouse
from ingest.declared import adopt, sources
from ingest.merge import merge
from tests.unit.ingest.files import A, B, kept, one, put, refused

HEAT = """
source: heat
title: {zh: 供热, en: heat}
folders: [热力公司]
facts:
  steam_gram: {quantity: mass, zh: 用汽量, en: steam used}
tables:
  usage:
    record_key: [uscc, name]
    unique: [record_key, period]
    require: [[uscc, name], [steam_gram]]
    fields:
      uscc: {type: uscc, headers: [信用代码]}
      name: {type: name, headers: [用户]}
      period: {type: period, headers: [月份]}
      steam_gram: {type: amount, unit: 吨, range: [0, 1000], headers: [用汽量]}
"""


def declare(home: Warehouse, text: str, name: str = "own.yaml") -> None:
    put(home.home / "sources", name, text)


def test_a_department_of_ones_own_reaches_the_facts(home: Warehouse, tmp_path: Path) -> None:
    declare(home, HEAT)
    put(
        tmp_path / "in" / "热力公司", "用汽2024.csv", f"信用代码,用户,月份,用汽量\n{A},甲,202401,1.5\n{A},甲,202402,2\n"
    )
    one(home, put(tmp_path, "工商2024.csv", f"统一社会信用代码,企业名称,行业代码\n{A},甲,2614\n"), "commerce")
    from ingest.load import ingest

    (report,) = ingest(home, [tmp_path / "in"])
    assert (report.source, report.kept) == ("heat", 2)
    merged = home.merged / merge(home, 2024).merge_id
    import polars as pl

    facts = pl.read_parquet(merged / "facts.parquet").filter(pl.col("field") == "steam_gram")
    assert facts.select("value", "unit", "source").rows() == [(3_500_000, "gram", "heat")]


def test_a_range_refuses_what_cannot_be(home: Warehouse, tmp_path: Path) -> None:
    declare(home, HEAT)
    path = put(tmp_path, "用汽2024.csv", f"信用代码,月份,用汽量（千克）\n{A},202401,1000000\n{A},202402,1000000.01\n")
    report = one(home, path, "heat")
    assert (report.kept, report.reasons) == (1, {"out_of_range": 1})
    assert refused(home, report)["value"].to_list() == ["1000000.01"]


def test_headers_added_to_a_shipped_source(home: Warehouse, tmp_path: Path) -> None:
    declare(home, "source: power\ntables: {usage: {fields: {power_wh: {type: amount, headers: [本市专用电量栏]}}}}\n")
    report = one(home, put(tmp_path, "a.csv", "户号,月份,本市专用电量栏\n1,202401,2\n"), "power")
    assert kept(home, report, "usage")["power_wh"].to_list() == [2000]
    assert "用电量" in sources()["power"].tables["usage"].fields["power_wh"].headers


def test_another_warehouse_knows_nothing_of_it(home: Warehouse, tmp_path: Path) -> None:
    declare(home, HEAT)
    adopt(home.home)
    assert "heat" in sources() and "steam_gram" in FACTS
    adopt(tmp_path / "elsewhere")
    assert "heat" not in sources() and "steam_gram" not in FACTS


BROKEN = {
    "is no known fact": HEAT.replace("facts:\n  steam_gram: {quantity: mass, zh: 用汽量, en: steam used}\n", ""),
    "ends as one of mass": HEAT.replace("quantity: mass", "quantity: volume"),
    "no table has an amount": HEAT.replace("facts:\n", "facts:\n  ice_gram: {quantity: mass, zh: 冰, en: ice}\n"),
    "is of type amount": "source: power\ntables: {usage: {fields: {power_wh: {type: text, headers: [x]}}}}\n",
    "has no range": HEAT.replace("headers: [用户]", "headers: [用户], range: [1, 2]"),
    "not a unit of mass": HEAT.replace("unit: 吨,", "unit: 立方米,"),
    "Extra inputs": HEAT + "nonsense: 1\n",
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_declaration_that_is_not_understood(home: Warehouse, words: str) -> None:
    declare(home, BROKEN[words])
    with pytest.raises(PermuError, match=words) as error:
        adopt(home.home)
    assert error.value.code == "bad_mapping" and "own.yaml" in error.value.en
    adopt(home.home / "none")


SHIPPED_RANGES = [
    ("hr", "统一社会信用代码,参保人数\n{A},1000001\n{B},12\n", "1000001"),
    ("statistics", "统一社会信用代码,从业人数\n{A},99999999\n{B},12\n", "99999999"),
    (
        "land",
        "宗地代码,使用权面积（平方米）,容积率\n320583001001GB00001,9000,900\n320583001001GB00002,9000,1.2\n",
        "900",
    ),
    ("land", "宗地代码,使用权面积（平方米）\n320583001001GB00001,3000000000\n320583001001GB00002,9000\n", "3000000000"),
    ("commerce", "统一社会信用代码,企业名称,成立日期\n{A},甲,1024-05-01\n{B},乙,2024-05-01\n", "1024-05-01"),
]


@pytest.mark.parametrize(("source", "text", "value"), SHIPPED_RANGES)
def test_the_shipped_ranges(home: Warehouse, tmp_path: Path, source: str, text: str, value: str) -> None:
    report = one(home, put(tmp_path, "2024.csv", text.format(A=A, B=B)), source, year=2024)
    assert (report.kept, report.reasons) == (1, {"out_of_range": 1})
    assert refused(home, report)["value"].to_list() == [value]
