"""Layers and tiles over HTTP: ranges, tags, the standard's metadata, refusals; the quick way says what the route says."""

from __future__ import annotations

import gzip
import json
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import mapbox_vector_tile
import pandas as pd
import polars as pl
import pytest
import shapely
from fastapi.testclient import TestClient
from pmtiles.reader import MemorySource, Reader, all_tiles

from api import layers as kept
from api.app import create_app
from api.exports import Provenance
from api.ogc import ready
from api.ogc.tilesets import matrix_set
from engine.layers import EVERYTHING, LAYERS, table
from engine.layers.archive import Archive
from engine.layers.prepared import FORMS
from engine.layers.shapefile import shortened
from engine.query import Board
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.layers.told import origin_in

TILES = "/ogc/collections/parcels/tiles/WebMercatorQuad"
PLAIN, GZIP = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}


@pytest.fixture(scope="module")
def archive(demo_client: TestClient, served_home: Warehouse) -> Archive:
    """The parcels' archive as it was sent."""
    demo_client.get(f"{TILES}?f=tilejson").raise_for_status()
    release = find(served_home, year=2024)
    return Archive(next((release.folder / "layers").glob("v*/all/parcels.pmtiles")))


@pytest.fixture
def own(demo_home: Warehouse, tmp_path: Path) -> Iterator[tuple[TestClient, Warehouse]]:
    """A server over a copy that a test may break."""
    shutil.copytree(demo_home.home, tmp_path / "w", ignore=shutil.ignore_patterns("*-shm", "lock"))
    warehouse = Warehouse(tmp_path / "w")
    with TestClient(create_app(warehouse), base_url="http://127.0.0.1") as client:
        yield client, warehouse


def read_back(place: Path, layer: str) -> gpd.GeoDataFrame:
    """A file as its users' libraries read it; of tiles every feature of the highest zoom."""
    if place.suffix == ".parquet":
        return gpd.read_parquet(place)
    if place.suffix != ".pmtiles":
        return gpd.read_file(place)
    found, source = {}, MemorySource(place.read_bytes())
    top = Reader(source).header()["max_zoom"]
    for (z, _, _), tile in all_tiles(source):
        if z == top:
            for feature in mapbox_vector_tile.decode(gzip.decompress(tile))[layer]["features"]:
                found[feature["id"]] = feature["properties"]
    return gpd.GeoDataFrame(list(found.values()), geometry=[None] * len(found))


def differences(read: pd.Series, rows: pl.Series, within: float) -> list[tuple[object, object]]:
    """Where a column of a file is not the table's: text to the letter, figures ``within``, nothing as nothing."""

    def same(a: Any, b: Any) -> bool:
        if pd.isna(a) or b is None:
            return bool(pd.isna(a)) and b is None
        return a == (b if isinstance(b, str) else pytest.approx(b, rel=1e-12, abs=within))

    return [(a, b) for a, b in zip(read, rows, strict=True) if not same(a, b)]


