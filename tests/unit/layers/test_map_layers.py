"""Layers of the demo's release: who is in them by plain counting, every file format read back, and releases without."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from engine.layers import LAYERS, geojson, table
from engine.layers.files import FORMATS, export
from engine.layers.shapefile import shortened
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse


@pytest.fixture(scope="module", params=["sunan-2017", "huaian-2024"])
def release(demo_home: Warehouse, request: pytest.FixtureRequest) -> Release:
    return find(demo_home, year=2024, policy=request.param)


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


GDAL_READS = ("geojson", "gpkg", "fgb", "geoparquet", "shp")


@pytest.mark.parametrize("form", GDAL_READS)
@pytest.mark.parametrize("layer", list(LAYERS))
def test_every_layer_in_every_format(sunan: Release, tmp_path: Path, layer: str, form: str) -> None:
    place = tmp_path / f"{layer}.{form}"
    rows = table(sunan, layer)
    assert export(sunan, layer, form, place)["features"] == rows.height
    read = gpd.read_parquet(place) if form == "geoparquet" else gpd.read_file(place)
    assert len(read) == rows.height and read.crs == ("EPSG:4326" if form == "geojson" else "EPSG:4490")
    identity = LAYERS[layer].identity
    named = shortened([identity])[identity] if form == "shp" else identity
    assert sorted(read[named].astype(str)) == sorted(rows[identity])
    assert read.geometry.notna().sum() == rows["geometry"].count()
    assert not list(tmp_path.glob(".part*"))


@pytest.mark.parametrize("form", ["gpkg", "fgb", "geoparquet"])
def test_figures_and_shapes_are_the_tables(sunan: Release, tmp_path: Path, form: str) -> None:
    """Unrounded, with the types kept, missing as missing, the shape to the last bit."""
    place = tmp_path / f"p.{form}"
    export(sunan, "parcels", form, place)
    rows = table(sunan, "parcels")
    read = gpd.read_parquet(place) if form == "geoparquet" else gpd.read_file(place)
    read = read.sort_values("parcel_code")
    for name in ("area_mu", "output_per_mu", "benefit_per_mu", "rank"):
        expected = rows[name].cast(pl.Float64).to_numpy()
        assert np.array_equal(read[name].to_numpy(dtype=float, na_value=np.nan), expected, equal_nan=True), name
    assert [None if pd.isna(n) else n for n in read["name"]] == rows["name"].to_list()
    stored = gpd.GeoSeries.from_wkb(rows["geometry"].to_list())
    assert all(a.equals(b) for a, b in zip(read.geometry, stored, strict=True))


def test_geoparquet_has_the_covering_of_version_1_1(sunan: Release, tmp_path: Path) -> None:
    export(sunan, "parcels", "geoparquet", tmp_path / "p.parquet")
    schema = pq.read_schema(tmp_path / "p.parquet")
    geo = json.loads(schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0" and column["encoding"] == "WKB" and column["crs"]["id"]["code"] == 4490
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"] and "bbox" in schema.names


@pytest.mark.parametrize("crs", ["EPSG:4549", "EPSG:4528", "EPSG:3857"])
def test_a_plane_crs_has_east_before_north(sunan: Release, tmp_path: Path, crs: str) -> None:
    """As files of GIS have it, whatever the order in which the register of the system names its axes."""
    export(sunan, "parcels", "gpkg", tmp_path / "p.gpkg", crs=crs)
    read = gpd.read_file(tmp_path / "p.gpkg")
    again = read.to_crs("EPSG:4490").geometry.iloc[0].centroid
    east, north = read.geometry.iloc[0].centroid.coords[0]
    assert read.crs == crs and 115 < again.x < 123 and 30 < again.y < 36
    if crs != "EPSG:3857":  # northing is about 111 km a degree of latitude, whatever the zone's false easting
        assert abs(north / again.y - 110_900) < 400 and (east > 40_000_000 if crs == "EPSG:4528" else east < 1_000_000)


@pytest.mark.parametrize(("form", "crs"), [("geojson", "EPSG:4549"), ("pmtiles", "EPSG:4549"), ("gpkg", "EPSG:0")])
def test_a_crs_that_cannot_be(sunan: Release, tmp_path: Path, form: str, crs: str) -> None:
    with pytest.raises(PermuError) as error:
        export(sunan, "parcels", form, tmp_path / "p", crs=crs)
    assert error.value.code == "bad_crs" and not list(tmp_path.iterdir())


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
        assert export(poor, "low_efficiency", form, tmp_path / f"none.{form}")["features"] == 0


def test_an_unknown_layer(sunan: Release) -> None:
    with pytest.raises(PermuError) as error:
        geojson(sunan, "roads")
    assert error.value.code == "unknown_layer"
