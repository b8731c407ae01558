"""The programs that GIS staff use, against a real server: GDAL's OAPIF driver and QGIS."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.judges.ogc.api import Api

HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass
class Served:
    """The address of a landing page, and the questions of the requests for items that came in."""

    address: str
    asked: list[dict[str, list[str]]] = field(default_factory=list)


class Recorder:
    """Notes the questions of requests for items."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self.app, self.served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/items"):
            self.served.asked.append(parse_qs(scope["query_string"].decode()))
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def served(api: Api) -> Iterator[Served]:
    """The same application behind a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Served(f"http://127.0.0.1:{listener.getsockname()[1]}/ogc")
    server = uvicorn.Server(uvicorn.Config(Recorder(api.client.app, found), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield found
    server.should_exit = True
    thread.join(10)


def gdal(served: Served, *readings: tuple[str, dict[str, object]]) -> list[set[str]]:
    """The ids that GDAL reads, reading by reading."""
    environment = {**os.environ, "OGR_OAPIF_ALLOW_CQL_TEXT": "YES"}
    ran = subprocess.run(
        [sys.executable, str(HERE / "gdal_reads.py"), served.address, json.dumps(readings)],
        capture_output=True, text=True, timeout=180, env=environment, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-800:]
    lists = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(len(ids) == len(set(ids)) for ids in lists)
    return [set(ids) for ids in lists]


def test_gdal_reads_every_collection_whole(api: Api, served: Served) -> None:
    names = api.names()
    for name, read in zip(names, gdal(served, *((name, {}) for name in names)), strict=True):
        assert read == api.ids(name)


def test_gdal_reads_page_by_page(api: Api, served: Served) -> None:
    names = ("parcels", "idle", "ne_110m_populated_places_simple")
    served.asked.clear()
    for name, read in zip(names, gdal(served, *((name, {"PAGE_SIZE": 37}) for name in names)), strict=True):
        assert read == api.ids(name)
    pages = sum(-(-api.items(name)["numberMatched"] // 37) for name in names)
    assert len([one for one in served.asked if one.get("limit") == ["37"]]) >= pages


def test_gdal_hands_on_the_box(api: Api, served: Served) -> None:
    names = ("parcels", "enterprises", "regions")
    boxes = [next(c for c in api.collections() if c["id"] == name)["extent"]["spatial"]["bbox"][0] for name in names]
    asked = [(west, south, (west + east) / 2, (south + north) / 2) for west, south, east, north in boxes]
    served.asked.clear()
    read = gdal(served, *((name, {"bbox": box}) for name, box in zip(names, asked, strict=True)))
    assert len([one for one in served.asked if "bbox" in one]) >= len(names)
    for name, box, ids in zip(names, asked, read, strict=True):
        found = api.whole(name, bbox=",".join(map(str, box)))
        drawn = {f["id"] for f in found if f["geometry"]}
        assert drawn and drawn <= ids <= {f["id"] for f in found}


def test_gdal_hands_on_the_filter(api: Api, served: Served) -> None:
    asked = (
        ("parcels", "size = 'small' AND rank < 200"),
        ("enterprises", "name LIKE '%有限%' AND (land_mu > 3 OR NOT (rank < 50))"),
        ("regions", "level = '县'"),
    )
    served.asked.clear()
    for (name, where), read in zip(asked, gdal(served, *((n, {"where": w}) for n, w in asked)), strict=True):
        assert read and read == api.filtered(name, where)
    assert len([one for one in served.asked if one.get("filter-lang") == ["cql-text"]]) >= len(asked)


def test_qgis_loads_the_layers(api: Api, served: Served) -> None:
    """By the OAPIF provider: as many features as numberMatched, the same ids, and what lies in a quarter."""
    if not _has_qgis():
        pytest.skip("Debian's python3-qgis is not installed")
    names = ("parcels", "enterprises", "regions")
    environment = {"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen", "HOME": os.environ.get("HOME", "/")}
    ran = subprocess.run(
        [SYSTEM_PYTHON, str(HERE / "qgis_reads.py"), served.address, *names],
        capture_output=True, text=True, timeout=180, env=environment, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-800:]
    told = json.loads(ran.stdout.strip().splitlines()[-1])
    for name in names:
        held = told[name]
        assert held["valid"] and held["count"] == api.items(name)["numberMatched"] == len(held["ids"])
        assert set(held["ids"]) == api.ids(name) and held["crs"] in ("EPSG:4326", "OGC:CRS84")
        assert set(api.items(name, limit="1")["features"][0]["properties"]) <= set(held["fields"])
        box = held["box"].replace(" : ", ",")
        drawn = {f["id"] for f in api.whole(name, bbox=box) if f["geometry"]}
        assert drawn and drawn <= set(held["part"])


def _has_qgis() -> bool:
    if shutil.which(SYSTEM_PYTHON) is None:
        return False
    found = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    return found.returncode == 0