@pytest.mark.parametrize("ending", list(FORMS))
@pytest.mark.parametrize("layer", list(LAYERS))
def test_every_layer_is_read_back_in_every_format(
    demo_client: TestClient, served_home: Warehouse, tmp_path: Path, layer: str, ending: str
) -> None:
    """Rows, ids, every figure and shape of the layer's table, its coordinate system, and where it comes from."""
    release = find(served_home, year=2024)
    rows, identity = table(release, layer), LAYERS[layer].identity
    answer = demo_client.get(f"/layers/{layer}.{ending}", headers=PLAIN)
    assert answer.status_code == 200 and answer.headers["content-type"] == kept.MEDIA[ending]
    assert answer.headers["x-permu-release"] == release.id and answer.headers["x-permu-rows"] == str(rows.height)
    place = tmp_path / f"{layer}.{ending}"
    place.write_bytes(answer.content)
    assert_origin(origin_in(place), release, layer, rows.height)

    if ending == "pmtiles":  # what is drawn nowhere is in no tile
        rows = rows.filter(pl.col("geometry").is_not_null())
    plain = [c for c, kind in rows.schema.items() if c != "geometry" and not isinstance(kind, pl.List)]
    names = {c: c for c in plain}
    if ending == "shp.zip":
        names = shortened(c for c in rows.columns if c != "geometry")
        assert_dbase(place, list(names.values()))
        rows = rows.with_columns(pl.col(pl.String).map_elements(in_dbase, pl.String))
    read = read_back(place, layer)
    read = read.assign(key=read[names[identity]].astype(str)).sort_values("key")
    rows = rows.sort(identity)
    assert len(read) == rows.height > 0 and read["key"].to_list() == rows[identity].to_list()
    within = 5.1e-5 if ending == "pmtiles" else 0.0  # tiles have four decimals
    empty = pd.Series([None] * len(read))  # a tile has no attribute of which no feature has a value
    for name in plain:
        held = read[names[name]] if names[name] in read.columns or ending != "pmtiles" else empty
        assert not differences(held, rows[name], within), name
    if ending != "pmtiles":
        assert read.crs == ("EPSG:4326" if ending == "geojson" else "EPSG:4490")
        shapes = gpd.GeoSeries.from_wkb(rows["geometry"].to_list())
        near = shapely.hausdorff_distance(read.geometry.to_numpy(), shapes.to_numpy())
        drawn = rows["geometry"].is_not_null().to_numpy()
        assert (read.geometry.notna().to_numpy() == drawn).all() and (near[drawn] < 1.5e-7).all()


def assert_origin(told: dict[str, str], release: Release, layer: str, rows: int) -> None:
    """The provenance is that of other exports of the release."""
    exported = Provenance.of(Board(release), {}, "somebody")
    assert (told["layer"], told["release_id"], told["year"]) == (layer, exported.release_id, str(exported.year))
    assert (told["policy"], told["policy_sha256"]) == (exported.policy, exported.policy_sha256)
    assert told["policy_title"] == " / ".join(exported.policy_title.values()) and told["synthetic"] == "true"
    assert (told["created_at"], told["rankings_sha256"]) == (exported.created_at, exported.rankings_sha256)
    assert (told["loads_digest"], told["rows"], told["view"]) == (exported.loads_digest, str(rows), "all")
    assert "state" not in told and "exported_at" not in told


def in_dbase(text: str) -> str:
    """As GBK and 254 bytes hold it (the town 湖㳇 has a character that GBK lacks)."""
    held = "".join(c if c.encode("gbk", "ignore") else "〓" for c in text)
    return held.encode("gbk")[:254].decode("gbk", "ignore")


def assert_dbase(place: Path, names: list[str]) -> None:
    """The names in the .dbf itself: at most ten bytes of GBK, each once."""
    with zipfile.ZipFile(place) as archive:
        (dbf,) = (n for n in archive.namelist() if n.endswith(".dbf"))
        head = archive.read(dbf)
        assert archive.read(dbf.replace(".dbf", ".cpg")).strip() == b"GBK"
    fields = [head[n : n + 11].split(b"\0")[0] for n in range(32, int.from_bytes(head[8:10], "little") - 1, 32)]
    assert [field.decode("gbk") for field in fields] == names
    assert all(0 < len(field) <= 10 for field in fields) and len({f.lower() for f in fields}) == len(fields)


