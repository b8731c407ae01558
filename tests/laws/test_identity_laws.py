"""Permanence of ids: whatever the order of rows, of merges, and however often; numbers that became credit codes; events."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest.merge import merge
from tests.unit.ingest.files import A, B, C, one, put

HEAD = "统一社会信用代码,注册号,组织机构代码,企业名称,行业代码,行政区划代码,住所\n"
REG = "440301108548379"
# 2022: A by its old organisation code, B by its registration number; 2024: both by credit code, B renamed, A moved.
EARLY = [
    f",,{A[8:16]}-{A[16]},昆山示例甲有限公司,2614,320583,玉山镇1号",
    f",{REG},,太仓示例旧名有限公司,2614,320585,沙溪镇2号",
]
LATE = [
    f"{A},,,昆山示例甲有限公司,2614,320585,浏河镇9号",
    f"{B},{REG},,太仓示例新名有限公司,2614,320585,沙溪镇2号",
    f"{C},,,太仓示例丙有限公司,2614,320585,沙溪镇3号",
]


def load(home: Warehouse, folder: Path, year: int, rows: list[str]) -> None:
    one(home, put(folder, f"工商{year}.csv", HEAD + "\n".join(rows) + "\n"), "commerce")


def ids(home: Warehouse, year: int) -> dict[str, str]:
    merged = home.merged / merge(home, year).merge_id
    rows = pl.read_parquet(merged / "enterprises.parquet")
    return dict(rows.select("name", "enterprise_id").iter_rows())


def at_once(home: Warehouse, folder: Path, order: tuple[int, ...], backwards: bool) -> dict[int, dict[str, str]]:
    for year, rows in ((2022, EARLY), (2024, LATE)):
        load(home, folder, year, rows[::-1] if backwards else rows)
    return {year: ids(home, year) for year in order}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("order", [(2022, 2024), (2024, 2022), (2024, 2022, 2024)])
def test_ids_do_not_depend_on_the_order_of_rows_and_merges(
    tmp_path: Path, order: tuple[int, ...], backwards: bool
) -> None:
    told = at_once(Warehouse(tmp_path / "w").create(), tmp_path, order, backwards)
    early, late = told[2022], told[2024]
    assert early["昆山示例甲有限公司"] == late["昆山示例甲有限公司"]
    assert early["太仓示例旧名有限公司"] == late["太仓示例新名有限公司"]
    assert len(set(late.values())) == 3
    other = at_once(Warehouse(tmp_path / "other").create(), tmp_path / "o", (2022, 2024), False)
    assert told[2022] == other[2022] and told[2024] == other[2024]


def test_an_id_once_given_stays_when_the_code_comes_later(home: Warehouse, tmp_path: Path) -> None:
    load(home, tmp_path, 2022, EARLY)
    early = ids(home, 2022)
    load(home, tmp_path, 2024, LATE)
    late = ids(home, 2024)
    assert late["太仓示例新名有限公司"] == early["太仓示例旧名有限公司"]
    assert late["昆山示例甲有限公司"] == early["昆山示例甲有限公司"]
    assert ids(home, 2022) == early and ids(home, 2024) == late


def test_a_number_beside_two_codes_ties_nothing(home: Warehouse, tmp_path: Path) -> None:
    load(home, tmp_path, 2022, EARLY)
    load(home, tmp_path, 2024, [f"{B},{REG},,甲,2614,320585,", f"{C},{REG},,乙,2614,320585,"])
    early, late = ids(home, 2022), ids(home, 2024)
    assert early["太仓示例旧名有限公司"] not in late.values() and len(set(late.values())) == 2


def test_what_happened_is_told_with_its_evidence(home: Warehouse, tmp_path: Path) -> None:
    load(home, tmp_path, 2022, EARLY)
    load(home, tmp_path, 2024, LATE)
    relations = f"统一社会信用代码,企业名称,关联企业统一社会信用代码,关联企业名称,关系,起始日期,终止日期\n{A},甲,{C},丙,吸收合并,2024-03-01,\n"
    one(home, put(tmp_path, "关系2024.csv", relations), "relations")
    merge(home, 2022)
    merged = home.merged / merge(home, 2024).merge_id
    events = pl.read_parquet(merged / "identity_events.parquet")
    told = {(e["kind"], e["before"], e["after"]) for e in events.iter_rows(named=True)}
    assert told == {
        ("rename", "太仓示例旧名有限公司", "太仓示例新名有限公司"),
        ("move", "玉山镇1号", "浏河镇9号"),
        ("new_code", None, A),
        ("new_code", None, B),
        ("merge", None, None),
    }
    assert events["row"].null_count() == 0 and events["load_id"].null_count() == 0 and set(events["year"]) == {2024}
    merger = events.filter(pl.col("kind") == "merge").row(0, named=True)
    assert str(merger["on"]) == "2024-03-01" and merger["other_enterprise_id"] is not None


def test_ids_of_the_demo_stay_through_its_years(demo_folder: Path, tmp_path: Path) -> None:
    from data.demo.check import check

    with Warehouse(demo_folder / "warehouse").read() as db:
        rows = db.execute("SELECT year, merge_id FROM merges ORDER BY created_at").fetchall()
    merged = {row["year"]: demo_folder / "warehouse" / "merged" / row["merge_id"] for row in rows}
    links = check(merged, {}, demo_folder / "truth")["links"]
    assert links["identities"]["in_several_years"] > 300 and links["identities"]["changed_id"] == 0
    # and again from scratch, the later year first
    shutil.copytree(demo_folder / "warehouse", tmp_path / "w")
    home = Warehouse(tmp_path / "w")
    with home.connect() as db:
        db.execute("DELETE FROM identities")
    for year in sorted(merged, reverse=True):
        again = pl.read_parquet(home.merged / merge(home, year).merge_id / "enterprises.parquet")
        before = pl.read_parquet(merged[year] / "enterprises.parquet")
        assert again["enterprise_id"].sort().equals(before["enterprise_id"].sort())
