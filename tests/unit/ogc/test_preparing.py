"""Preparing: once, by another process where a release is large, and no client waits without end."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.ogc import collections
from api.ogc.shelf import Shelf
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

ITEMS = "/ogc/collections/regions/items?limit=10000"
FRAME = pl.DataFrame({"id": ["a"], "geometry": [None]}, schema={"id": pl.String, "geometry": pl.Binary})


def test_a_large_release_is_prepared_by_another_process(
    demo_home: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Warehouse(
        Path(shutil.copytree(demo_home.home, tmp_path / "own", ignore=shutil.ignore_patterns("loads", "cache")))
    )
    with TestClient(create_app(own), base_url="http://127.0.0.1") as client:
        right = client.get(ITEMS).json()["features"]
        shutil.rmtree(own.home / "cache")
    asked: list[str] = []
    real = collections.elsewhere
    monkeypatch.setattr(collections, "elsewhere", lambda shelf, *more: (asked.append(more[1]), real(shelf, *more))[1])
    monkeypatch.setattr(collections, "LARGE", 10)
    with TestClient(create_app(own), base_url="http://127.0.0.1") as client:
        assert client.get(ITEMS).json()["features"] == right
        assert client.get(ITEMS).json()["features"] == right
    assert asked == ["regions"]


def test_a_client_does_not_wait_without_end(tmp_path: Path) -> None:
    shelf, go_on = Shelf(tmp_path, wait=0.05), threading.Event()
    made: list[int] = []

    def make() -> tuple[pl.DataFrame, str]:
        made.append(1)
        go_on.wait(30)
        return FRAME, "id"

    for _ in range(3):
        with pytest.raises(PermuError) as told:
            shelf.features("r", "x|1", make)
        assert told.value.code == "not_ready"
    go_on.set()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            found = shelf.features("r", "x|1", make)
            break
        except PermuError:
            time.sleep(0.05)
    assert found.count == 1 and made == [1]


def test_what_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)

    def broken() -> tuple[pl.DataFrame, str]:
        raise PermuError("cannot_prepare", "no", "否")

    for _ in range(2):
        with pytest.raises(PermuError, match=r"no|否"):
            shelf.features("r", "x|1", broken)
    assert shelf.features("r", "x|1", lambda: (FRAME, "id")).count == 1


def test_a_damaged_folder_is_made_again(tmp_path: Path) -> None:
    first = Shelf(tmp_path).features("r", "x|1", lambda: (FRAME, "id"))
    (first.folder / "boxes.npy").unlink()
    assert Shelf(tmp_path).features("r", "x|1", lambda: (FRAME, "id")).boxes.shape == (1, 4)
