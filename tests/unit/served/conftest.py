"""The releases of the small demo, each as a board over prepared files and as one over its table in memory."""

from __future__ import annotations

import pytest

from engine.query import Board
from engine.releases import list_releases, open_release
from engine.schema.warehouse import Warehouse
from engine.served import Served, prepare

Pair = tuple[Board, Board]


@pytest.fixture(scope="session")
def boards(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """policy → (prepared, in memory) of 2024."""
    found = {}
    for line in list_releases(demo_home):
        if line["year"] == 2024:
            release = open_release(demo_home.releases / line["release_id"])
            folder = tmp_path_factory.mktemp("served") / "files"
            prepare(release.rankings, release.manifest, folder)
            found[line["policy"]] = (Board(release, Served(folder)), Board(release))
    return found
