"""The bureau's lists of events and relations: linked rows as written, with their place; the rest is listed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.merge import MergeReport, merge
from tests.unit.ingest.files import A, B, C, put
from tests.unit.merge.test_months import COMMERCE

EVENTS = f"""统一社会信用代码,企业名称,类别,年度,依据
{A},甲机械有限公司,上市,2024,沪证〔2024〕1号
,乙化工有限公司,失信,2024年3月,法院公告
{B},乙化工有限公司,奖励,,
,谁也不是有限公司,处罚,2024,x
"""
UNDATED = f"统一社会信用代码,企业名称,类别\n{A},甲机械有限公司,事故\n"
RELATIONS = f"""统一社会信用代码,企业名称,关联企业统一社会信用代码,关联企业,关系,起始日期,终止日期
{A},甲,{B},乙,子公司,2020-01-01,
{A},甲,,外地有限公司,关联,2024-02-01,2024-12-31
,谁也不是有限公司,{C},丙,母公司,,
"""


@pytest.fixture
def merged(home: Warehouse, tmp_path: Path) -> MergeReport:
    put(tmp_path, "d/commerce/名录2024.csv", COMMERCE)
    put(tmp_path, "d/events/事项2024.csv", EVENTS)
    put(tmp_path, "d/events/又2024.csv", UNDATED)
    put(tmp_path, "d/relations/关系2024.csv", RELATIONS)
    for load in ingest(home, [tmp_path / "d"], year=2024):
        assert load.refused == 0, load.reasons
    return merge(home, 2024)


def table(home: Warehouse, report: MergeReport, name: str) -> pl.DataFrame:
    return pl.read_parquet(home.merged / report.merge_id / f"{name}.parquet")


def test_events(home: Warehouse, merged: MergeReport) -> None:
    ids = dict(table(home, merged, "enterprises").select("uscc", "enterprise_id").iter_rows())
    events = table(home, merged, "events")
    assert events.columns == ["enterprise_id", "category", "year", "evidence", "load_id", "sheet", "row"]
    assert events.schema["year"] == pl.Int32 and events.schema["row"] == pl.Int32
    wanted = [
        (ids[A], "上市", 2024, "沪证〔2024〕1号", 2), (ids[A], "事故", None, None, 2), (ids[B], "失信", 2024, "法院公告", 3),
        (ids[B], "奖励", None, None, 4),
    ]  # fmt: skip
    got = events.sort("row", "category").select("enterprise_id", "category", "year", "evidence", "row").rows()
    assert got == wanted and merged.counts["events"] == 4
    assert events["enterprise_id"].is_sorted()


def test_relations(home: Warehouse, merged: MergeReport) -> None:
    ids = dict(table(home, merged, "enterprises").select("uscc", "enterprise_id").iter_rows())
    relations = table(home, merged, "relations")
    assert relations.columns == [
        "enterprise_id", "other_enterprise_id", "kind", "from_on", "to_on", "load_id", "sheet", "row",
    ]  # fmt: skip
    assert relations.sort("row").drop("load_id", "sheet").rows() == [
        (ids[A], ids[B], "子公司", date(2020, 1, 1), None, 2),
        (ids[A], None, "关联", date(2024, 2, 1), date(2024, 12, 31), 3),
    ]


def test_rows_of_nobody_are_listed(home: Warehouse, merged: MergeReport) -> None:
    left = table(home, merged, "unlinked").sort("source", "row")
    assert left.select("source", "record_key", "row").rows() == [
        ("events", "name:谁也不是有限公司", 5), ("relations", "name:外地有限公司", 3), ("relations", "name:谁也不是有限公司", 4),
    ]  # fmt: skip


def test_a_year_without_the_lists_has_no_tables(home: Warehouse, tmp_path: Path) -> None:
    put(tmp_path, "d/commerce/名录2024.csv", COMMERCE)
    ingest(home, [tmp_path / "d"], year=2024)
    report = merge(home, 2024)
    folder = home.merged / report.merge_id
    assert not (folder / "events.parquet").exists() and not (folder / "relations.parquet").exists()
    assert (report.counts["events"], report.counts["relations"]) == (0, 0)
