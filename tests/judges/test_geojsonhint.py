"""Every GeoJSON that permu gives out is good by RFC 7946; geojsonhint's fixtures prove the judge, and are read by ingest."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from engine.schema.warehouse import Warehouse
from tests.judges.rfc7946 import complaints

LAYERS = ("parcels", "enterprises", "regions", "low_efficiency", "idle")
# more digits than needed are no fault by the RFC
ADVICE = {"excessive_precision_truncated"}


@pytest.fixture(scope="module")
def fixtures(shared: Path) -> Path:
    return shared / "judges" / "geojsonhint" / "test" / "data"


@pytest.fixture(scope="module")
def client(served_home: Warehouse) -> TestClient:
    return TestClient(create_app(served_home), base_url="http://localhost")


def test_the_judge_agrees_with_geojsonhint(fixtures: Path) -> None:
    good = {f.stem: complaints(f.read_bytes()) for f in (fixtures / "good").glob("*.geojson")}
    bad = {f.stem: complaints(f.read_bytes()) for f in (fixtures / "bad").glob("*.geojson")}
    assert {name: found for name, found in good.items() if found} == {}
    assert {name for name, found in bad.items() if not found} == ADVICE
    assert (len(good), len(bad)) == (18, 44)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(
    "path", ["/layers/{}.geojson", "/ogc/collections/{}/items?limit=10000", "/ogc/collections/{}/items?limit=1"]
)
def test_what_is_served_is_good(client: TestClient, path: str, layer: str) -> None:
    answer = client.get(path.format(layer))
    assert answer.status_code == 200
    assert len(answer.json()["features"]) > 0
    assert complaints(answer.content) == []


def test_a_single_feature_is_good(client: TestClient) -> None:
    first = client.get("/ogc/collections/parcels/items?limit=1").json()["features"][0]
    assert complaints(client.get(f"/ogc/collections/parcels/items/{first['id']}").content) == []
