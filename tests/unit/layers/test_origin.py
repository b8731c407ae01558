"""Where a file comes from: in every format of every layer, for each view, and the same bytes whenever it is made."""

from __future__ import annotations

import dataclasses
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from engine.layers import LAYERS, Limits, prepared, table
from engine.layers.prepared import FORMS, origin_of, prepare
from engine.releases import Release
from engine.schema.columns import column
from tests.unit.layers.told import origin_in

GIS = Limits("gis", lambda name: "gis" in column(name).roles)


@pytest.fixture
def release(sunan: Release, tmp_path: Path) -> Release:
    """Made some time ago; its files are prepared in a folder of the test's own."""
    folder = tmp_path / sunan.id
    folder.mkdir()
    for file in sunan.folder.iterdir():
        if file.is_file():
            (folder / file.name).hardlink_to(file)
    return Release(folder, {**sunan.manifest, "created_at": "2020-02-03T04:05:06.000007+00:00"})


@pytest.mark.parametrize("ending", list(FORMS))
def test_every_file_says_where_it_comes_from(release: Release, ending: str) -> None:
    m = release.manifest
    for limits in (prepared.EVERYTHING, GIS):
        told = origin_in(prepare(release, "low_efficiency", ending, limits))
        assert len(told.pop("loads_digest")) == 12
        assert told == {
            "layer": "low_efficiency", "release_id": m["release_id"], "year": "2024", "policy": "sunan-2017",
            "policy_title": f"{m['policy']['title']['zh']} / {m['policy']['title']['en']}",
            "policy_sha256": m["policy"]["sha256"], "synthetic": "true", "created_at": m["created_at"],
            "rankings_sha256": m["rankings_sha256"], "rows": str(table(release, "low_efficiency").height),
            "view": limits.key,
        }  # fmt: skip


@pytest.mark.parametrize("ending", list(FORMS))
@pytest.mark.parametrize("layer", list(LAYERS))
def test_the_same_release_gives_the_same_bytes(release: Release, layer: str, ending: str) -> None:
    """GDAL writes the moment of writing into a GeoPackage and the day into a .dbf: the release's stands there."""
    place = prepare(release, layer, ending)
    before = place.read_bytes()
    place.unlink()
    assert prepare(release, layer, ending).read_bytes() == before
    if ending == "gpkg":
        with sqlite3.connect(place) as db:
            dates = "SELECT last_change FROM gpkg_contents UNION SELECT timestamp FROM gpkg_metadata_reference"
            assert db.execute(dates).fetchall() == [("2020-02-03T04:05:06.000Z",)]
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    if ending == "shp.zip":
        assert zipfile.ZipFile(io.BytesIO(before)).read(f"{layer}.dbf")[1:4] == bytes([120, 2, 3])


def test_what_a_manifest_lacks_is_left_out(release: Release) -> None:
    """Of an early release no more is said than is known; invented data is told nowhere where nothing says that it is."""
    kept = {k: release.manifest[k] for k in ("release_id", "year", "metrics", "default_metric", "bottom_percent")}
    poor = dataclasses.replace(release, manifest={**kept, "policy": {"id": "sunan-2017"}})
    for ending in FORMS:
        told = origin_in(prepare(poor, "idle", ending))
        assert told["synthetic"] == "false" and not told.keys() & {"created_at", "rankings_sha256", "policy_title"}


def test_the_origin_is_told_without_opening_a_file(release: Release) -> None:
    for ending in FORMS:
        prepare(release, "idle", ending)
        assert origin_of(release, "idle")["rows"] == table(release, "idle").height
    assert origin_of(release, "idle")["policy_title"] == release.manifest["policy"]["title"]


def test_no_file_of_an_earlier_version_is_sent(release: Release) -> None:
    """Version 2 said nothing of policy, loads, rows and view."""
    old = release.folder / "layers" / "v2" / "all" / "idle.geojson"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    assert json.loads(prepare(release, "idle", "geojson").read_bytes())["permu"]["rows"] == 7
