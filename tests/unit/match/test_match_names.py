"""What is folded in names and addresses, and what keeps two firms apart: a row of the table a rule."""

from __future__ import annotations

import polars as pl
import pytest

from ingest.match.find import Found, Names, scored, settle
from ingest.match.names import address_parts, name_parts

REGISTER = [
    ("EA", "昆山华腾精密机械有限公司", "昆山市玉山镇示例一路12号", "320583"),
    ("EB", "昆山华腾精密机械有限公司第二分公司", "昆山市玉山镇示例一路12号", "320583"),
    ("EC", "昆山华腾精密机械集团有限公司", "昆山市玉山镇示例一路12号", "320583"),
    ("ED", "昆山宏达五金一厂", "昆山市花桥镇合成路7号", "320583"),
    ("EE", "昆山宏达五金二厂", "昆山市花桥镇合成路7号", "320583"),
    ("EF", "太仓创远化工有限公司", "太仓市沙溪镇合成路20号", "320585"),
    ("EG", "太仓同名纸业有限公司", "太仓市沙溪镇合成路1号", "320585"),
    ("EH", "太仓同名纸业有限公司", "太仓市浏河镇合成路2号", "320585"),
]
FORMER = {"EF": "太仓旧名化工厂、太仓更旧化工厂"}


def parts(name: str) -> dict[str, object]:
    return name_parts(pl.DataFrame({"name": [name]})).row(0, named=True)


def found(name: str, address: str | None = None, region: str | None = None, several: bool = False) -> Found:
    register = pl.DataFrame(
        [(i, n, FORMER.get(i), a, r) for i, n, a, r in REGISTER],
        schema=["enterprise_id", "name", "former_names", "address", "region_code"],
        orient="row",
    )
    schema = dict.fromkeys(("record_key", "name", "address", "region_code"), pl.String)
    names = Names(register)
    records = names.records(pl.DataFrame([("r", name, address, region)], schema=schema, orient="row"))
    pairs, _ = scored(names.pairs(records))
    return settle(pairs, pl.Series(["r"] if several else [], dtype=pl.String))


@pytest.mark.parametrize(
    ("name", "stem", "form", "unit", "marks"),
    [
        ("昆山 华腾(江苏)机械有限责任公司", "昆山华腾江苏机械", "有限公司", "", ""),
        ("昆山华腾机械有限公司第二分公司", "昆山华腾机械", "有限公司", "第二分公司", ""),
        ("昆山华腾机械股份有限公司工会委员会", "昆山华腾机械", "股份有限公司", "工会委员会", ""),
        ("昆山第二纺织厂", "昆山第二纺织", "厂", "", "二"),
        ("昆山宏达五金２厂", "昆山宏达五金2", "厂", "", "2"),
        ("昆山华腾集团有限公司", "昆山华腾", "有限公司", "", ""),
        ("昆山华腾（原昆山乙（江苏）厂）有限公司", "昆山华腾", "有限公司", "", ""),
        ("昆山某研究中心", "昆山某研究中心", "", "", ""),
        ("公司", "公司", "公司", "", ""),
    ],
)
def test_parts_of_names(name: str, stem: str, form: str, unit: str, marks: str) -> None:
    told = parts(name)
    assert (told["stem"], told["form"], told["unit"], told["marks"]) == (stem, form, unit, marks)


@pytest.mark.parametrize(
    ("address", "street", "number"),
    [
        ("昆山市玉山镇示例一路12号", "示例一路", "12"),
        ("江苏省苏州市昆山市玉山镇示例一路１２号3幢", "示例一路", "12"),
        ("玉山镇 示例一路12号", "示例一路", "12"),
        ("玉山镇示例地块", None, None),
        ("花桥镇312国道88号", "312国道", "88"),
        (None, None, None),
    ],
)
def test_parts_of_addresses(address: str | None, street: str | None, number: str | None) -> None:
    told = address_parts(pl.DataFrame({"address": [address]}, schema={"address": pl.String})).row(0, named=True)
    assert (told["street"], told["number"]) == (street, number)


@pytest.mark.parametrize(
    ("name", "address", "enterprise", "method"),
    [
        ("昆山华滕精密机械有限公司", "玉山镇示例一路12号", "EA", "fuzzy_name_address"),  # not its branch, not the group
        ("太仓创运化工有限公司", "沙溪镇合成路20号", "EF", "fuzzy_name_address"),
        ("太仓创远化工", "太仓市沙溪镇合成路20号", "EF", "fuzzy_name_address"),
        ("太仓创远化工", None, None, None),  # without an address not even the legal form may be missing
        ("太仓旧名化工厂", "太仓市沙溪镇合成路20号", "EF", "former_name"),
        ("太仓创工化工有限公司", "沙溪镇合成路20号", None, None),  # 工 is what names are made of: perhaps a sister
        ("昆山华腾精密机械", "玉山镇示例一路12号", None, None),  # cut short: the firm's, its branch's or its group's
        ("太仓创运化工有限公司", "太仓市双凤镇合成路99号", None, None),  # one character and another address
        ("太仓创运化工有限公司", None, None, None),
        ("昆山宏达五金三厂", "昆山市花桥镇合成路7号", None, None),
        ("太仓创远化工有限公司第一分公司", "沙溪镇合成路20号", None, None),
        ("太仓创远化工集团有限公司", "沙溪镇合成路20号", None, None),
    ],
)
def test_what_is_linked(name: str, address: str | None, enterprise: str | None, method: str | None) -> None:
    links = found(name, address).links.select("enterprise_id", "method").rows()
    assert links == ([(enterprise, method)] if enterprise else [])


def test_namesakes_of_one_county_go_to_a_person() -> None:
    told = found("太仓同名纸业有限公司", "太仓市沙溪镇合成路1号", several=True)
    assert told.links.is_empty()
    assert set(told.review["enterprise_id"]) >= {"EG", "EH"} and told.review["why"][0] == "same_name"
    assert told.review["enterprise_id"][0] == "EG"  # the address decides the order, not the link


def test_one_of_two_names_alone_is_not_enough() -> None:
    two = "太仓创远化工有限公司（太仓市示例催化实验中心）"
    told = found(two)  # a laboratory within the firm bears the firm's name, too
    assert told.links.is_empty() and (told.review["enterprise_id"][0], told.review["why"][0]) == ("EF", "name_part")
    assert found(two, "太仓市沙溪镇合成路20号").links["enterprise_id"].to_list() == ["EF"]


def test_a_record_of_another_county_is_found_by_its_rare_characters() -> None:
    told = found("太仓创远化工有限公司", "沙溪镇合成路20号", region="320205")
    assert told.links["enterprise_id"].to_list() == ["EF"] or "EF" in told.review["enterprise_id"].to_list()


def test_a_stranger_has_no_candidates() -> None:
    told = found("完全不同的企业名称", "别处大道1号")
    assert told.links.is_empty() and told.review.is_empty()


def test_odds_of_a_record_sum_to_less_than_one() -> None:
    review = found("太仓同名纸业有限公司", None, several=True).review
    assert 0 < review["sure_ppb"].sum() <= 10**9
