"""The demo's release and the test data of CQL2 (ne110m) served beside each other by the application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.ogc import add_file
from engine.schema.warehouse import Warehouse
from tests.judges.ogc.annex import ANNEX
from tests.judges.ogc.api import Api, Schemas
from tests.judges.ogc.serving import Served, serving

TIMES = {"ne_110m_populated_places_simple": ("start", "end")}
LAYERS = ("ne_110m_admin_0_countries", "ne_110m_populated_places_simple", "ne_110m_rivers_lake_centerlines")


@pytest.fixture(scope="session")
def api(shared: Path, served_home: Warehouse) -> Iterator[Api]:
    """A client of the default release with the three ne110m collections beside its own."""
    app = create_app(served_home)
    for layer in LAYERS:
        add_file(app, shared / ANNEX / "data/ne110m4cql2.gpkg", layer, TIMES.get(layer))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield Api(client)


@pytest.fixture(scope="session")
def served(api: Api) -> Iterator[Served]:
    """The same application behind a port of this machine."""
    with serving(api.client.app, lifespan=False) as found:
        yield found


@pytest.fixture(scope="session")
def schemas(shared: Path) -> Schemas:
    """The schemas of the standard."""
    return Schemas(shared)
