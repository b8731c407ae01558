"""findings.parquet: what merged tables show of land, power and output, each row with its note; none invented."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastexcel
import polars as pl
import pytest
import shapely

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest import findings, findings_book, review
from ingest.land import FOUND
from ingest.load import ingest
from ingest.match.decide import Decision, decide, find_item
from ingest.merge import merge

YEAR: Any = SimpleNamespace(
    year=2023,
    origins=lambda f: f.with_columns(load_id=pl.lit("L"), sheet=pl.lit(""), row=pl.col("origin").cast(pl.Int32)).drop(
        "origin"
    ),
)
PARCELS = {"parcel_code": pl.String, "area_dm2": pl.Int64, "drawn_dm2": pl.Int64}
DISPUTED = PARCELS | {"polygons": pl.Int32}
FACTS = {"enterprise_id": pl.String, "land_dm2_days": pl.Int64, "power_wh": pl.Int64, "invoiced_sales_fen": pl.Int64}


def found(
    folder: Path, uses: list[tuple[str, str, int]], facts: list[tuple[Any, ...]], **status: str
) -> list[tuple[Any, ...]]:
    """kind, parcel, enterprise, value of a small year: parcels P, Q, R of 1000 dm²."""
    parcels = pl.DataFrame([(c, 1000, None) for c in "PQR"], schema=PARCELS, orient="row")
    parcels.write_parquet(folder / "parcels.parquet")
    pl.DataFrame(schema=DISPUTED).write_parquet(folder / "area_disputes.parquet")
    named = pl.DataFrame(
        uses, schema={"parcel_code": pl.String, "enterprise_id": pl.String, "dm2_days": pl.Int64}, orient="row"
    )
    named.with_columns(days=pl.lit(1)).write_parquet(folder / "land_use.parquet")
    wide = pl.DataFrame(facts, schema=FACTS, orient="row")
    wide.write_parquet(folder / "facts_wide.parquet")
    firms = [(e, "320507001", status.get(e, "存续")) for e in wide["enterprise_id"]]
    register = {"enterprise_id": pl.String, "region_code": pl.String, "status": pl.String}
    pl.DataFrame(firms, schema=register, orient="row").write_parquet(folder / "enterprises.parquet")
    places = pl.DataFrame({"parcel_code": list("PQR"), "origin": [1, 2, 3]})
    counts = findings.write(YEAR, folder, [pl.DataFrame(schema=FOUND)], places)
    table = pl.read_parquet(folder / "findings.parquet")
    assert sum(counts.values()) == table.height and table.schema == pl.Schema(findings.SCHEMA)
    at_parcels = table.filter(pl.col("parcel_code").is_not_null())
    assert at_parcels.filter(pl.col("row") != pl.col("parcel_code").replace_strict({"P": 1, "Q": 2, "R": 3})).is_empty()
    return table.select("kind", "parcel_code", "enterprise_id", "value").rows()


def test_parcels_without_enterprise_and_idle_ones(tmp_path: Path) -> None:
    """P: one of two users has power. Q: nobody. R: no record of power."""
    uses = [("P", "A", 365), ("P", "B", 730), ("R", "B", 365_000)]
    facts = [("A", 365, 5, 7), ("B", 1, None, 7)]
    assert found(tmp_path, uses, facts) == [
        ("idle_candidate", "R", "B", 1000), ("output_without_power", None, "B", 7), ("parcel_without_enterprise", "Q", None, 1000),
    ]  # fmt: skip


def test_a_parcel_let_to_strangers_or_of_no_area_has_its_enterprise(tmp_path: Path) -> None:
    """Q: its holder let all of it to somebody unknown. R: its holder is known, its area is not. Neither is idle by that."""
    uses = [("P", "A", 365), ("Q", "B", 365), ("Q", "B", -365), ("R", "B", 0)]
    assert found(tmp_path, uses, [("A", 365, 5, 7), ("B", 1, 5, 7)]) == []


def test_power_and_output_without_each_other(tmp_path: Path) -> None:
    facts = [("A", 1, 0, 9), ("B", 1, 8000, None), ("C", 1, 8000, -5), ("D", 1, None, None), ("E", 1, 5, 5)]
    shown = [f for f in found(tmp_path, [], facts) if "output" in f[0]]
    assert shown == [
        ("output_without_power", None, "A", 9), ("power_without_output", None, "B", 8000), ("power_without_output", None, "C", 8000),
    ]  # fmt: skip


def test_a_year_without_any_power_accuses_nobody(tmp_path: Path) -> None:
    kinds = {f[0] for f in found(tmp_path, [("P", "A", 365)], [("A", 365, None, 9)])}
    assert kinds == {"parcel_without_enterprise"}


def test_land_of_the_deregistered_and_the_landless(tmp_path: Path) -> None:
    facts = [("A", 365, 1, 1), ("B", None, 1, 1), ("C", 0, 1, 1), ("D", None, 1, 1)]
    shown = found(
        tmp_path, [("P", "A", 365 * 400), ("Q", "B", 365), ("R", "B", 365)], facts, A="注销", D="吊销，未注销"
    )
    assert shown == [
        ("land_of_deregistered", "P", "A", 400), ("landless", None, "B", None), ("landless", None, "C", None),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", list(findings.NOTES))
def test_each_kind_is_told_in_both_languages(kind: str) -> None:
    rows = pl.DataFrame({"kind": [kind, kind], "value": [200_000, None], "other": ["X", None]})
    told = findings.noted(rows)
    for note in (*told["note_zh"], *told["note_en"]):
        assert note and "{" not in note
    if "{mu}" in findings.NOTES[kind][1]:
        assert "3.0 亩" in told["note_zh"][0] and "3.0 mu" in told["note_en"][0]
    assert re.search(r"[一-鿿]", told["note_zh"][0]) and (told["unit"][0] in ("", "dm2", "wh", "fen"))


REGISTER = "统一社会信用代码,企业名称,行政区划代码,行业代码\n91320508000000107Q,甲公司,320508,2614\n913205080000002032,乙公司,320508,2614\n"
RIGHTS = """宗地代码,土地使用权人,统一社会信用代码,使用权面积(平方米),份额
320508001001GB00001,甲公司,91320508000000107Q,10500,70%
320508001001GB00001,乙公司,913205080000002032,10500,70%
"""
LEASES = """出租方,承租方,宗地代码,租赁面积(平方米)
甲公司,甲公司,320508001001GB00001,100
甲公司,乙公司,320508001001GB00001,200
乙公司,甲公司,320508001001GB00001,200
"""


def test_bad_records_from_file_to_finding(home: Warehouse, tmp_path: Path) -> None:
    """Shares of 140 %, a lease to oneself and a circle, an overlap and a parcel elsewhere: all listed with their rows."""
    import geopandas as gpd

    for name, text in (("commerce", REGISTER), ("land", RIGHTS), ("land", LEASES)):
        file = tmp_path / f"{name}{len(text)}.csv"
        file.write_text(text, "utf-8")
        ingest(home, [file], source=name, year=2024)
    drawn = [
        shapely.box(120.6, 31.3, 120.601, 31.301),
        shapely.box(120.6005, 31.3, 120.6015, 31.301),
        shapely.box(121.5, 31.3, 121.501, 31.301),
    ]
    codes = [f"320508001001GB{n:05d}" for n in (1, 2, 3)]
    layer = gpd.GeoDataFrame({"宗地代码": codes, "宗地面积": [10500.0] * 3}, geometry=drawn, crs="EPSG:4490")
    layer.to_file(tmp_path / "宗地.gpkg")
    county = {"区划代码": ["320508"], "区划名称": ["示例区"], "级别": ["县"]}
    gpd.GeoDataFrame(county, geometry=[shapely.box(120.5, 31.2, 120.7, 31.4)], crs="EPSG:4490").to_file(
        tmp_path / "区划.gpkg"
    )
    ingest(home, [tmp_path / "宗地.gpkg"], source="land", year=2024)
    ingest(home, [tmp_path / "区划.gpkg"], source="regions", year=2024)
    report = merge(home, 2024)
    table = pl.read_parquet(home.merged / report.merge_id / "findings.parquet")
    assert report.counts["findings_by_kind"] == {
        "lease_cycle": 2, "leased_to_itself": 1, "outside_region": 1, "parcel_overlap": 1, "parcel_shares_over_one": 2,
        "parcel_without_enterprise": 2,
    }  # fmt: skip
    placed = table.filter(pl.col("kind") != "parcel_without_enterprise")
    assert placed["row"].null_count() == 0 and placed["load_id"].str.starts_with("land-").all()
    (stray,) = table.filter(pl.col("kind") == "outside_region").rows(named=True)
    assert (stray["parcel_code"], stray["region_code"], stray["other"]) == (codes[2], "320508", None)
    (pair,) = table.filter(pl.col("kind") == "parcel_overlap").rows(named=True)
    assert (pair["parcel_code"], pair["other"]) == (codes[0], codes[1]) and "重叠" in pair["note_zh"]
    uses = pl.read_parquet(home.merged / report.merge_id / "land_use.parquet")
    by_kind = dict(uses.group_by("kind").agg(pl.col("dm2_days").sum()).iter_rows())
    assert by_kind == {"own": 1_050_000 * 366, "rented_in": 40_000 * 366, "rented_out": -40_000 * 366}
    assert pl.read_parquet(home.merged / report.merge_id / "regions.parquet").height == 1
    waiting = [i for i in review.items(home, 2024) if i["kind"] == "land"]
    assert sorted(i["reason"] for i in waiting) == sorted(placed["kind"])
    assert {i["file"] for i in waiting} == {Path(p).name for p in tmp_path.glob("land*.csv")} | {"宗地.gpkg"}
    told = next(i for i in waiting if i["reason"] == "parcel_overlap")
    decide(home, [Decision(find_item(home, told["id"]), "none", None, "surveyed: a bridge over the other parcel")])
    merge(home, 2024)
    still = [i["id"] for i in review.items(home, 2024) if i["kind"] == "land"]
    assert sorted(still) == sorted(i["id"] for i in waiting if i is not told)
    assert review.items(home, 2024, "power") == []


def test_the_workbook_holds_every_finding(demo_home: Warehouse, tmp_path: Path) -> None:
    merge_id, rows = findings_book.read(demo_home, 2024)
    told = findings_book.write(demo_home, 2024, tmp_path / "核查.xlsx")
    assert (
        told["rows"] == rows.height > 0 and sum(told["kinds"].values()) == rows.height and told["merge_id"] == merge_id
    )
    book = fastexcel.read_excel(tmp_path / "核查.xlsx")
    assert len(book.sheet_names) == 1 + len(told["kinds"])
    for name in book.sheet_names[1:]:
        sheet = book.load_sheet(name, dtypes="string").to_polars()
        of_kind = rows.filter(pl.col("kind").str.slice(0, 28) == name)
        assert sheet["宗地代码 parcel"].to_list() == of_kind["parcel_code"].to_list()
        assert sheet["说明"].to_list() == of_kind["note_zh"].to_list()
    idle = findings_book.read(demo_home, 2024, "idle_candidate")[1]
    assert set(idle["kind"]) == {"idle_candidate"} and idle["file"].null_count() == 0


def test_findings_that_are_not_there(demo_home: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError, match="permu merge --year 2031"):
        findings_book.read(demo_home, 2031)
    with pytest.raises(PermuError, match="idle_candidate"):
        findings_book.read(demo_home, 2024, "nothing")
    with pytest.raises(PermuError) as error:
        findings_book.write(demo_home, 2024, tmp_path / "no" / "folder.xlsx")
    assert error.value.code == "cannot_write"