@pytest.mark.parametrize("path", ["/layers/parcels.geojson", "/layers/parcels.pmtiles"])
def test_ranges_and_tags(demo_client: TestClient, path: str) -> None:
    whole = demo_client.get(path, headers=PLAIN)
    size, tag = len(whole.content), whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes" and not tag.startswith("W/")
    for asked, expected in (
        ("0-126", whole.content[:127]),
        ("100-", whole.content[100:]),
        ("-50", whole.content[-50:]),
    ):
        part = demo_client.get(path, headers={**PLAIN, "Range": f"bytes={asked}"})
        assert part.status_code == 206 and part.content == expected and part.headers["etag"] == tag
        assert part.headers["content-range"].endswith(f"/{size}")
    beyond = demo_client.get(path, headers={**PLAIN, "Range": f"bytes={size}-"})
    assert beyond.status_code == 416 and beyond.headers["content-range"] == f"bytes */{size}"
    wrong = demo_client.get(path, headers={**PLAIN, "Range": "bytes=9-1"})
    for answer, code in ((beyond, "range_beyond"), (wrong, "bad_range")):
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["code"] == code
        assert answer.json()["status"] == answer.status_code and "detail_zh" in answer.json()
    changed = demo_client.get(path, headers={**PLAIN, "Range": "bytes=0-9", "If-Range": '"another"'})
    assert changed.status_code == 200 and len(changed.content) == size
    fresh = demo_client.get(path, headers={**PLAIN, "If-None-Match": tag})
    assert fresh.status_code == 304 and not fresh.content and fresh.headers["etag"] == tag
    assert demo_client.head(path, headers=PLAIN).headers["content-length"] == str(size)


def test_every_tile_is_the_archives(demo_client: TestClient, archive: Archive) -> None:
    for (z, x, y), stored in list(archive.tiles())[::7]:
        answer = demo_client.get(f"{TILES}/{z}/{y}/{x}", headers=GZIP)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
        assert answer.headers["content-encoding"] == "gzip" and answer.content == gzip.decompress(stored)
        plain = demo_client.get(f"{TILES}/{z}/{y}/{x}", headers=PLAIN)
        assert "content-encoding" not in plain.headers and plain.content == answer.content
        assert plain.headers["etag"] != answer.headers["etag"]
        fresh = demo_client.get(f"{TILES}/{z}/{y}/{x}", headers={**GZIP, "If-None-Match": answer.headers["etag"]})
        assert fresh.status_code == 304 and not fresh.content


def test_the_quick_way_and_the_route_say_the_same(
    demo_client: TestClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [(z, y, x) for (z, x, y), _ in archive.tiles()]
    asked = [f"{TILES}/{z}/{y}/{x}" for z, y, x in [held[0], held[-1], (10, 1, 1)]]
    quick = [demo_client.get(path, headers=GZIP) for path in asked]
    monkeypatch.setattr("api.ogc.quick.at_hand", lambda *_: None)
    monkeypatch.setattr("api.ogc.tiles.at_hand", lambda *_: None)
    routed = [demo_client.get(path, headers=GZIP) for path in asked]
    own = {"x-request-id", "date"}
    for a, b in zip(quick, routed, strict=True):
        assert (a.status_code, a.content) == (b.status_code, b.content)
        assert {k: v for k, v in a.headers.items() if k not in own} == {
            k: v for k, v in b.headers.items() if k not in own
        }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{TILES}/10/1/1", 404, "no_tile"),
        (f"{TILES}/3/0/0", 404, "no_tile"),
        (f"{TILES}/24/0/0", 404, "no_tile"),
        (f"{TILES}/10/1024/0", 404, "no_tile"),
        (f"{TILES}/10/0/1024", 404, "no_tile"),
        (f"{TILES}/10/0/99999999999999999999", 400, "bad_parameter"),
        (f"{TILES}/a/0/0", 400, "bad_parameter"),
        (f"{TILES}/10/-1/0", 400, "bad_parameter"),
        (f"{TILES}/10/%D9%A1/0", 400, "bad_parameter"),
        (f"{TILES}/10/1/1?f=png", 400, "bad_parameter"),
        (f"{TILES}/10/1/1?style=x", 400, "unknown_parameter"),
        ("/ogc/collections/parcels/tiles/WorldCRS84Quad/10/1/1", 404, "no_tile"),
        ("/ogc/collections/roads/tiles/WebMercatorQuad/10/1/1", 404, "unknown_layer"),
        ("/ogc/collections/roads/tiles", 404, "unknown_layer"),
        ("/ogc/releases/none/collections/parcels/tiles/WebMercatorQuad/10/1/1", 404, "unknown_release"),
        ("/ogc/tileMatrixSets/Other", 404, "no_tile"),
        (f"{TILES}?f=xml", 400, "bad_parameter"),
        ("/layers/parcels.geojson?crs=EPSG:4549", 400, "unknown_parameter"),
        ("/layers/..%2Fparcels.geojson", 404, "not_found"),
    ],
)
def test_what_is_refused_and_what_is_empty(demo_client: TestClient, path: str, status: int, code: str) -> None:
    answer = demo_client.get(path)
    assert answer.status_code == status
    assert (answer.json()["code"] if answer.content else "") == code


