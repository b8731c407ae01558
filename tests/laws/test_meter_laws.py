"""Not a kilowatt-hour is lost or made between the meters and the enterprises, in a year with every trap of the demo."""

from __future__ import annotations

import polars as pl
import pytest

from engine.releases import Release, find
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year


@pytest.fixture(scope="module")
def release(demo_home: Warehouse) -> Release:
    return find(demo_home, year=2024)


@pytest.mark.parametrize(("source", "field"), [("power", "power_wh"), ("gas", "gas_litre"), ("water", "water_litre")])
def test_the_parts_of_all_meters_are_the_meters(
    demo_home: Warehouse, release: Release, source: str, field: str
) -> None:
    """Σ of the rows = Σ of the claims + Σ of parts that belong to nobody + Σ of accounts that nobody was found for."""
    rows = Year(demo_home, 2024).scan(source, "usage")
    assert rows is not None
    meters = rows.group_by("record_key").agg(pl.col(field).sum()).collect()
    mine = pl.col("source") == source
    claims = release.table("claims").filter(mine, pl.col("field") == field).collect()
    has = release.has("shared_meters")
    shared = (
        release.table("shared_meters").filter(mine).collect() if has else claims.clear().with_columns(by=pl.lit(""))
    )
    nobodys = shared.filter(pl.col("enterprise_id").is_null())["value"].sum()
    taken = pl.concat([claims.select("record_key"), shared.filter(pl.col("by") != "flagged").select("record_key")])
    alone = meters.join(taken.unique(), on="record_key", how="anti")[field].sum()
    assert claims.height > 50 and meters[field].sum() == claims["value"].sum() + nobodys + alone


def test_every_shared_meter_sums_to_itself(release: Release) -> None:
    counted = (
        release.table("shared_meters").filter(pl.col("of_value").is_not_null(), pl.col("by") != "flagged").collect()
    )
    sums = counted.group_by("source", "record_key").agg(pl.col("value").sum(), pl.col("of_value").unique())
    assert sums.height > 0
    assert all([v] == of for v, of in sums.select("value", "of_value").iter_rows())


def test_the_flag_is_that_of_the_coverage_lines(release: Release) -> None:
    lines = release.table("coverage").collect()
    wide = release.table("facts_wide").collect()
    flagged = wide.filter(pl.col("months_missing").is_not_null())
    assert sorted(flagged["enterprise_id"]) == sorted(lines["enterprise_id"].unique())
    assert (lines["months_seen"] + lines["months_missing"] == lines["months_expected"]).all()
    assert lines["missing"].str.split(",").list.len().cast(pl.Int32).equals(lines["months_missing"])
