"""Which enterprise a record belongs to: one row of the table a rule, and the reasons of what is left over."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ingest.link import Linked, Register, link

A, B, C = "91110108551385082Q", "91110000600037341L", "91310112087994932F"
ENTERPRISES = [
    {"enterprise_id": "EA", "uscc": A, "name": "昆山甲机械有限公司", "region_code": "320583001"},
    {"enterprise_id": "EB", "uscc": B, "name": "同名实业有限公司", "region_code": "320583002"},
    {"enterprise_id": "EC", "uscc": C, "name": "同名实业有限公司", "region_code": "320205001"},
    {"enterprise_id": "ED", "org_code": "123456788", "name": "老厂", "region_code": "320205001"},
    {
        "enterprise_id": "EE",
        "reg_no": "440301108548379",
        "local_id": "L-7",
        "name": "村办一厂",
        "region_code": "320205",
    },
    {
        "enterprise_id": "EF",
        "uscc": "91320583MA1ABCDE0X",
        "local_id": "L-9",
        "name": "双胞胎甲",
        "region_code": "320583",
    },
    {
        "enterprise_id": "EG",
        "uscc": "91320583MA1ABCDE1X",
        "local_id": "L-9",
        "name": "双胞胎乙",
        "region_code": "320583",
    },
    {"enterprise_id": "EH", "name": None, "region_code": None},
]
COLUMNS = ("enterprise_id", "uscc", "org_code", "reg_no", "local_id", "name", "region_code")


def register(rows: list[dict[str, Any]]) -> Register:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))
    return Register(
        frame.lazy().with_row_index("enterprise_no").cast({"enterprise_no": pl.Int32}), frame["enterprise_id"]
    )


def named(found: Linked, rows: list[dict[str, Any]] = ENTERPRISES) -> list[tuple[str | None, str | None]]:
    ids = [row["enterprise_id"] for row in rows]
    return [(None if n is None else ids[n], m) for _, n, m in found.found.rows()]


def linked(key: str, rows: list[dict[str, Any]] = ENTERPRISES, **about: str | None) -> Linked:
    one = {"record_key": key, "rows": 3, "origin": 42, **about}
    schema = {"record_key": pl.String, "rows": pl.Int32, "origin": pl.Int64, **dict.fromkeys(about, pl.String)}
    return link(register(rows), "power", pl.DataFrame([one], schema=schema))


FOUND = [
    (f"uscc:{A}", {}, "EA", "credit_code"),
    (f"permit:{A}001P", {}, "EA", "permit"),
    (f"org_code:{A[8:17]}", {}, "EA", "organisation_code"),  # the code inside the credit code: older records
    ("org_code:123456788", {}, "ED", "organisation_code"),
    ("uscc:913205831234567880", {}, "ED", "organisation_code"),  # a new credit code around the old organisation code
    ("reg_no:440301108548379", {}, "EE", "registration_number"),
    ("local_id:L-7", {}, "EE", "local_id"),
    ("name:昆山甲机械有限公司", {}, "EA", "exact_name"),
    ("account:0001", {"name": "昆山甲机械有限责任公司 "}, "EA", "exact_name"),
    ("account:0001", {"name": "昆山甲机械（原昆山乙厂）有限公司"}, "EA", "exact_name"),
    ("account:0001", {"name": "别的名字", "uscc": A}, "EA", "credit_code"),
    ("account:0001", {"name": "别的名字", "local_id": "L-7"}, "EE", "local_id"),
    (
        "account:0001",
        {"name": "同名实业有限公司", "region_code": "320583009"},
        "EB",
        "exact_name",
    ),  # the county decides
    ("account:0001", {"name": "同名实业有限公司", "region_code": "320205"}, "EC", "exact_name"),
]
LEFT = [
    ("account:0001", {"name": "同名实业有限公司"}, "several_enterprises_of_this_name"),
    ("account:0001", {"name": "同名实业有限公司", "region_code": "320114"}, "several_enterprises_of_this_name"),
    ("name:同名实业有限公司", {}, "several_enterprises_of_this_name"),
    ("account:0001", {"name": "没有这家"}, "no_enterprise_of_this_name"),
    ("account:0001", {"name": None}, "no_name"),
    ("account:0001", {}, "no_name"),
    # a code that the register does not know is evidence against the name
    ("account:0001", {"name": "昆山甲机械有限公司", "uscc": "91320583MA1ZZZZZ9X"}, "code_not_in_register"),
    ("uscc:91320583MA1ZZZZZ9X", {"name": "昆山甲机械有限公司"}, "code_not_in_register"),
    ("local_id:L-8", {"name": "昆山甲机械有限公司"}, "code_not_in_register"),
    ("local_id:L-9", {}, "code_not_in_register"),  # two enterprises hold the number: it identifies neither
    ("reg_no:440301108548378", {}, "code_not_in_register"),
    ("permit:91320583MA1ZZZZZ9X001P", {}, "code_not_in_register"),
    ("name:昆山甲机械有限公司二厂", {}, "no_enterprise_of_this_name"),  # one character more is another firm
]


@pytest.mark.parametrize(("key", "about", "enterprise", "method"), FOUND)
def test_record_is_linked(key: str, about: dict[str, str], enterprise: str, method: str) -> None:
    found = linked(key, **about)
    assert found.unlinked.is_empty() and named(found) == [(enterprise, method)]


@pytest.mark.parametrize(("key", "about", "reason"), LEFT)
def test_record_is_left_with_its_reason(key: str, about: dict[str, str], reason: str) -> None:
    left = linked(key, **about)
    assert named(left) == [(None, None)]
    (row,) = left.unlinked.to_dicts()
    assert (row["source"], row["record_key"], row["reason"], row["rows"], row["origin"]) == (
        "power",
        key,
        reason,
        3,
        42,
    )


def test_credit_code_decides_over_a_name_of_another() -> None:
    assert named(linked(f"uscc:{B}", name="昆山甲机械有限公司")) == [("EB", "credit_code")]


def test_a_credit_code_held_twice_identifies_neither() -> None:
    twice = [{"enterprise_id": e, "uscc": A, "name": n} for e, n in (("E1", "一厂"), ("E2", "二厂"))]
    assert linked(f"uscc:{A}", twice).unlinked["reason"].to_list() == ["code_not_in_register"]


def test_twins_of_one_county_stay_apart() -> None:
    twins = [{"enterprise_id": e, "name": "双厂", "region_code": "320583001"} for e in ("E1", "E2")]
    left = linked("account:1", twins, name="双厂", region_code="320583").unlinked
    assert left["reason"].to_list() == ["several_enterprises_of_this_name"]


def test_every_key_is_linked_or_listed_once() -> None:
    keys = [key for key, *_ in (*FOUND, *LEFT)]
    names = [about.get("name") for _, about, *_ in (*FOUND, *LEFT)]
    totals = pl.DataFrame({"record_key": keys, "name": names, "rows": 1, "origin": range(len(keys))})
    found = link(register(ENTERPRISES), "gas", totals)
    linked_keys = totals["record_key"].filter(found.found["enterprise_no"].is_not_null())
    assert 0 < linked_keys.len() == len(keys) - found.unlinked.height
    assert sorted([*linked_keys, *found.unlinked["record_key"]]) == sorted(keys)


def test_no_records_at_all() -> None:
    schema = {"record_key": pl.String, "rows": pl.Int32, "origin": pl.Int64}
    found = link(register(ENTERPRISES), "gas", pl.DataFrame(schema=schema))
    assert found.found.height == found.unlinked.height == 0
