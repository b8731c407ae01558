"""Decisions in the review queue: applied at the next merge, kept through new loads and years, taken back, exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.match import book
from ingest.match.decide import Decision, decide, enterprise_of, find_item, take_again
from ingest.merge import merge
from ingest.review import items
from tests.unit.ingest.files import A, B, C, one, put

REGISTER = (
    f"统一社会信用代码,企业名称,行业代码,行政区划代码,住所\n{A},昆山示例田机械有限公司,2614,320583,昆山市玉山镇示例路1号\n"
    f"{B},太仓示例同名有限公司,2614,320585,太仓市沙溪镇示例路2号\n"
    f"{C},太仓示例同名有限责任公司,2614,320585,太仓市沙溪镇示例路3号\n"
)
POWER = "户号,户名,月份,用电量\n1,太仓示例同名有限公司,{0}01,5\n2,昆山示例由机械有限公司,{0}01,7\n3,昆山示例田机械有限公司,{0}01,9\n"


@pytest.fixture
def waiting(home: Warehouse, tmp_path: Path) -> Warehouse:
    """Two accounts wait: one with a name that two firms of a county bear, one that differs by one character."""
    one(home, put(tmp_path, "工商2024.csv", REGISTER), "commerce")
    one(home, put(tmp_path, "用电2024.csv", POWER.format(2024)), "power")
    merge(home, 2024)
    return home


def links(home: Warehouse, merged: str) -> dict[str, tuple[str, str, int]]:
    rows = pl.read_parquet(home.merged / merged / "links.parquet").filter(pl.col("source") == "power")
    people = pl.read_parquet(home.merged / merged / "enterprises.parquet").select("enterprise_id", "uscc")
    told = rows.join(people, on="enterprise_id").select("record_key", "uscc", "method", "sure_ppb")
    return {key: (uscc, method, sure) for key, uscc, method, sure in told.iter_rows()}


def waits(home: Warehouse) -> dict[str, dict[str, Any]]:
    return {i["record_key"]: i for i in items(home)}


def accepted(home: Warehouse, key: str, who: str | None) -> dict[str, int]:
    item = waits(home)[key]
    return decide(home, [Decision(item, "accept", enterprise_of(home, item, who), "by telephone")])


def test_namesakes_and_near_names_wait_with_their_candidates(waiting: Warehouse) -> None:
    told = waits(waiting)
    assert told.keys() == {"account:1", "account:2"}
    assert {c["uscc"] for c in told["account:1"]["candidates"]} >= {B, C}
    assert told["account:2"]["reason"] == "needs_review" and told["account:2"]["candidates"][0]["uscc"] == A
    assert told["account:2"]["candidates"][0]["why"] == "name_differs"


def test_an_accepted_record_is_linked_at_the_next_merge_and_in_other_years(waiting: Warehouse, tmp_path: Path) -> None:
    assert accepted(waiting, "account:1", C) == {"decided": 1, "unchanged": 0, "corrected": 0}
    assert waits(waiting)["account:1"]["state"] == "accepted"
    assert accepted(waiting, "account:1", C) == {"decided": 0, "unchanged": 1, "corrected": 0}
    merged = merge(waiting, 2024)
    assert links(waiting, merged.merge_id)["account:1"] == (C, "review", 10**9)
    assert merged.counts["linked_by"]["review"] == 1 and "account:1" not in waits(waiting)
    one(waiting, put(tmp_path, "工商2023.csv", REGISTER), "commerce")
    one(waiting, put(tmp_path, "用电2023.csv", POWER.format(2023)), "power")
    assert links(waiting, merge(waiting, 2023).merge_id)["account:1"][:2] == (C, "review")


def test_what_belongs_to_none_leaves_the_queue_and_comes_back_when_reopened(waiting: Warehouse) -> None:
    item = waits(waiting)["account:2"]
    decide(waiting, [Decision(item, "none", None)])
    assert "account:2" not in waits(waiting)
    left = pl.read_parquet(waiting.merged / merge(waiting, 2024).merge_id / "unlinked.parquet")
    assert dict(left.select("record_key", "reason").iter_rows())["account:2"] == "rejected_in_review"
    assert decide(waiting, [Decision(find_item(waiting, item["id"]), "open", None)])["decided"] == 1
    merge(waiting, 2024)
    assert waits(waiting)["account:2"]["reason"] == "needs_review"


def test_a_rejected_candidate_is_not_proposed_again(waiting: Warehouse) -> None:
    item = waits(waiting)["account:1"]
    decide(waiting, [Decision(item, "reject", enterprise_of(waiting, item, B))])
    merge(waiting, 2024)
    assert {c["uscc"] for c in waits(waiting)["account:1"]["candidates"]} & {B, C} == {C}


def test_a_wrong_check_digit_is_corrected_when_its_proposal_is_accepted(waiting: Warehouse, tmp_path: Path) -> None:
    wrong = A[:-1] + ("A" if A[-1] != "A" else "B")
    rows = f"纳税人识别号,纳税人名称,所属期,增值税\n{wrong},昆山示例田机械有限公司,202401,1\n"
    assert one(waiting, put(tmp_path, "国税2024.csv", rows), "state_tax").refused == 1
    (proposal,) = [i for i in items(waiting) if i["kind"] == "proposal"]
    told = decide(waiting, [Decision(proposal, "accept", enterprise_of(waiting, proposal, None))])
    assert told == {"decided": 1, "unchanged": 0, "corrected": 1}
    assert not [i for i in items(waiting) if i["kind"] == "proposal"]
    settled = find_item(waiting, proposal["id"])
    again = decide(waiting, [Decision(settled, "accept", enterprise_of(waiting, settled, "1"))])
    assert again == {"decided": 0, "unchanged": 1, "corrected": 0}
    merged = merge(waiting, 2024).merge_id
    rows_ = pl.read_parquet(waiting.merged / merged / "links.parquet").filter(pl.col("source") == "state_tax")
    assert rows_["method"].to_list() == ["credit_code"]


def test_a_wrong_code_is_asked_again_where_the_name_is_another_firms(waiting: Warehouse, tmp_path: Path) -> None:
    wrong = A[:-1] + ("A" if A[-1] != "A" else "B")
    rows = f"纳税人识别号,纳税人名称,所属期,增值税\n{wrong},昆山示例田机械有限公司,{{0}}01,1\n"
    one(waiting, put(tmp_path, "国税2024.csv", rows.format(2024)), "state_tax")
    (proposal,) = [i for i in items(waiting) if i["kind"] == "proposal"]
    decide(waiting, [Decision(proposal, "accept", enterprise_of(waiting, proposal, None))])
    register = "".join(REGISTER.splitlines(keepends=True)[:2]).replace(A, C)
    one(waiting, put(tmp_path, "工商2023.csv", register), "commerce")
    assert take_again(waiting) == []
    one(waiting, put(tmp_path, "国税2023.csv", rows.format(2023)), "state_tax")
    (other,) = [i for i in items(waiting, 2023) if i["kind"] == "proposal"]
    assert (other["state"], other["decided"]) == ("open", None) and take_again(waiting) == []
    one(waiting, put(tmp_path, "国税2024补.csv", rows.format(2024).replace("01,1", "02,1")), "state_tax")
    (load,) = take_again(waiting)
    assert (load.year, load.kept, load.refused) == (2024, 1, 0) and take_again(waiting) == []


def test_the_workbook_goes_out_and_comes_back(waiting: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "review.xlsx"
    assert book.export(waiting, file)["items"] == 2
    sheet = openpyxl.load_workbook(file)
    page = sheet.active
    assert page is not None
    keys = [c.value for c in page[1]]
    rows = {page.cell(r, keys.index("record_key") + 1).value: r for r in range(3, page.max_row + 1)}
    page.cell(rows["account:1"], 1).value = C
    page.cell(rows["account:2"], 1).value = "无"
    sheet.save(file)
    assert book.take(waiting, file, dry_run=True)["would_decide"] == 2
    assert waits(waiting).keys() == {"account:1", "account:2"}
    assert book.take(waiting, file) == {"decided": 2, "unchanged": 0, "corrected": 0, "empty": 0, "dry_run": False}
    assert book.take(waiting, file)["decided"] == 0 if "account:2" in waits(waiting) else True
    assert links(waiting, merge(waiting, 2024).merge_id)["account:1"][:2] == (C, "review")


def test_a_decision_that_is_not_understood_takes_nothing(waiting: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "review.xlsx"
    book.export(waiting, file)
    sheet = openpyxl.load_workbook(file)
    page = sheet.active
    assert page is not None
    page.cell(3, 1).value, page.cell(4, 1).value = "1", "某公司"
    sheet.save(file)
    with pytest.raises(PermuError) as raised:
        book.take(waiting, file)
    assert raised.value.code == "bad_decisions" and "row 4" in raised.value.en
    assert {i["state"] for i in items(waiting)} == {"open"}


@pytest.mark.parametrize("told", ["7", "91110000600037341X", "E00", ""])
def test_an_enterprise_that_is_not_there(waiting: Warehouse, told: str) -> None:
    with pytest.raises(PermuError) as raised:
        enterprise_of(waiting, {"id": "U1", "kind": "unlinked", "year": 2024, "candidates": []}, told)
    assert raised.value.code == "unknown_enterprise"


def test_an_item_that_is_not_there(waiting: Warehouse) -> None:
    with pytest.raises(PermuError) as raised:
        find_item(waiting, "U000000000000")
    assert raised.value.code == "unknown_item"


def test_another_workbook_is_refused(waiting: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError) as raised:
        book.take(waiting, put(tmp_path, "别的.csv", "a,b\n1,2\n"))
    assert raised.value.code == "not_a_review"
