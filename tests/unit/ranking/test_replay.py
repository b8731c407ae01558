"""A release ranks again to the same hash from what it holds itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from engine.ranking.run import own_base_year, replayed_sha256
from engine.releases import find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse


@pytest.fixture
def purged(demo_folder: Path, tmp_path: Path) -> Warehouse:
    """A copy of the demo's warehouse whose merges, canonical tables and files are gone."""
    copy = tmp_path / "warehouse"
    shutil.copytree(demo_folder / "warehouse", copy)
    for name in ("merged", "canonical", "loads"):
        shutil.rmtree(copy / name)
    return Warehouse(copy).create()


@pytest.mark.parametrize("policy", ["sunan-2017", "huaian-2024"])
def test_replay_needs_nothing_but_the_release(purged: Warehouse, policy: str) -> None:
    release = find(purged, policy=policy, year=2024)
    assert replayed_sha256(purged, release) == release.manifest["rankings_sha256"]


@pytest.mark.parametrize("table", ["facts_wide", "base/facts_wide"])
def test_replay_sees_one_changed_figure(purged: Warehouse, table: str) -> None:
    release = find(purged, policy="huaian-2024", year=2024)
    file = release.folder / f"{table}.parquet"
    facts = pl.read_parquet(file)
    known = facts.with_row_index().filter(pl.col("vat_fen") > 0, pl.col("land_dm2_days") > 10**8)["index"][0]
    bumped = pl.when(pl.int_range(pl.len()) == known).then(pl.col("vat_fen") * 2 + 10**9).otherwise("vat_fen")
    facts.with_columns(vat_fen=bumped).write_parquet(file)
    assert replayed_sha256(purged, release) != release.manifest["rankings_sha256"]


def test_a_release_without_its_base_year_says_so(purged: Warehouse) -> None:
    release = find(purged, policy="huaian-2024", year=2024)
    shutil.rmtree(release.folder / "base")
    with pytest.raises(PermuError) as refused:
        own_base_year(purged, release)
    assert refused.value.code == "base_gone" and "2023" in refused.value.en
