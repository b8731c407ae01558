"""A year merged from files as departments send them: register, links, claims down to the row, what is left over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.ranking.run import rank
from engine.releases import open_release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.merge import MergeReport, merge
from ingest.overview import sources, status

A, B, C = "91110108551385082Q", "91110000600037341L", "91310112087994932F"
COMMERCE = f"""统一社会信用代码,企业名称,行业代码,行政区划代码,成立日期
{A},甲机械有限公司,2614,320583001,2010-01-05
{B},乙化工有限公司,2614,320583002,2011-03-01
{C},丙实业有限公司,3011,320205001,2012-02-29
"""
OLD_TAX_ID = "320583" + A[8:17]  # six region digits and the organisation code
STATE_TAX = f"""纳税人识别号,纳税人名称,所属期,增值税（元）,应税销售收入（万元）
{A},甲机械有限公司,202401,100.50,10
{OLD_TAX_ID},甲机械有限公司,202402,1,20
{B},乙化工有限公司,202401,-3,5
,谁也不是有限公司,202401,9,1
"""
POWER = "户号,户名,月份,用电量（千瓦时）\n1001,丙实业有限公司,2024-01,10\n1001,丙实业有限公司,2024-02,20\n1002,公用表,2024-01,10\n"
SHARES = f"户号,统一社会信用代码,企业名称,分摊比例\n1002,{A},甲,1/3\n1002,{B},乙,1/3\n1002,,不在册的,1/3\n"
STATISTICS = f"统一社会信用代码,企业名称,是否规上,年平均从业人数,主营业务收入（万元）\n{A},甲,是,120,900\n"
HR = f"统一社会信用代码,单位名称,月份,参保人数\n{A},甲,2024-01,99\n{A},甲,2024-02,100\n"


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


@pytest.fixture
def drops(tmp_path: Path) -> Path:
    """One file a department."""
    folder = tmp_path / "drops"
    put(folder, "commerce/名录2024.csv", COMMERCE)
    put(folder, "state_tax/国税2024.csv", STATE_TAX)
    put(folder, "power/用电2024.csv", POWER)
    put(folder, "power/分摊2024.csv", SHARES)
    put(folder, "statistics/统计2024.csv", STATISTICS)
    put(folder, "hr/社保2024.csv", HR)
    return folder


def merged(home: Warehouse, drops: Path, year: int = 2024) -> MergeReport:
    ingest(home, [drops], year=year)
    return merge(home, year)


def table(home: Warehouse, report: MergeReport, name: str) -> pl.DataFrame:
    return pl.read_parquet(home.merged / report.merge_id / f"{name}.parquet")


def ids(home: Warehouse, report: MergeReport) -> dict[str, str]:
    return dict(table(home, report, "enterprises").select("uscc", "enterprise_id").iter_rows())


def facts(home: Warehouse, report: MergeReport, uscc: str) -> dict[str, int]:
    own = table(home, report, "facts").filter(pl.col("enterprise_id") == ids(home, report)[uscc])
    return dict(own.select("field", "value").iter_rows())


def test_facts_are_whole_numbers_of_the_smallest_unit(home: Warehouse, drops: Path) -> None:
    report = merged(home, drops)
    assert facts(home, report, A) == {
        "vat_fen": 10_150, "invoiced_sales_fen": 30 * 10**6, "power_wh": 3334, "is_above_scale": 1,
        "employees": 120, "main_revenue_fen": 900 * 10**6, "insured_persons": 100,
    }  # fmt: skip
    assert facts(home, report, B) == {"vat_fen": -300, "invoiced_sales_fen": 5 * 10**6, "power_wh": 3333}
    assert facts(home, report, C) == {"power_wh": 30_000}


def test_a_taxpayer_id_of_fifteen_characters_is_linked_by_its_organisation_code(home: Warehouse, drops: Path) -> None:
    links = table(home, merged(home, drops), "links").filter(pl.col("source") == "state_tax")
    assert sorted(links.select("record_key", "method").iter_rows()) == sorted(
        [(f"org_code:{A[8:17]}", "organisation_code"), (f"uscc:{A}", "credit_code"), (f"uscc:{B}", "credit_code")]
    )


def test_what_is_not_linked_is_listed_with_its_row(home: Warehouse, drops: Path) -> None:
    report = merged(home, drops)
    left = table(home, report, "unlinked").sort("source")
    columns = ["source", "record_key", "reason", "rows", "row"]
    assert left.select(columns).rows() == [
        ("power", "name:不在册的", "no_enterprise_of_this_name", 1, 4),
        ("state_tax", "name:谁也不是有限公司", "no_enterprise_of_this_name", 1, 5),
    ]
    assert report.counts["unlinked_keys"] == 2 and report.needs_person


def test_claims_say_load_and_row(home: Warehouse, drops: Path) -> None:
    report = merged(home, drops)
    claims = table(home, report, "claims")
    own = claims.filter((pl.col("enterprise_id") == ids(home, report)[C]) & (pl.col("field") == "power_wh"))
    (one,) = own.to_dicts()
    assert (one["value"], one["rows"], one["row"], one["record_key"]) == (30_000, 2, 2, "account:1001")
    assert one["load_id"].startswith("power-2024-") and one["method"] == "exact_name"
    assert claims.height == report.counts["claims"]
    sums = claims.group_by("enterprise_id", "field").agg(pl.col("value").sum())
    both = table(home, report, "facts").join(sums, on=["enterprise_id", "field"], suffix="_of_claims")
    assert both.height == report.counts["facts"] and (both["value"] == both["value_of_claims"]).all()


def test_a_shared_meter_counts_by_its_shares_only(home: Warehouse, drops: Path) -> None:
    report = merged(home, drops)
    shares = table(home, report, "links").filter(pl.col("record_key") == "account:1002")
    assert shares["share_ppb"].to_list() == [333_333_333] * 2
    power = table(home, report, "claims").filter(pl.col("record_key") == "account:1002")
    assert sorted(power["value"]) == [3333, 3334]  # the third third is the stranger's


def test_every_column_of_the_register_is_there_once(home: Warehouse, drops: Path) -> None:
    enterprises = table(home, merged(home, drops), "enterprises")
    assert enterprises["enterprise_id"].n_unique() == enterprises.height == 3
    assert not [c for c in enterprises.columns if c.endswith("_right")]
    first = enterprises.filter(pl.col("uscc") == A).row(0, named=True)
    wanted = ("industry_section", "industry_2", "industry_4", "region_city", "region_county", "region_town", "row")
    assert tuple(first[w] for w in wanted) == ("C", "26", "2614", "3205", "320583", "320583001", 2)


def test_ids_are_permanent(home: Warehouse, drops: Path, tmp_path: Path) -> None:
    """The same enterprise has the same id in another warehouse, another year and another order of rows."""
    first = ids(home, merged(home, drops))
    other = Warehouse(tmp_path / "other").create()
    head, *rows = COMMERCE.strip().splitlines()
    put(tmp_path, "new/commerce/2023.csv", "\n".join([head, *reversed(rows[:2]), rows[2].replace("丙", "丁")]))
    assert ids(other, merged(other, tmp_path / "new", 2023)) == first
    assert all(len(i) == 16 and i.startswith("E") for i in first.values())


def test_an_enterprise_registered_twice_is_one_and_noted(home: Warehouse, drops: Path) -> None:
    # another file, since the same key with other values in one file is refused there
    put(
        drops,
        "commerce/又一份2024.csv",
        COMMERCE.splitlines()[0] + f"\n{A},甲机械有限责任公司,2614,320583001,2010-01-05\n",
    )
    report = merged(home, drops)
    assert report.counts["enterprises"] == 3
    twice = table(home, report, "unlinked").filter(pl.col("reason") == "registered_twice")
    superseded = list(home.canonical.glob("commerce/*/enterprise.superseded.parquet"))
    assert twice.height + len(superseded) == 1


def test_a_year_without_register_says_what_to_do(home: Warehouse, drops: Path) -> None:
    ingest(home, [drops / "power"], source="power", year=2024)
    with pytest.raises(PermuError, match="--source commerce --year 2024") as error:
        merge(home, 2024)
    assert error.value.code == "no_register" and not list(home.merged.iterdir()) and not list(home.tmp.iterdir())


def test_a_year_without_land_has_no_land_tables(home: Warehouse, drops: Path) -> None:
    report = merged(home, drops)
    folder = home.merged / report.merge_id
    assert not (folder / "land_use.parquet").exists() and report.counts["parcels"] == 0
    assert json.loads((folder / "merge.json").read_text())["counts"] == report.counts


def test_a_register_alone_is_a_year(home: Warehouse, drops: Path) -> None:
    ingest(home, [drops / "commerce"], source="commerce", year=2024)
    report = merge(home, 2024)
    assert (report.counts["enterprises"], report.counts["facts"], report.counts["claims"]) == (3, 0, 0)
    made = rank(home, 2024, "sunan-2017")
    rankings = open_release(home.releases / made.release_id).rankings
    assert (
        set(rankings["flags"]) == {"landless,no_output,no_tax,size_unknown"}
        and rankings["output_per_mu"].null_count() == 3
    )


def test_a_file_of_which_every_row_was_refused_stops_nothing(home: Warehouse, drops: Path) -> None:
    put(drops, "gas/燃气2024.csv", "户号,户名,月份,用气量（立方米）\n1,甲,2024-01,x\n")
    report = merged(home, drops)
    assert status(home)["refused"] and report.counts["enterprises"] == 3
    assert "gas_litre" not in set(table(home, report, "facts")["field"])


def test_merging_again_gives_the_same_tables(home: Warehouse, drops: Path) -> None:
    one = merged(home, drops)
    two = merge(home, 2024)
    assert one.merge_id != two.merge_id and one.counts == two.counts
    for name in ("enterprises", "facts", "claims", "links", "unlinked"):
        first, again = (table(home, made, name) for made in (one, two))
        assert_frame_equal(first, again, check_row_order=name != "enterprises", check_exact=True)


def test_status_counts_what_the_ledger_holds(home: Warehouse, drops: Path) -> None:
    put(drops, "gas/燃气2024.csv", "户号,户名,月份,用气量（立方米）\n1,甲,2024-01,5\n1,甲,2024-03,x\n")
    merged(home, drops)
    state = status(home)
    assert state.keys() >= {"coverage", "refused", "review", "disputes"}
    lines: dict[str, dict[str, Any]] = {line["source"]: line for line in state["coverage"]}
    assert (
        lines["power"].items()
        >= {
            "source": "power",
            "year": 2024,
            "loads": 2,
            "rows_in": 8,
            "kept": 6,
            "refused": 0,
            "months": 2,
        }.items()
    )
    assert (lines["gas"]["kept"], lines["gas"]["refused"], lines["gas"]["months"]) == (1, 1, 1)
    assert sum(state["refused"].values()) == 1 and sum(state["review"].values()) == 3
    empty = status(home, 2023)
    assert not any(empty[part] for part in ("coverage", "refused", "review", "disputes"))


def test_sources_tell_fields_and_headers() -> None:
    (land,) = sources("land")
    assert {t["table"] for t in land["tables"]} == {"parcel", "parcel_shape", "occupancy"}
    assert all(t["fields"] == list(t["headers"]) for t in land["tables"])
    with pytest.raises(PermuError) as error:
        sources("lands")
    assert error.value.code == "unknown_source"


def test_a_row_of_the_whole_year_is_not_added_to_its_months(home: Warehouse, drops: Path) -> None:
    head = "纳税人识别号,所属期,增值税（元）\n"
    months = "".join(f"{A},2024{m:02d},100\n" for m in range(1, 13))
    put(drops, "state_tax/国税2024.csv", f"{head}{months}{A},2024,1200\n{B},2024,700\n")
    report = merged(home, drops)
    facts = table(home, report, "facts").filter(pl.col("field") == "vat_fen")
    by_id = {v: k for k, v in ids(home, report).items()}
    assert {by_id[e]: n for e, n in facts.select("enterprise_id", "value").iter_rows()} == {A: 120_000, B: 70_000}
    left = table(home, report, "unlinked").filter(pl.col("reason") == "year_row_beside_months")
    assert left["record_key"].to_list() == [f"uscc:{A}"] and left["row"].to_list() == [14]


def test_the_list_of_exemptions_counts_in_the_years_it_covers(home: Warehouse, drops: Path) -> None:
    text = f"统一社会信用代码,企业名称,免评原因,起始日期,截止日期\n{A},甲,政策性搬迁,2024-03-01,2024-12-31\n"
    put(drops, "exemptions/免评2024.csv", text + f"{B},乙,搬迁,2020-01-01,2023-12-31\n")
    report = merged(home, drops)
    facts = table(home, report, "facts").filter(pl.col("field") == "is_exempt")
    assert facts["enterprise_id"].to_list() == [ids(home, report)[A]] and facts["value"].to_list() == [1]
    (claim,) = table(home, report, "claims").filter(pl.col("field") == "is_exempt").to_dicts()
    assert (claim["source"], claim["row"]) == ("exemptions", 2)
