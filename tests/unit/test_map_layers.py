"""Layers of the demo's release: who is in them by plain counting, every file format read back, and releases without."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import geopandas as gpd
import polars as pl
import pytest

from engine.layer_files import FORMATS, export, shortened
from engine.layers import LAYERS, geojson, table
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse


@pytest.fixture(scope="module", params=["sunan-2017", "huaian-2024"])
def release(demo_home: Warehouse, request: pytest.FixtureRequest) -> Release:
    return find(demo_home, year=2024, policy=request.param)


@pytest.fixture(scope="module")
def sunan(demo_home: Warehouse) -> Release:
    return find(demo_home, year=2024)


def users_of(release: Release) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for code, who in release.table("land_use").select("parcel_code", "enterprise_id").collect().iter_rows():
        found.setdefault(code, set()).add(who)
    return found


def test_low_efficiency_is_where_every_user_ranks_low(release: Release) -> None:
    m, low = release.manifest, set()
    for row in release.rankings.iter_rows(named=True):
        rank, of = (row[f"{part}__{m['default_metric']}__all"] for part in ("rank", "of"))
        if (rank is not None and rank * 100 > of * (100 - m["bottom_percent"])) or row.get("grade") == "D":
            low.add(row["enterprise_id"])
    drawn = set(release.table("parcels").select("parcel_code").collect()["parcel_code"])
    expected = {code for code, who in users_of(release).items() if who <= low and code in drawn}
    assert expected
    assert set(table(release, "low_efficiency")["parcel_code"]) == expected


def test_idle_is_where_no_user_shows_power(sunan: Release) -> None:
    facts = sunan.table("facts_wide").select("enterprise_id", "power_wh").collect()
    powered = set(facts.filter(pl.col("power_wh") > 0)["enterprise_id"])
    using: dict[str, set[str]] = {}
    for code, who, days in (
        sunan.table("land_use").select("parcel_code", "enterprise_id", "dm2_days").collect().iter_rows()
    ):
        using.setdefault(code, set()).update({who} if days > 0 else ())
    sums = sunan.table("land_use").group_by("parcel_code", "enterprise_id").agg(pl.col("dm2_days").sum()).collect()
    still = {(c, e) for c, e, days in sums.iter_rows() if days > 0}
    expected = {c for c, who in using.items() if (w := {e for e in who if (c, e) in still}) and not (w & powered)}
    shown = table(sunan, "idle")
    assert expected and set(shown["parcel_code"]) == expected
    assert shown["note_zh"].str.contains("疑似闲置").all()


def test_enterprises_stand_on_a_parcel_that_they_use(sunan: Release) -> None:
    shown = table(sunan, "enterprises")
    assert shown["enterprise_id"].to_list() == sunan.rankings["enterprise_id"].sort().to_list()
    points = gpd.GeoSeries.from_wkb(shown["geometry"].to_list())
    stored = sunan.table("parcels").select("parcel_code", "geometry").collect()
    parcels = dict(zip(stored["parcel_code"], gpd.GeoSeries.from_wkb(stored["geometry"].to_list()), strict=True))
    placed = [(code, p) for code, p in zip(shown["parcel_code"], points, strict=True) if code is not None]
    assert len(placed) > 100 and all(parcels[code].covers(p) for code, p in placed)


def test_regions_count_who_is_ranked_in_them(sunan: Release) -> None:
    shown = table(sunan, "regions")
    ranked = sunan.rankings.filter(pl.col("rank__output_per_mu__all").is_not_null())
    cities = shown.filter(pl.col("region").str.len_chars() == 4)
    if cities.height:
        assert cities["ranked"].sum() == ranked.height
    counties = shown.filter((pl.col("region").str.len_chars() == 6) & pl.col("zone_code").is_null())
    assert (
        counties["ranked"].sum()
        == ranked.filter(pl.col("region_county").is_in(counties["region"].implode())).height
        > 0
    )


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("layer", list(LAYERS))
@pytest.mark.filterwarnings("ignore:.*truncated")
def test_every_layer_in_every_format(sunan: Release, tmp_path: Path, layer: str, form: str) -> None:
    place = tmp_path / f"{layer}.{form}"
    rows = table(sunan, layer)
    assert export(sunan, layer, form, place) == rows.height
    read = gpd.read_parquet(place) if form == "geoparquet" else gpd.read_file(place)
    assert len(read) == rows.height and read.crs == ("EPSG:4326" if form == "geojson" else "EPSG:4490")
    identity = LAYERS[layer].identity
    named = shortened([identity])[identity] if form == "shp" else identity
    assert sorted(read[named].astype(str)) == sorted(rows[identity])
    assert read.geometry.notna().sum() == rows["geometry"].count()
    assert not list(tmp_path.glob(".part*"))


def test_a_shapefile_keeps_every_column_and_chinese(sunan: Release, tmp_path: Path) -> None:
    export(sunan, "parcels", "shp", tmp_path / "宗地.shp", crs="EPSG:4549")
    read = gpd.read_file(tmp_path / "宗地.shp")
    rows = table(sunan, "parcels")
    assert read.crs == "EPSG:4549" and len(read.columns) == len(rows.columns)
    assert read["name"].dropna().tolist() == rows["name"].drop_nulls().to_list()
    with pytest.raises(PermuError, match=r"ends in \.shp"):
        export(sunan, "parcels", "shp", tmp_path / "parcels.zip")


def test_names_of_ten_characters_are_told_apart() -> None:
    short = shortened(["tax_per_kwh_of_2023", "tax_per_kwh_of_2024", "tax_per_kwh_of_2025", "name"])
    assert len(set(short.values())) == 4 and all(len(s) <= 10 for s in short.values()) and short["name"] == "name"


def test_geojson_says_which_release_it_is_of(sunan: Release) -> None:
    told = json.loads(geojson(sunan, "idle"))
    assert told["permu"]["release_id"] == sunan.id and told["features"][0]["id"]


@pytest.mark.parametrize(("layer", "gone", "words"), [
    ("regions", "regions", "regions with their polygons"), ("parcels", "parcels", "parcels"),
    ("idle", "findings", "parcels"), ("low_efficiency", "parcels", "parcels"),
])  # fmt: skip
def test_a_release_without_what_a_layer_needs(
    sunan: Release, tmp_path: Path, layer: str, gone: str, words: str
) -> None:
    shutil.copytree(sunan.folder, tmp_path / "r")
    (tmp_path / "r" / f"{gone}.parquet").unlink()
    poor = dataclasses.replace(sunan, folder=tmp_path / "r")
    with pytest.raises(PermuError, match=words) as error:
        table(poor, layer)
    assert error.value.code == "no_layer"


def test_a_release_without_land_has_its_enterprises_nowhere(sunan: Release, tmp_path: Path) -> None:
    shutil.copytree(sunan.folder, tmp_path / "r")
    (tmp_path / "r" / "land_use.parquet").unlink()
    poor = dataclasses.replace(sunan, folder=tmp_path / "r")
    assert table(poor, "enterprises")["geometry"].null_count() == sunan.rankings.height
    assert table(poor, "low_efficiency").is_empty()
    for form in FORMATS:
        assert export(poor, "low_efficiency", form, tmp_path / f"none.{form}") == 0


def test_an_unknown_layer(sunan: Release) -> None:
    with pytest.raises(PermuError) as error:
        geojson(sunan, "roads")
    assert error.value.code == "unknown_layer"
