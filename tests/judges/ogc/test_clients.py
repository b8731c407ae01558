"""The programs that GIS staff use, against a real server: GDAL's OAPIF driver and QGIS."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.rights import users
from engine.schema.warehouse import Warehouse
from tests.judges.ogc.api import Api
from tests.judges.ogc.serving import Served, serving

HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"


LAYERS = ("parcels", "enterprises", "regions", "low_efficiency", "idle")
FILTERS = {
    "parcels": "size = 'small' AND rank < 200",
    "enterprises": "name LIKE '%有限%' AND (land_mu > 3 OR NOT (rank < 50))",
    "regions": "level = '县'",
    "low_efficiency": "area_mu >= 5",
    "idle": "area_mu IS NOT NULL AND area_mu < 1000",
}
Reading = tuple[str, dict[str, object]]


def ask_gdal(served: Served, readings: Iterable[Reading], **settings: str) -> subprocess.CompletedProcess[str]:
    """GDAL's own word, reading by reading."""
    environment = {**os.environ, "OGR_OAPIF_ALLOW_CQL_TEXT": "YES", **settings}
    return subprocess.run(
        [sys.executable, str(HERE / "gdal_reads.py"), served.address, json.dumps(list(readings))],
        capture_output=True, text=True, timeout=180, env=environment, check=False,
    )  # fmt: skip


def gdal(served: Served, readings: Iterable[Reading], **settings: str) -> list[set[str]]:
    """The ids that GDAL reads, reading by reading."""
    ran = ask_gdal(served, readings, **settings)
    assert ran.returncode == 0, ran.stderr[-800:]
    lists = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(len(ids) == len(set(ids)) for ids in lists)
    return [set(ids) for ids in lists]


def test_gdal_reads_every_collection_whole(api: Api, served: Served) -> None:
    names = api.names()
    assert set(LAYERS) < set(names)
    for name, read in zip(names, gdal(served, [(name, {}) for name in names]), strict=True):
        assert read == api.ids(name) != set()