def test_a_tile_of_another_release(demo_client: TestClient, served_home: Warehouse, archive: Archive) -> None:
    graded = find(served_home, year=2024, policy="huaian-2024")
    url = f"/ogc/releases/{graded.id}/collections/parcels/tiles/WebMercatorQuad"
    z, x, y = max((len(tile), place) for place, tile in archive.tiles() if place[0] == 10)[1]
    read = mapbox_vector_tile.decode(demo_client.get(f"{url}/{z}/{y}/{x}").content)
    assert any("score" in one["properties"] for one in read["parcels"]["features"])
    assert "score" not in str(mapbox_vector_tile.decode(demo_client.get(f"{TILES}/{z}/{y}/{x}").content))


@pytest.mark.requirement("/req/tileset/success")
def test_metadata_of_a_tile_set(demo_client: TestClient, archive: Archive) -> None:
    told = demo_client.get(TILES).json()
    assert told["dataType"] == "vector" and told["tileMatrixSetURI"].endswith("/WebMercatorQuad")
    assert told["crs"].endswith("/EPSG/0/3857") and {one["id"] for one in told["layers"]} == {"parcels", "regions"}
    held = {(z, x, y) for (z, x, y), _ in archive.tiles()}
    within = {one["tileMatrix"]: one for one in told["tileMatrixSetLimits"]}
    for z, x, y in held:
        one = within[str(z)]
        assert one["minTileRow"] <= y <= one["maxTileRow"] and one["minTileCol"] <= x <= one["maxTileCol"]
    template = next(one for one in told["links"] if one["rel"] == "item")
    z, x, y = max(held)
    address = template["href"].format(tileMatrix=z, tileRow=y, tileCol=x)
    assert template["templated"] and demo_client.get(address).status_code == 200
    assert [zoom["zoom"] for zoom in told["permu"]["zooms"]] == sorted({z for z, _, _ in held})


@pytest.mark.requirement("/req/tilesets-list/tileset-links")
def test_lists_and_links_lead_to_the_tiles(demo_client: TestClient) -> None:
    landing = demo_client.get("/ogc/").json()
    schemes = next(one for one in landing["links"] if one["rel"].endswith("tiling-schemes"))
    sets = demo_client.get(schemes["href"]).json()["tileMatrixSets"]
    assert demo_client.get(sets[0]["links"][0]["href"]).json() == matrix_set()
    for layer in LAYERS:
        one = demo_client.get(f"/ogc/collections/{layer}").json()
        listed = next(link for link in one["links"] if link["rel"].endswith("tilesets-vector"))
        tileset = demo_client.get(listed["href"]).json()["tilesets"][0]
        itself = next(link for link in tileset["links"] if link["rel"] == "self")
        assert demo_client.get(itself["href"]).json()["title"] == tileset["title"]


def test_the_matrix_set_is_web_mercator_quad() -> None:
    """Against the definition: half the equator of the sphere, a pixel of 0.28 mm."""
    found = matrix_set()["tileMatrices"]
    assert len(found) == 25
    for z, matrix in enumerate(found):
        assert matrix["matrixWidth"] == matrix["matrixHeight"] == 2**z and matrix["id"] == str(z)
        assert matrix["cellSize"] * 256 * 2**z == pytest.approx(2 * 20037508.3427892, rel=1e-12)
        assert matrix["scaleDenominator"] == pytest.approx(matrix["cellSize"] / 0.00028, rel=1e-9)
        assert matrix["pointOfOrigin"] == [-20037508.3427892, 20037508.3427892]


