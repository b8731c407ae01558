"""Archives against mapbox-vector-tile and the pmtiles library: who is in them, with which figures, what was left out."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import polars as pl
import pytest
import shapely
from pmtiles.reader import MmapSource, Reader

from engine.layers import LAYERS, table, tiles
from engine.layers.archive import Archive, feature_ids
from engine.layers.tiles import BUDGET, Tiled
from engine.releases import Release

Made = dict[str, tuple[Archive, Tiled]]


def decoded(archive: Archive, zoom: int, layer: str) -> dict[str, dict[str, Any]]:
    """Identity → properties of every feature of a zoom."""
    found: dict[str, dict[str, Any]] = {}
    name = "region" if layer == "regions" else LAYERS[layer].identity
    for (z, _, _), tile in archive.tiles():
        if z == zoom:
            features = mapbox_vector_tile.decode(gzip.decompress(tile)).get(layer, {"features": []})["features"]
            found |= {f["properties"][name]: f["properties"] for f in features}
    return found


@pytest.mark.parametrize("layer", list(LAYERS))
def test_the_highest_zoom_holds_every_drawn_feature_with_its_figures(tiled: Made, graded: Release, layer: str) -> None:
    archive, told = tiled[layer]
    rows = table(graded, layer)
    drawn = rows.filter(pl.col("geometry").is_not_null())
    found = decoded(archive, told.zooms[-1].zoom, layer)
    assert set(found) == set(drawn[LAYERS[layer].identity]) and told.zooms[-1].dropped == 0
    assert told.features == rows.height and told.not_drawn == rows.height - drawn.height
    for row in drawn.iter_rows(named=True):
        kept = found[row[LAYERS[layer].identity]]
        for name, value in row.items():
            if name != "geometry" and not isinstance(value, list):
                same = pytest.approx(value, abs=5.1e-5) if isinstance(value, float) else value
                assert kept.get(name) == same, name  # what is missing has no attribute


@pytest.mark.parametrize("layer", list(LAYERS))
def test_what_is_counted_is_what_is_there(tiled: Made, layer: str) -> None:
    archive, told = tiled[layer]
    for zoom in told.zooms:
        sizes = [len(tile) for (z, _, _), tile in archive.tiles() if z == zoom.zoom]
        assert zoom.features == len(decoded(archive, zoom.zoom, layer))
        assert (zoom.tiles, zoom.largest_bytes) == (len(sizes), max(sizes)) and max(sizes) <= BUDGET
        if layer != "regions":
            assert zoom.regions == len(decoded(archive, zoom.zoom, "regions")) and zoom.regions_dropped == 0


@pytest.mark.parametrize("layer", [name for name in LAYERS if name != "regions"])
def test_regions_stand_for_features_at_low_zooms(tiled: Made, graded: Release, layer: str) -> None:
    archive, told = tiled[layer]
    assert [zoom.zoom for zoom in told.zooms] == list(range(tiles.LOW, tiles.TO + 1))
    assert all(
        (zoom.regions > 0, zoom.features > 0) == (z < tiles.FROM, z >= tiles.FROM)
        for z, zoom in enumerate(told.zooms, 4)
    )
    drawn = table(graded, "regions").filter(pl.col("zone_code").is_null() & pl.col("geometry").is_not_null())
    for zoom, digits in ((4, 4), (6, 4), (7, 6), (8, 6), (9, 9)):
        level = drawn.filter(pl.col("region").str.len_chars() == digits)
        assert set(decoded(archive, zoom, "regions")) == set(level["region"]), zoom
        figures = dict(zip(level["region"], level["enterprises"], strict=True))
        shown = decoded(archive, zoom, "regions")
        assert {name: one.get("enterprises") for name, one in shown.items()} == figures
    assert not decoded(archive, 10, "regions") and not decoded(archive, 9, layer)


def test_a_tile_lies_where_its_features_lie(tiled: Made, graded: Release) -> None:
    """Web Mercator by its definition, to a unit of the tile's grid at the highest zoom."""
    archive, told = tiled["parcels"]
    shapes = dict(zip(*[table(graded, "parcels")[c].to_list() for c in ("parcel_code", "geometry")], strict=True))
    top, checked = told.zooms[-1].zoom, 0
    for (z, x, y), tile in archive.tiles():
        if z != top or checked > 40:
            continue
        for feature in mapbox_vector_tile.decode(gzip.decompress(tile))["parcels"]["features"]:
            ring = np.array(shapely.geometry.shape(feature["geometry"]).envelope.exterior.coords)
            if ring.min() <= 0 or ring.max() >= 4096:
                continue  # clipped
            west = (x + ring[:, 0].min() / 4096) / 2**z * 360 - 180
            down = (y + 1 - ring[:, 1].max() / 4096) / 2**z  # the decoder counts y upwards
            north = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * down))))
            box = shapely.from_wkb(shapes[feature["properties"]["parcel_code"]]).bounds
            unit = 360 / 2**z / 4096
            assert abs(west - box[0]) < 1.5 * unit and abs(north - box[3]) < 1.5 * unit
            checked += 1
    assert checked > 40


def test_the_same_rows_give_the_same_bytes(tiled: Made, graded: Release, tmp_path: Path) -> None:
    for layer in ("parcels", "enterprises"):
        tiles.write(graded, layer, tmp_path / f"{layer}.pmtiles")
        made = (tmp_path / f"{layer}.pmtiles").read_bytes()
        assert made == tiled[layer][0].place.read_bytes()
        assert list(tmp_path.iterdir()) == [tmp_path / f"{layer}.pmtiles"]
        (tmp_path / f"{layer}.pmtiles").unlink()