def test_gdal_reads_page_by_page(api: Api, served: Served) -> None:
    """The few features of the small layers in pages of two."""
    sizes = {name: 37 if api.items(name)["numberMatched"] > 40 else 2 for name in LAYERS}
    served.asked.clear()
    for (name, size), read in zip(
        sizes.items(), gdal(served, [(name, {"PAGE_SIZE": size}) for name, size in sizes.items()]), strict=True
    ):
        assert read == api.ids(name)
        assert api.items(name)["numberMatched"] > 2 * size
    for size in (37, 2):
        pages = sum(-(-api.items(name)["numberMatched"] // size) for name in LAYERS if sizes[name] == size)
        assert len([one for one in served.asked if one.get("limit") == [str(size)]]) >= pages


def test_gdal_hands_on_the_box(api: Api, served: Served) -> None:
    boxes = [next(c for c in api.collections() if c["id"] == name)["extent"]["spatial"]["bbox"][0] for name in LAYERS]
    asked = [(west, south, (west + east) / 2, north) for west, south, east, north in boxes]
    served.asked.clear()
    read = gdal(served, [(name, {"bbox": box}) for name, box in zip(LAYERS, asked, strict=True)])
    assert len([one for one in served.asked if "bbox" in one]) >= len(LAYERS)
    for name, box, ids in zip(LAYERS, asked, read, strict=True):
        found = api.whole(name, bbox=",".join(map(str, box)))
        drawn = {f["id"] for f in found if f["geometry"]}
        assert drawn and drawn <= ids <= {f["id"] for f in found} < api.ids(name)


def test_gdal_hands_on_the_filter(api: Api, served: Served) -> None:
    served.asked.clear()
    read = gdal(served, [(name, {"where": where}) for name, where in FILTERS.items()])
    for (name, where), ids in zip(FILTERS.items(), read, strict=True):
        assert ids == api.filtered(name, where) != set(), name
    assert len([one for one in served.asked if one.get("filter-lang") == ["cql-text"]]) >= len(LAYERS)


def qgis(source: str, readings: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """What QGIS tells of layers."""
    environment = {"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen", "HOME": os.environ.get("HOME", "/")}
    ran = subprocess.run(
        [SYSTEM_PYTHON, str(HERE / "qgis_reads.py"), source, json.dumps(list(readings))],
        capture_output=True, text=True, timeout=180, env=environment, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-800:]
    told: dict[str, dict[str, Any]] = json.loads(ran.stdout.strip().splitlines()[-1])
    return told


@pytest.fixture(scope="session")
def has_qgis() -> None:
    """Skips where QGIS is not there."""
    if shutil.which(SYSTEM_PYTHON) is not None:
        found = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
        if found.returncode == 0:
            return
    pytest.skip("Debian's python3-qgis is not installed")


def test_qgis_loads_the_layers(api: Api, served: Served, has_qgis: None) -> None:
    """By the OAPIF provider: as many features as numberMatched, the same ids, what lies in a quarter, what a filter
    holds for."""
    for name, held in qgis(f"url='{served.address}'", FILTERS.items()).items():
        assert held["valid"] and held["count"] == api.items(name)["numberMatched"] == len(held["ids"])
        assert set(held["ids"]) == api.ids(name) and held["crs"] in ("EPSG:4326", "OGC:CRS84")
        assert set(api.items(name, limit="1")["features"][0]["properties"]) <= set(held["fields"])
        box = held["box"].replace(" : ", ",")
        drawn = {f["id"] for f in api.whole(name, bbox=box) if f["geometry"]}
        assert (drawn or name == "idle") and drawn <= set(held["part"])
        assert held["taken"] and set(held["filtered"]) == api.filtered(name, FILTERS[name]) != set()


@dataclass(frozen=True)
class Guarded:
    """A server with users, and the key of one of them."""

    served: Served
    user: str
    key: str

    def named(self, key: str | None = None) -> str:
        """User and key as Basic has them."""
        return f"{self.user}:{key or self.key}"


@pytest.fixture(scope="module")
def guarded(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The demo with a user who works with maps."""
    place = tmp_path_factory.mktemp("guarded") / "warehouse"
    warehouse = Warehouse(shutil.copytree(demo_home.home, place, ignore=shutil.ignore_patterns("*-shm", "lock")))
    _, key = users.add(warehouse, "maps", "gis", None, None)
    with serving(create_app(warehouse), lifespan=True) as found:
        yield Guarded(found, "maps", key)


def test_gdal_reads_by_basic_with_a_key(api: Api, guarded: Guarded, tmp_path: Path) -> None:
    """As docs/ogc.md says: user name and key; also as a header (by a file: with GDAL_HTTP_HEADERS the driver loses it when
    it asks for a media type). All layers, pages that follow, the filter."""
    readings: list[Reading] = [
        *((name, {"PAGE_SIZE": 50}) for name in LAYERS),
        ("parcels", {"where": FILTERS["parcels"]}),
    ]
    header = tmp_path / "header.txt"
    header.write_text(f"Authorization: Basic {base64.b64encode(guarded.named().encode()).decode()}\n")
    for settings in (
        {"GDAL_HTTP_USERPWD": guarded.named(), "GDAL_HTTP_AUTH": "BASIC"},
        {"GDAL_HTTP_HEADER_FILE": str(header)},
    ):
        *whole, filtered = gdal(guarded.served, readings, **settings)
        assert whole == [api.ids(name) for name in LAYERS]
        assert filtered == api.filtered("parcels", FILTERS["parcels"])


def test_gdal_is_refused_without_a_key(guarded: Guarded) -> None:
    for settings in (
        {},
        {"GDAL_HTTP_USERPWD": guarded.named("0" * len(guarded.key)), "GDAL_HTTP_AUTH": "BASIC"},
        {"GDAL_HTTP_USERPWD": f"other:{guarded.key}", "GDAL_HTTP_AUTH": "BASIC"},
    ):
        ran = ask_gdal(guarded.served, [("parcels", {})], **settings)
        assert ran.returncode != 0 and not ran.stdout and "HTTP error code : 401" in ran.stderr, ran.stderr[-400:]


def test_qgis_loads_the_layers_by_basic_with_a_key(api: Api, guarded: Guarded, has_qgis: None) -> None:
    source = f"url='{guarded.served.address}' username='{guarded.user}' password='{{}}'"
    told = qgis(source.format(guarded.key), [(name, "") for name in LAYERS])
    assert {name: set(held["ids"]) for name, held in told.items()} == {name: api.ids(name) for name in LAYERS}
    for refused in (source.format("0" * len(guarded.key)), f"url='{guarded.served.address}'"):
        assert not qgis(refused, [("regions", "")])["regions"]["valid"]
