"""What each role finds in layers and tiles: every file format and every tile is opened and looked through."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import polars as pl
import pytest

from engine.layers import LAYERS
from engine.layers.archive import Archive
from engine.schema.columns import column
from tests.unit.rights.conftest import World

POLICY = {"policy": "huaian-2024"}
MAY = {
    "land_bureau": set(LAYERS), "regulator": set(LAYERS), "gis": set(LAYERS),
    "enterprise": {"parcels", "enterprises", "regions"}, "public": {"enterprises", "regions"},
}  # fmt: skip
FILES = ("geojson", "fgb", "gpkg", "parquet")


def hidden(role: str, names: set[str]) -> set[str]:
    """Those of the names that the dictionary does not show to the role (a feature's own id and place are no figure)."""
    own = {"geometry", "bbox", "id", "fid", "parcel_code", "region"}
    return {n for n in names - own if role not in column(n).roles}


def archive_of(world: World, role: str, layer: str, place: Path) -> Archive:
    answer = world.get(role, f"/layers/{layer}.pmtiles", params=POLICY, headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    place.write_bytes(answer.content)
    return Archive(place)


@pytest.mark.parametrize("role", list(MAY))
def test_layers_by_role(world: World, role: str) -> None:
    for layer in LAYERS:
        answer = world.get(role, f"/layers/{layer}.geojson", params=POLICY)
        tile = world.get(role, f"/ogc/collections/{layer}/tiles/WebMercatorQuad/10/0/0")
        if layer in MAY[role]:
            assert answer.status_code == 200 and tile.status_code == 204, (role, layer)
        else:
            assert answer.status_code == tile.status_code == 403 and f"layer_{layer}" in answer.json()["detail"]


@pytest.mark.parametrize("role", list(MAY))
def test_no_file_holds_a_column_that_the_role_may_not_see(world: World, role: str, tmp_path: Path) -> None:
    for layer in sorted(MAY[role]):
        for ending in FILES:
            answer = world.get(role, f"/layers/{layer}.{ending}", params=POLICY)
            place = tmp_path / f"{layer}.{ending}"
            place.write_bytes(answer.content)
            read = gpd.read_parquet(io.BytesIO(answer.content)) if ending == "parquet" else gpd.read_file(place)
            assert not hidden(role, set(read.columns)), (role, layer, ending)


@pytest.mark.parametrize("role", ["gis", "public"])  # those from whom columns are kept
def test_no_tile_holds_one_either(world: World, role: str, tmp_path: Path) -> None:
    for layer in sorted(MAY[role]):
        archive = archive_of(world, role, layer, tmp_path / f"{layer}.pmtiles")
        names = {n for one in archive.metadata["vector_layers"] for n in one["fields"]}
        for _, tile in archive.tiles():
            for one in mapbox_vector_tile.decode(gzip.decompress(tile)).values():
                names |= {n for feature in one["features"] for n in feature["properties"]}
        assert names and not hidden(role, names), (role, layer)


def test_the_bureau_finds_only_its_region(world: World, tmp_path: Path) -> None:
    rankings = world.table("2024-huaian-2024")
    own = set(rankings.filter(pl.col("region_code").str.starts_with(world.city))["enterprise_id"])
    shown = world.get("land_bureau", "/layers/enterprises.geojson", params=POLICY).json()["features"]
    assert {f["id"] for f in shown} == own and len(own) < rankings.height
    found = set()
    for _, tile in archive_of(world, "land_bureau", "parcels", tmp_path / "p.pmtiles").tiles():
        for feature in mapbox_vector_tile.decode(gzip.decompress(tile)).get("parcels", {"features": []})["features"]:
            found.add(feature["properties"].get("enterprise_id"))
    assert len(found) > 5 and found <= own | {None}


def test_a_firm_finds_itself_alone(world: World) -> None:
    shown = world.get("enterprise", "/layers/enterprises.geojson", params=POLICY).json()["features"]
    assert [f["id"] for f in shown] == [world.firm]
    for feature in world.get("enterprise", "/layers/parcels.geojson", params=POLICY).json()["features"]:
        assert feature["properties"]["enterprise_ids"] == [world.firm]
    regions = world.get("enterprise", "/layers/regions.geojson", params=POLICY).json()["features"]
    assert regions and all(f["properties"]["enterprises"] is None for f in regions)


def test_one_roles_tag_is_no_other_roles(world: World) -> None:
    """What one role holds is never called fresh for another that sees something else."""
    tags = {
        role: world.get(
            role, "/layers/regions.geojson", params=POLICY, headers={"Accept-Encoding": "identity"}
        ).headers["etag"]
        for role in MAY
    }
    assert tags["gis"] != tags["regulator"] != tags["public"] and len(set(tags.values())) >= 4
    answer = world.get(
        "gis", "/layers/regions.geojson", params=POLICY,
        headers={"Accept-Encoding": "identity", "If-None-Match": tags["regulator"]},
    )  # fmt: skip
    assert answer.status_code == 200


def test_a_draft_is_not_there_for_the_public(world: World) -> None:
    draft = world.releases["2023-sunan-2017"]
    path = f"/ogc/releases/{draft}/collections/regions/tiles/WebMercatorQuad/10/0/0"
    assert world.get("gis", path).status_code == 204  # opened for one who may
    assert world.get("public", path).status_code == 404
    assert world.get("public", "/layers/regions.geojson", params={"release": draft}).status_code == 404
