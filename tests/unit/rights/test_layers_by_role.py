"""What each role finds in layers and tiles: every file format and every tile is opened and looked through."""

from __future__ import annotations

import io
from pathlib import Path

import geopandas as gpd
import polars as pl
import pytest

from engine.layers import LAYERS
from engine.layers.archive import Archive
from engine.schema.columns import ROLES, column
from tests.unit.rights.conftest import REGIONAL, World, role_of
from tests.unit.rights.read import told

MVT = "application/vnd.mapbox-vector-tile"
POLICY = {"policy": "huaian-2024"}
MAY = {
    "land_bureau": set(LAYERS), "regulator": set(LAYERS), "gis": set(LAYERS),
    "enterprise": {"parcels", "enterprises", "regions"}, "public": {"enterprises", "regions"},
    **{who: set(LAYERS) for who in REGIONAL},
}  # fmt: skip
OUTLINE = ("region", "region_code", "zone_code", "name", "level")
FILES = ("geojson", "fgb", "gpkg", "parquet")


def hidden(role: str, names: set[str]) -> set[str]:
    """Those of the names that the dictionary does not show to the role (a feature's own id and place are no figure)."""
    own = {"geometry", "bbox", "id", "fid", "parcel_code", "region"}
    return {n for n in names - own if role_of(role) not in column(n).roles}


def archive_of(world: World, role: str, layer: str, place: Path) -> Archive:
    answer = world.get(role, f"/layers/{layer}.pmtiles", params=POLICY, headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    place.write_bytes(answer.content)
    return Archive(place)


@pytest.mark.parametrize("role", list(MAY))
def test_layers_by_role(world: World, role: str) -> None:
    root = f"/ogc/releases/{world.releases['2024-huaian-2024']}"
    for layer in LAYERS:
        answer = world.get(role, f"/layers/{layer}.geojson", params=POLICY)
        tile = world.get(role, f"{root}/collections/{layer}/tiles/WebMercatorQuad/10/0/0")
        if layer in MAY[role]:
            assert answer.status_code == 200 and tile.json()["code"] == "no_tile", (role, layer)
        else:
            assert answer.status_code == tile.status_code == 403 and f"layer_{layer}" in answer.json()["detail"]


@pytest.mark.parametrize("role", ROLES)
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
        names |= {n for _, tile in archive.tiles() for one in told(tile, MVT).features for n in one}
        assert names and not hidden(role, names), (role, layer)


@pytest.mark.parametrize("who", ["land_bureau", *REGIONAL])
def test_a_regions_user_finds_all_firms_of_its_region_and_of_other_regions_the_outline(world: World, who: str) -> None:
    """That no format of any layer names another firm is held in test_every_endpoint."""
    rankings = world.table("2024-huaian-2024")
    own = set(rankings.filter(pl.col("region_code").str.starts_with(world.city))["enterprise_id"])
    shown = world.get(who, "/layers/enterprises.geojson", params=POLICY).json()["features"]
    assert {f["id"] for f in shown} == own and len(own) < rankings.height
    for feature in world.get(who, "/layers/regions.geojson", params=POLICY).json()["features"]:
        known = feature["properties"]
        inside = str(known["region_code"] or "").startswith(world.city)
        assert inside or {known[c] for c in known if c not in OUTLINE} == {None}, known


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
    assert world.get("gis", path).json()["code"] == "no_tile"  # opened for one who may
    assert world.get("public", path).status_code == 404
    assert world.get("public", "/layers/regions.geojson", params={"release": draft}).status_code == 404