def test_a_layer_that_takes_long_is_told_to_be_asked_again(
    own: tuple[TestClient, Warehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, warehouse = own
    monkeypatch.setattr(kept, "WAIT_SECONDS", 0.0)
    shutil.rmtree(find(warehouse, year=2024).folder / "layers", ignore_errors=True)
    answer = client.get("/layers/regions.pmtiles")
    assert answer.status_code == 503 and answer.json()["code"] == "not_ready" and answer.headers["retry-after"]
    monkeypatch.setattr(kept, "WAIT_SECONDS", 60.0)
    assert client.get("/layers/regions.pmtiles").status_code == 200


def test_a_release_removed_under_the_server(own: tuple[TestClient, Warehouse]) -> None:
    client, warehouse = own
    folder = find(warehouse, year=2024).folder
    path = client.get("/ogc/collections/regions/tiles/WebMercatorQuad?f=tilejson").json()["tiles"][0]
    assert client.get(path.format(z=4, y=6, x=13)).status_code == 200
    folder.rename(folder.with_name("away"))
    gone = client.get(path.format(z=4, y=6, x=13))
    assert gone.status_code == 503 and gone.json()["code"] == "release_gone"
    folder.with_name("away").rename(folder)
    assert client.get(path.format(z=4, y=6, x=13)).status_code == 200


def test_files_made_anew_are_sent_anew(own: tuple[TestClient, Warehouse]) -> None:
    client, warehouse = own
    path = "/ogc/collections/regions/tiles/WebMercatorQuad/4/6/13"
    before = client.get(path, headers=GZIP)
    shutil.rmtree(find(warehouse, year=2024).folder / "layers")
    after = client.get(path, headers=GZIP)
    assert (
        after.status_code == 200 and after.content == before.content and after.headers["etag"] != before.headers["etag"]
    )


def test_ready_tile_sets_are_bounded(demo_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "_READY", 2)
    ready._held.clear()
    for layer in ("parcels", "regions", "idle", "enterprises"):
        assert demo_client.get(f"/ogc/collections/{layer}/tiles/WebMercatorQuad/10/0/0").status_code == 404
    assert len(ready._held) == 2
    assert json.loads(demo_client.get("/ogc/tileMatrixSets").content)["tileMatrixSets"]


def test_few_requests_wait_for_a_layer_that_is_being_made(
    demo_home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told at once: their threads are for those who ask something else."""
    made = threading.Event()

    def slowly(*_: object) -> Path:
        made.wait(30)
        return Path("made")

    monkeypatch.setattr("api.layers.prepare", slowly)
    monkeypatch.setattr("api.layers.held", lambda *_: None)
    release, files = find(demo_home, year=2024), kept.Files()
    with ThreadPoolExecutor(40) as many:
        asked = [many.submit(files.file, release, "parcels", "geojson", EVERYTHING) for _ in range(40)]
        for _ in range(100):
            if sum(one.done() for one in asked) == 40 - kept.WAITING:
                break
            time.sleep(0.05)
        refused = [one.exception() for one in asked if one.done()]
        made.set()
    assert len(refused) == 40 - kept.WAITING and {getattr(e, "code", e) for e in refused} == {"not_ready"}
    assert [one.result() for one in asked if one.exception() is None] == [Path("made")] * kept.WAITING


def test_a_layer_that_is_made_at_once_holds_up_nobody(demo_home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be made, or found impossible, before the request looks for it again."""
    release, files, told = find(demo_home, year=2024), kept.Files(), []

    def at_once(*_: object) -> Future[Path]:
        done: Future[Path] = Future()
        done.set_exception(PermuError("no_layer", "none", "无"))
        return done

    def ask() -> None:
        for _ in range(2):
            try:
                files.file(release, "parcels", "geojson", EVERYTHING)
            except PermuError as error:
                told.append(error.code)

    monkeypatch.setattr("api.layers.held", lambda *_: None)
    monkeypatch.setattr(files._maker, "submit", at_once)
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(20)
    assert told == ["no_layer"] * 2