def test_beyond_the_budget_features_are_left_out_and_counted(
    graded: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "BUDGET", 1_500)
    told = tiles.write(graded, "parcels", tmp_path / "p.pmtiles")
    archive = Archive(tmp_path / "p.pmtiles")
    low = next(z for z in told.zooms if z.zoom == tiles.FROM)
    drawn = told.features - told.not_drawn
    assert 0 < low.dropped == drawn - len(decoded(archive, tiles.FROM, "parcels"))
    assert told.zooms[-1].dropped == 0 and all(z.largest_bytes <= 1_500 for z in told.zooms)
    regions = table(graded, "regions").filter(pl.col("zone_code").is_null() & pl.col("geometry").is_not_null())
    towns = regions.filter(pl.col("region").str.len_chars() == 9).height
    ninth = next(z for z in told.zooms if z.zoom == 9)
    assert 0 < ninth.regions_dropped == towns - len(decoded(archive, 9, "regions"))


def test_outlines_have_fewer_corners_the_lower_the_zoom(
    graded: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A circle of four kilometres whose edge waves by four metres: below a unit of the grid at the lowest zoom."""
    rows = table(graded, "parcels").filter(pl.col("geometry").is_not_null()).head(1)
    angle = np.linspace(0, 2 * np.pi, 4_000, endpoint=False)
    away = 0.02 * (1 + 0.002 * np.sin(200 * angle))
    middle = shapely.get_coordinates(shapely.centroid(shapely.from_wkb(rows["geometry"][0])))[0]
    outline = shapely.Polygon(middle + np.column_stack([away * np.cos(angle), away * np.sin(angle)]))
    wavy = rows.with_columns(geometry=pl.lit(shapely.to_wkb(outline)))
    monkeypatch.setattr(tiles, "table", lambda of, layer, *how: wavy if layer == "parcels" else table(of, layer, *how))
    told = tiles.write(graded, "parcels", tmp_path / "p.pmtiles")
    corners = dict.fromkeys(range(tiles.FROM, tiles.TO + 1), 0)
    for (z, _, _), tile in Archive(tmp_path / "p.pmtiles").tiles():
        for feature in mapbox_vector_tile.decode(gzip.decompress(tile)).get("parcels", {"features": []})["features"]:
            corners[z] += shapely.get_num_coordinates(shapely.geometry.shape(feature["geometry"]))
    assert list(corners.values()) == sorted(corners.values()) and 0 < 3 * corners[tiles.FROM] < corners[tiles.TO]
    assert all(zoom.dropped == 0 for zoom in told.zooms)


def test_a_layer_of_nothing_is_an_archive_of_nothing(
    graded: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "table", lambda of, layer, *how: table(of, layer, *how).clear())
    told = tiles.write(graded, "enterprises", tmp_path / "e.pmtiles")
    archive = Archive(tmp_path / "e.pmtiles")
    assert [(z.zoom, z.features, z.dropped) for z in told.zooms] == [(10, 0, 0), (13, 0, 0)]
    assert archive.get(10, 1, 1) is None and feature_ids(archive.get(10, 0, 0) or b"") == {}
    assert archive.metadata["vector_layers"][0]["id"] == "enterprises"


def test_a_layer_of_nothing_still_has_its_regions_and_all_its_zooms(
    graded: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is idle a map draws the regions, knows the layer's name, and is told of no tile that it is missing."""
    monkeypatch.setattr(
        tiles, "table", lambda of, layer, *how: table(of, layer, *how).clear() if layer == "idle" else table(of, layer)
    )
    told = tiles.write(graded, "idle", tmp_path / "i.pmtiles")
    archive = Archive(tmp_path / "i.pmtiles")
    assert [z.zoom for z in told.zooms] == list(range(4, 10)) and all(z.regions > 0 for z in told.zooms)
    assert (archive.header["min_zoom"], archive.header["max_zoom"]) == (tiles.LOW, tiles.TO)
    assert {one["id"] for one in archive.metadata["vector_layers"]} == {"regions", "idle"}
    assert archive.get(13, 6833, 3329) is None


def test_reading_agrees_with_the_library(tiled: Made) -> None:
    archive, _ = tiled["parcels"]
    with archive.place.open("rb") as file:
        other = Reader(MmapSource(file))
        held = dict(archive.tiles())
        rng = np.random.default_rng(5)
        asked = list(held) + [(z, *map(int, rng.integers(0, 2**z, 2))) for z in range(15) for _ in range(40)]
        for place_ in asked:
            assert archive.get(*place_) == other.get(*place_), place_
        assert archive.metadata == other.metadata() and archive.largest() == max(map(len, held.values()))
        assert archive.get(14, 2**14 - 1, 2**14 - 1) is None


def test_ids_are_read_as_the_library_reads_them(tiled: Made) -> None:
    for layer in ("parcels", "enterprises"):
        for _, tile in list(tiled[layer][0].tiles())[::17]:
            read = mapbox_vector_tile.decode(gzip.decompress(tile))
            assert feature_ids(tile) == {name: [f["id"] for f in one["features"]] for name, one in read.items()}


def test_the_archive_says_what_it_is_and_no_path(tiled: Made, graded: Release) -> None:
    metadata = tiled["parcels"][0].metadata
    assert graded.id in metadata["description"] and "合成数据" in metadata["description"]
    assert "/" not in metadata["generator_options"]
    assert {one["id"] for one in metadata["vector_layers"]} == {"regions", "parcels"}
    assert metadata["permu"]["release_id"] == graded.id and metadata["permu"]["rows"] == tiled["parcels"][1].features
