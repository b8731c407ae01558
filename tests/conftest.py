"""Fixtures for every test: the shared folder, an empty warehouse, and one small demo made once for the whole run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from engine.schema.warehouse import Warehouse

# How long one example takes says nothing on a machine that does other work beside.
settings.register_profile("permu", deadline=None)
settings.load_profile("permu")

CHECKOUT = Path(__file__).resolve().parents[1]
DEMO_ENTERPRISES, DEMO_YEARS = 400, (2023, 2024)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The project's folder."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs and outside judges beside the checkout; it is no part of the project."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside the checkout: its real inputs and judges are not part of the project")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Warehouse:
    """An empty warehouse of this test's own."""
    return Warehouse(tmp_path / "warehouse").create()


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """drops/, truth/ and warehouse/ of a small demo (400 enterprises, 2023 and 2024), ranked by both packs.

    Made by the first worker that asks and used by all: a test that writes takes a copy.
    """
    return made_once(tmp_path_factory, "demo", _make_demo)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker of a run makes and all use."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with (folder.parent / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.parent / f"{name}.done"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # perhaps half made by a worker that failed
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def _make_demo(folder: Path) -> None:
    from data.demo import generate
    from engine.ranking.run import rank
    from ingest.load import ingest
    from ingest.merge import merge

    generate(folder, enterprises=DEMO_ENTERPRISES, years=DEMO_YEARS)
    warehouse = Warehouse(folder / "warehouse").create()
    ingest(warehouse, [folder / "drops"])
    for year in DEMO_YEARS:
        merge(warehouse, year)
    for year, policy in [(2023, "sunan-2017"), (2024, "sunan-2017"), (2024, "huaian-2024")]:
        rank(warehouse, year, policy)


@pytest.fixture(scope="session")
def demo_home(demo_folder: Path) -> Warehouse:
    """The small demo's warehouse; for reading only (a server writes its log: it serves :func:`served_home`)."""
    return Warehouse(demo_folder / "warehouse")


@pytest.fixture(scope="session")
def served_home(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A copy of the small demo's warehouse for servers: views are kept in its ledger, prepared files beside its releases."""
    place = tmp_path_factory.mktemp("served") / "warehouse"
    return Warehouse(Path(shutil.copytree(demo_home.home, place, ignore=shutil.ignore_patterns("*-shm", "lock"))))
