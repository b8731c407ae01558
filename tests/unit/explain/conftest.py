"""A copy of the small demo ranked by more packs: bases of this year, caps, ranges, less-is-better, extras, adjustments."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from engine.ranking.run import rank
from engine.releases import Release, find
from engine.schema.warehouse import Warehouse

OWN = Path(__file__).parent / "own.yaml"
POLICIES = ("huaian-2024", "illustrative-2024", "own")


@pytest.fixture(scope="session")
def many(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The demo's warehouse with releases of 2024 under :data:`POLICIES`, and events that the pack ``own`` counts."""
    home = tmp_path_factory.mktemp("explained") / "warehouse"
    shutil.copytree(demo_folder / "warehouse", home)
    warehouse = Warehouse(home).create()
    for merge in warehouse.merged.iterdir():
        _events(merge)
    for policy in ("illustrative-2024", str(OWN)):
        rank(warehouse, 2024, policy)
    return warehouse


def _events(merge: Path) -> None:
    """Every fifth enterprise had an accident, every seventh an award, both on the list of 2024."""
    ids = pl.read_parquet(merge / "enterprises.parquet")["enterprise_id"].sort()
    kinds = [("较大事故", ids.gather_every(5)), ("质量奖", ids.gather_every(7))]
    rows = [(i, kind, 2024, "通报", "events-2024-0", "名单", n) for kind, some in kinds for n, i in enumerate(some, 2)]
    names = {"enterprise_id": pl.String, "category": pl.String, "year": pl.Int32, "evidence": pl.String}
    shape = names | {"load_id": pl.String, "sheet": pl.String, "row": pl.Int32}
    (merge / "events.parquet").unlink(missing_ok=True)
    pl.DataFrame(rows, schema=shape, orient="row").write_parquet(merge / "events.parquet")


@pytest.fixture(scope="session")
def releases(many: Warehouse) -> dict[str, Release]:
    """The releases of 2024 by policy."""
    return {policy: find(many, policy=policy, year=2024) for policy in POLICIES}
