"""A small warehouse with hand-made releases, and a client that asks it as a browser on this machine would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS, GRADED
from tests.unit.api.release_builder import build


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, dict[str, str]]:
    """The warehouse and its releases by name; for reading only."""
    warehouse = Warehouse(tmp_path_factory.mktemp("served")).create()
    ids = {
        "2023": build(warehouse, FIRMS[:9], year=2023, created="2024-03-01T00:00:00+00:00", state="final"),
        "2024": build(warehouse, FIRMS, year=2024),
        "graded": build(warehouse, GRADED, year=2024, policy="huaian-2024", created="2025-04-01T00:00:00+00:00"),
    }
    return warehouse, ids


@pytest.fixture(scope="session")
def warehouse(made: tuple[Warehouse, dict[str, str]]) -> Warehouse:
    """The warehouse of hand-made releases."""
    return made[0]


@pytest.fixture(scope="session")
def ids(made: tuple[Warehouse, dict[str, str]]) -> dict[str, str]:
    """Release ids: ``2023``, ``2024`` (sunan-2017) and ``graded`` (huaian-2024)."""
    return made[1]


@pytest.fixture(scope="session")
def client(warehouse: Warehouse) -> Iterator[TestClient]:
    """A client of the application over that warehouse."""
    with TestClient(create_app(warehouse), base_url="http://127.0.0.1") as made_client:
        yield made_client


@pytest.fixture
def empty(tmp_path: Path) -> Warehouse:
    """A warehouse for a test that writes into it."""
    return Warehouse(tmp_path / "own").create()


@pytest.fixture(scope="session")
def demo_client(served_home: Warehouse) -> Iterator[TestClient]:
    """A client of the application over the small demo."""
    with TestClient(create_app(served_home), base_url="http://127.0.0.1") as made_client:
        yield made_client
