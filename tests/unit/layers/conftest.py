"""Releases of the small demo: ranked by lists (sunan) and graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.layers import LAYERS, tiles
from engine.layers.archive import Archive
from engine.releases import Release, find
from engine.schema.warehouse import Warehouse


@pytest.fixture(scope="session")
def sunan(demo_home: Warehouse) -> Release:
    return find(demo_home, year=2024)


@pytest.fixture(scope="session")
def graded(demo_home: Warehouse) -> Release:
    return find(demo_home, year=2024, policy="huaian-2024")


@pytest.fixture(scope="session")
def tiled(graded: Release, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Archive, tiles.Tiled]]:
    """Layer → its archive and what was counted."""
    folder = tmp_path_factory.mktemp("tiles")
    made = {}
    for layer in LAYERS:
        place: Path = folder / f"{layer}.pmtiles"
        told = tiles.write(graded, layer, place)
        made[layer] = (Archive(place), told)
    return made
