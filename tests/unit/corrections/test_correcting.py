"""Corrections in a warehouse: stored as versions, applied by the merge, guarded, ended, withdrawn; never a figure in place."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.ranking.merged import latest_merge
from engine.ranking.run import rank
from engine.releases import open_release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest import correcting
from ingest.corrected import listing, take, versions
from ingest.corrections import CorrectionFile
from ingest.load import ingest
from ingest.merge import MergeReport, merge
from tests.e2e.tour import state
from tests.unit.ingest.files import A, B, put

COMMERCE = f"""统一社会信用代码,企业名称,行业代码,行政区划代码,成立日期
{A},甲机械有限公司,2614,320583001,2010-01-05
{B},乙化工有限公司,2614,320583002,2011-03-01
"""
TAX = f"纳税人识别号,纳税人名称,所属期,增值税（元）,应税销售收入（万元）\n{A},甲,2024,12000,10\n{B},乙,2024,300,5\n"
POWER = f"户号,户名,统一社会信用代码,月份,用电量（千瓦时）\n1,甲机械有限公司,{A},2024,10\n"
STATISTICS = f"统一社会信用代码,企业名称,是否规上,年平均从业人数,主营业务收入（万元）\n{A},甲,是,120,900\n"
HR = f"统一社会信用代码,单位名称,月份,参保人数\n{A},甲,2024,99\n"


def entry(**other: Any) -> dict[str, Any]:
    told = {"enterprise": A, "field": "vat_fen", "year": 2024, "value": 120, "unit": "万元", "expect": {"lt": 2}}
    return told | {"reason": "单位误填", "evidence": "税函3号", "approver": "王", "until": "never"} | other


def file(*entries: dict[str, Any], withdraw: tuple[dict[str, Any], ...] = ()) -> CorrectionFile:
    return CorrectionFile.model_validate({"corrections": entries, "withdraw": withdraw})


def gone(**other: Any) -> dict[str, Any]:
    return {"enterprise": A, "field": "vat_fen", "year": 2024, "reason": "已更正", "approver": "王"} | other


@pytest.fixture
def drops(tmp_path: Path) -> Path:
    texts = {"commerce": COMMERCE, "state_tax": TAX, "power": POWER, "statistics": STATISTICS, "hr": HR}
    for source, text in texts.items():
        put(tmp_path, f"drops/{source}/{source}2024.csv", text)
    return tmp_path / "drops"


@pytest.fixture
def house(home: Warehouse, drops: Path) -> Warehouse:
    """A year that was merged once."""
    ingest(home, [drops], year=2024)
    merge(home, 2024)
    return home


def table(home: Warehouse, report: MergeReport, name: str) -> pl.DataFrame:
    return pl.read_parquet(home.merged / report.merge_id / f"{name}.parquet")


def vat(home: Warehouse, report: MergeReport, uscc: str = A) -> dict[str, Any]:
    """The fact, with the figure that policies read."""
    firms = table(home, report, "enterprises").filter(pl.col("uscc") == uscc)
    mine = pl.col("enterprise_id") == firms["enterprise_id"][0]
    (fact,) = table(home, report, "facts").filter(mine, pl.col("field") == "vat_fen").to_dicts()
    return fact | {"wide": table(home, report, "facts_wide").filter(mine)["vat_fen"][0]}


def test_a_correction_is_applied_after_the_merge_and_again(house: Warehouse) -> None:
    (line,) = take(house, file(entry()))
    assert (line["before"], line["after"], line["change"], line["version"]) == (1_200_000, 120_000_000, "new", 1)
    for _ in range(2):
        report = merge(house, 2024)
        fact = vat(house, report)
        assert (fact["value"], fact["wide"], fact["how"], fact["source"]) == (
            120_000_000, 120_000_000, "corrected", "correction",
        )  # fmt: skip
        assert vat(house, report, B)["how"] == "only_claim" and vat(house, report, B)["wide"] == 30_000
        claims = table(house, report, "claims").filter(pl.col("field") == "vat_fen")
        assert sorted(claims["value"]) == [30_000, 1_200_000]  # what the departments said stays as it was
        applied = report.counts["corrections"]
        assert applied["applied"] == 1 and applied["ended"] == [] and len(applied["sha256"]) == 64


def test_the_table_of_corrections(house: Warehouse) -> None:
    take(house, file(entry(until=2099)))
    done = table(house, merge(house, 2024), "corrections")
    assert dict(done.schema) == {
        "enterprise_id": pl.String, "field": pl.String, "year": pl.Int32, "before": pl.Int64, "value": pl.Int64,
        "expect": pl.String, "reason": pl.String, "evidence": pl.String, "approver": pl.String, "until": pl.Date,
        "correction_id": pl.String,
    }  # fmt: skip
    assert done.row(0)[3:10] == (1_200_000, 120_000_000, "lt 2 万元", "单位误填", "税函3号", "王", date(2099, 12, 31))


def test_every_other_fact_stays_to_the_byte(house: Warehouse) -> None:
    plain = merge(house, 2024)
    take(house, file(entry()))
    corrected = merge(house, 2024)
    for name in ("facts", "facts_wide"):
        frames = [table(house, r, name) for r in (plain, corrected)]
        assert frames[0].schema == frames[1].schema and frames[0].height == frames[1].height
    rest = [table(house, r, "facts").filter(pl.col("how") != "corrected") for r in (plain, corrected)]
    assert rest[0].filter((pl.col("field") != "vat_fen") | (pl.col("value") != 1_200_000)).equals(rest[1])


def test_a_figure_that_nobody_stated(house: Warehouse) -> None:
    take(house, file(entry(enterprise=B, field="employees", unit="", value=7, expect={"missing": True}),
                     entry(field="gas_litre", unit="立方米", value=2.5, expect={"missing": True})))  # fmt: skip
    report = merge(house, 2024)
    made = table(house, report, "facts").filter(pl.col("how") == "corrected").sort("field")
    assert made.select("field", "value", "unit", "claims", "spread", "year").rows() == [
        ("employees", 7, "", 0, 0, 2024), ("gas_litre", 2500, "litre", 0, 0, 2024),
    ]  # fmt: skip
    wide = table(house, report, "facts_wide")
    assert wide["employees"].sort().to_list() == [7, 120] and wide["gas_litre"].drop_nulls().to_list() == [2500]
    assert report.counts["facts"] == table(house, report, "facts").height


SURVEY = """source: survey
title: {zh: 调查, en: survey}
folders: [survey]
tables:
  answer:
    record_key: [uscc]
    unique: [record_key]
    require: [[uscc], [employees]]
    fields:
      uscc: {type: uscc, headers: [统一社会信用代码]}
      employees: {type: amount, unit: 人, headers: [年平均从业人数]}
