"""The review queue: refused codes whose firm the name tells, and records without an enterprise."""

from __future__ import annotations

from pathlib import Path

from engine.schema.warehouse import Warehouse
from ingest.merge import merge
from ingest.overview import status
from ingest.review import items
from tests.unit.ingest.files import A, B, C, one, put

REGISTER = (
    f"统一社会信用代码,企业名称,行业代码,行政区划代码\n{A},昆山示例甲有限公司,2614,320583\n"
    f"{B},太仓示例乙有限公司,2614,320585\n{C},太仓示例乙有限责任公司,2614,320583\n"
)


def wrong(code: str) -> str:
    return code[:-1] + ("A" if code[-1] != "A" else "B")


def test_a_wrong_check_digit_is_proposed_where_one_name_fits(home: Warehouse, tmp_path: Path) -> None:
    rows = f"纳税人识别号,纳税人名称,所属期,增值税\n{wrong(A)},昆山示例甲有限责任公司,202401,1\n"
    rows += f"{wrong(B)},太仓示例乙有限公司,202401,1\n{wrong(C)},别家公司,202401,1\n{A},甲,202402,很多\n"
    report = one(home, put(tmp_path, "国税.csv", rows), "state_tax")
    assert report.reasons["bad_credit_code"] == 3
    assert items(home) == []  # no register yet
    one(home, put(tmp_path, "工商2024.csv", REGISTER), "commerce")
    (item,) = items(home)
    assert (item["kind"], item["source"], item["row"], item["value"]) == ("proposal", "state_tax", 2, wrong(A))
    assert [(c["uscc"], c["region_code"]) for c in item["candidates"]] == [(A, "320583")]
    assert items(home)[0]["id"] == item["id"]
    assert status(home)["review"] == {"bad_credit_code_proposed": 1}
    assert items(home, source="power") == [] and items(home, year=2023) == []


def test_unlinked_records_with_their_candidates(home: Warehouse, tmp_path: Path) -> None:
    one(home, put(tmp_path, "工商2024.csv", REGISTER), "commerce")
    rows = "户号,户名,月份,用电量\n1,太仓示例乙有限公司,202401,5\n1,太仓示例乙有限公司,202402,5\n2,无名,202401,5\n"
    one(home, put(tmp_path, "用电.csv", rows), "power")
    merged = merge(home, 2024).merge_id
    first, second = items(home)
    assert (first["reason"], first["rows"]) == ("several_enterprises_of_this_name", 2)
    assert {c["uscc"] for c in first["candidates"]} == {B, C}
    assert (second["reason"], second["candidates"]) == ("no_enterprise_of_this_name", [])
    assert (first["file"], first["kind"], first["state"]) == ("用电.csv", "unlinked", "open")
    import polars as pl

    known = set(pl.read_parquet(home.merged / merged / "enterprises.parquet")["enterprise_id"])
    assert {c["enterprise_id"] for c in first["candidates"]} <= known
