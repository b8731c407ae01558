"""Titles of departments are those of their declarations; every way of linking has one."""

from __future__ import annotations

import polars as pl
import pytest

from engine.schema.sources import METHODS, SOURCES, method_title, source_title
from engine.schema.warehouse import Warehouse
from ingest.declared import sources


def test_departments_are_called_as_their_declarations_say() -> None:
    declared = {name: (one.title["zh"], one.title["en"]) for name, one in sources().items()}
    assert declared == SOURCES


@pytest.mark.slow
def test_every_method_of_the_demo_has_a_title(demo_home: Warehouse) -> None:
    found: set[str] = set()
    for folder in demo_home.merged.iterdir():
        for name in ("links", "claims"):
            found |= set(pl.read_parquet(folder / f"{name}.parquet", columns=["method"])["method"])
    assert found and found - set(METHODS) == set()


def test_what_is_not_known_is_its_own_title() -> None:
    assert source_title("own_list", True) == "own_list" and method_title("own", False) == "own"