"""


def test_a_corrected_fact_is_no_dispute(home: Warehouse, drops: Path) -> None:
    put(home.home, "sources/survey.yaml", SURVEY)
    put(drops, "survey/调查2024.csv", f"统一社会信用代码,年平均从业人数\n{A},80\n")
    ingest(home, [drops], year=2024)
    assert merge(home, 2024).counts["disputed"] == 1
    take(home, file(entry(field="employees", unit="人", value=100, expect={"between": [100, 130]})))
    assert merge(home, 2024).counts["disputed"] == 0


def test_a_guard_that_no_longer_holds_stops_the_merge_and_leaves_the_one_before(house: Warehouse, drops: Path) -> None:
    take(house, file(entry()))
    merge(house, 2024)
    put(drops, "state_tax/state_tax2024.csv", TAX.replace("12000", "1200000"))
    ingest(house, [drops / "state_tax"], source="state_tax", year=2024)
    before = state(house.home)
    with pytest.raises(PermuError) as caught:
        merge(house, 2024)
    error = caught.value
    assert error.code == "correction_guard" and len(error.en.splitlines()) == len(error.zh.splitlines()) == 1
    assert all(w in error.en for w in ("vat_fen", "2024", "lt 2 万元", "120 万元", "permu correct")), error.en
    assert state(house.home) == before and not list(house.tmp.iterdir())


def test_a_guard_is_tried_when_a_correction_is_taken(house: Warehouse) -> None:
    before = state(house.home)
    with pytest.raises(PermuError, match=r"1\.2 万元") as caught:
        take(house, file(entry(expect={"gt": 5})))
    assert caught.value.code == "correction_guard" and state(house.home) == before


def test_an_ended_correction_is_not_applied_and_says_so(house: Warehouse) -> None:
    (line,) = take(house, file(entry(until="2024-12-31")))
    report = merge(house, 2024)
    assert vat(house, report)["value"] == 1_200_000 and report.needs_person
    assert report.counts["corrections"] == {"applied": 0, "ended": [line["correction_id"]], "sha256": None}
    assert [x["state"] for x in listing(house)] == ["ended"]
    folder = house.merged / report.merge_id
    assert not (folder / "corrections.parquet").exists()
    counts = correcting.apply(house, folder, 2024, today=date(2024, 12, 31))  # its last day
    assert counts["corrections"]["applied"] == 1


def test_withdrawing_is_a_new_version(house: Warehouse) -> None:
    take(house, file(entry()))
    assert vat(house, merge(house, 2024))["value"] == 120_000_000
    (line,) = take(house, file(withdraw=(gone(),)))
    assert (line["change"], line["version"], line["after"]) == ("withdrawn", 2, 1_200_000)
    assert vat(house, merge(house, 2024))["how"] == "only_claim"
    assert [(v.version, v.state) for v in versions(house)] == [(1, "active"), (2, "withdrawn")]
    with pytest.raises(PermuError) as caught:
        take(house, file(withdraw=(gone(),)))
    assert caught.value.code == "no_correction"


def test_nothing_is_edited_in_place(house: Warehouse) -> None:
    take(house, file(entry()))
    merge(house, 2024)
    assert [x["change"] for x in take(house, file(entry()))] == ["unchanged"]
    (line,) = take(house, file(entry(value=121)))
    assert (line["change"], line["version"], line["before"]) == ("changed", 2, 1_200_000)  # before: of the departments
    (told,) = listing(house)
    assert [v["entry"]["value"] for v in told["versions"]] == [120, 121] and told["value"] == 121_000_000
    assert vat(house, merge(house, 2024))["value"] == 121_000_000


def test_id_and_credit_code_are_the_same_enterprise(house: Warehouse) -> None:
    (by_code,) = take(house, file(entry()))
    (by_id,) = take(house, file(entry(enterprise=by_code["enterprise_id"].lower())))
    assert by_id["change"] == "unchanged" and by_id["correction_id"] == by_code["correction_id"]
    with pytest.raises(PermuError, match="stands twice"):
        take(house, file(entry(), entry(enterprise=by_code["enterprise_id"])))


def test_a_dry_run_stores_nothing(house: Warehouse) -> None:
    before = state(house.home)
    (line,) = take(house, file(entry()), dry_run=True)
    assert line["shown"] == "1.2 万元 → 120 万元" and state(house.home) == before


@pytest.mark.parametrize(
    ("other", "code"), [({"enterprise": "91320583MA1M00006A"}, "unknown_enterprise"), ({"year": 2023}, "no_merge")]
)
def test_what_cannot_be_corrected(other: dict[str, Any], code: str, house: Warehouse) -> None:
    with pytest.raises(PermuError) as caught:
        take(house, file(entry(**other)))
    assert caught.value.code == code and not versions(house)


def test_one_bad_entry_stores_none(house: Warehouse) -> None:
    with pytest.raises(PermuError):
        take(house, file(entry(), entry(enterprise=B, expect={"gt": 9})))
    assert not versions(house)


def test_an_enterprise_that_left_the_register_stops_the_merge(house: Warehouse, drops: Path) -> None:
    take(house, file(entry(enterprise=B, expect={"lt": 1})))
    put(drops, "commerce/commerce2024.csv", "\n".join(COMMERCE.splitlines()[:2]) + "\n")
    ingest(house, [drops / "commerce"], source="commerce", year=2024, accept_shrink=True)
    with pytest.raises(PermuError) as caught:
        merge(house, 2024)
    assert caught.value.code == "correction_lost" and "withdraw" in caught.value.en


def test_a_correction_that_ended_since_makes_the_merge_stale(house: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    take(house, file(entry(until="2099-12-31")))
    merge(house, 2024)
    assert latest_merge(house, 2024).counts["corrections"]["applied"] == 1

    class Later(date):
        @classmethod
        def today(cls) -> date:
            return date(2100, 1, 1)

    monkeypatch.setattr("engine.ranking.merged.date", Later)
    with pytest.raises(PermuError, match=r"1 correction.* have ended; run `permu merge --year 2024`") as caught:
        latest_merge(house, 2024)
    assert caught.value.code == "stale_merge"
    monkeypatch.setattr("ingest.correcting.date", Later)
    assert vat(house, merge(house, 2024))["how"] == "only_claim"
    assert latest_merge(house, 2024).counts["corrections"]["applied"] == 0


def test_the_release_changes_and_names_its_corrections(house: Warehouse) -> None:
    merge(house, 2024)
    plain = rank(house, 2024, "sunan-2017")
    take(house, file(entry(field="power_wh", unit="千瓦时", value=11, expect={"equals": 10})))
    with pytest.raises(PermuError, match="permu merge --year 2024") as caught:
        rank(house, 2024, "sunan-2017")
    assert caught.value.code == "stale_merge"
    report = merge(house, 2024)
    corrected = rank(house, 2024, "sunan-2017")
    # power is no part of this policy: the ranking is the same, and yet another release
    assert corrected.rankings_sha256 == plain.rankings_sha256 and corrected.release_id != plain.release_id
    release = open_release(house.releases / corrected.release_id)
    assert release.manifest["counts"]["corrections"] == report.counts["corrections"]
    assert release.table("corrections").collect()["value"].to_list() == [11_000]
