"""docs/ogc.md names what there is, and its filters answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.ogc.crs import SYSTEMS
from api.ogc.question import LIMIT, MAX_LIMIT, OWN
from api.ogc.routes import ROUTES
from engine.layers import LAYERS
from engine.schema.warehouse import Warehouse

NAMES = {"collection_id": "id", "feature_id:path": "featureId"}


@pytest.fixture(scope="module")
def text(checkout: Path) -> str:
    return (checkout / "docs" / "ogc.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def client(served_home: Warehouse) -> Iterator[TestClient]:
    with TestClient(create_app(served_home), base_url="http://127.0.0.1") as made:
        yield made


def test_every_address_parameter_system_and_collection_is_named(text: str) -> None:
    for path in ROUTES:
        shown = path
        for inside, outside in NAMES.items():
            shown = shown.replace(inside, outside)
        assert path in ("", "/style.css") or f"`/ogc{shown}`" in text, path
    assert all(f"| `{name}` |" in text for name in OWN)
    assert all(f"`{uri}`" in text for uri in SYSTEMS) and all(f"`{name}`" in text for name in LAYERS)
    assert f"default {LIMIT};" in text and f"{MAX_LIMIT:,}" in text


def test_the_filters_answer(text: str, client: TestClient) -> None:
    filters = re.findall(r"```cql2\n(.*?)```", text, re.DOTALL)[0].strip().splitlines()
    assert len(filters) > 10
    for one in filters:
        answer = client.get("/ogc/collections/parcels/items", params={"filter": one, "limit": "1"})
        assert answer.status_code == 200, (one, answer.text)


def test_missing_is_neither_equal_nor_unequal(client: TestClient) -> None:
    def matched(text: str) -> int:
        answer = client.get("/ogc/collections/parcels/items", params={"filter": text, "limit": "1"})
        found: int = answer.json()["numberMatched"]
        return found

    missing = matched("rank IS NULL")
    assert missing and matched("rank = 5") + matched("rank <> 5") + missing == matched("true")
    assert matched("rank IS NULL OR rank <> 5") == matched("true") - matched("rank = 5")
