"""QGIS without a screen loads the parcels as a shapefile with its style, as vector tiles and as features of the server, and
draws the same map of each."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import uvicorn
from PIL import Image, ImageChops

from api.app import create_app
from engine.layers import table
from engine.layers.files import export
from engine.layers.style import COLOURS
from engine.releases import Release, find
from engine.schema.warehouse import Warehouse

SCRIPT, PYTHON = Path(__file__).with_name("qgis_look.py"), "/usr/bin/python3"


@pytest.fixture(scope="module")
def release(served_home: Warehouse) -> Release:
    return find(served_home, year=2024, policy="huaian-2024")


@pytest.fixture(scope="module")
def served(served_home: Warehouse) -> Iterator[str]:
    """The application behind a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(served_home), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def look(place: Path, extent: str, *words: str) -> dict[str, Any]:
    """What QGIS says of the layers; the picture is at ``place``."""
    if not Path("/usr/share/qgis").is_dir() or shutil.which("qgis_process") is None:
        pytest.skip("QGIS is not on this machine (Debian packages qgis and python3-qgis)")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(place.parent)}
    command = [PYTHON, str(SCRIPT), str(place), "500", "400", extent, *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert ran.stdout.strip(), ran.stderr[-800:]
    return json.loads(ran.stdout.strip().splitlines()[-1])


def crowded(release: Release) -> str:
    """The part of the map, 0.2° by 0.16°, that holds the most graded parcels."""
    graded = table(release, "parcels").filter(pl.col("grade").is_not_null())["parcel_code"].implode()
    boxes = release.table("parcels").filter(pl.col("parcel_code").is_in(graded)).collect()
    cells = (
        boxes.group_by(x=(pl.col("minx") / 0.2).floor(), y=(pl.col("miny") / 0.16).floor()).len().sort("len", "x", "y")
    )
    x, y, _ = cells.row(-1)
    return f"{x * 0.2},{y * 0.16},{x * 0.2 + 0.2},{y * 0.16 + 0.16}"


def apart(one: Image.Image, other: Image.Image) -> int:
    """How many pixels of two maps are of another colour."""
    return ImageChops.difference(one, other).convert("L").point(lambda v: 255 if v > 60 else 0).histogram()[255]


def test_qgis_draws_the_same_parcels_from_a_file_from_tiles_and_from_features(
    release: Release, served: str, tmp_path: Path
) -> None:
    export(release, "parcels", "shp", tmp_path / "parcels.shp")
    extent = crowded(release)
    told = look(tmp_path / "file.png", extent, f"file:{tmp_path}/parcels.shp")
    (layer,) = told["layers"]
    assert layer["valid"] and layer["crs"] == "EPSG:4490" and layer["features"] == table(release, "parcels").height
    assert layer["styled_by"] == "grade" and len(layer["categories"]) == 6 and not told["errors"]
    assert any("有限公司" in value for value in layer["first"])
    url = f"{served}/ogc/releases/{release.id}/collections/parcels/tiles/WebMercatorQuad/%7Bz%7D/%7By%7D/%7Bx%7D"
    tiled = look(tmp_path / "tiles.png", extent, f"tiles:{url}?zmin=4&zmax=13")
    assert tiled["layers"] == [{"valid": True, "zooms": [4, 13]}] and not tiled["errors"]
    fed = look(tmp_path / "features.png", extent, f"oapif:{served}/ogc/releases/{release.id}@parcels")
    assert fed["layers"][0]["valid"] and fed["layers"][0]["styled_by"] == "grade" and not fed["errors"]
    assert fed["layers"][0]["features"] == table(release, "parcels").height
    one, *others = (Image.open(tmp_path / f"{n}.png").convert("RGB") for n in ("file", "tiles", "features"))
    drawn = sum(n for n, c in one.getcolors(1 << 20) or () if c != (255, 255, 255))
    shown = {colour for _, colour in one.getcolors(1 << 20) or ()}
    of_grades = {tuple(bytes.fromhex(c[1:])) for c in COLOURS.values()}
    assert drawn > 200 and len(shown & of_grades) >= 2
    assert [apart(one, other) < 0.05 * drawn for other in others] == [True, True]
