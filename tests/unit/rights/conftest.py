"""A copy of the small demo with users of every role: 2024 is published (both policies), 2023 is a draft."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.rights import users
from engine.releases import list_releases
from engine.schema.columns import ROLES
from engine.schema.warehouse import Warehouse
from engine.states import change_state
from tests.conftest import made_once

if TYPE_CHECKING:
    from tests.unit.rights.asked import Real

# Users beside one of each role: those of the land bureau's city, who are named by role and place.
REGIONAL = {"regulator_city": "regulator", "gis_city": "gis"}
WHO = (*ROLES, *REGIONAL)


def role_of(who: str) -> str:
    """The role of a user of the test."""
    return REGIONAL.get(who, who)


@dataclass(frozen=True)
class World:
    """The warehouse, its releases by year-policy, the users' keys, the bureau's city and the firm's id."""

    warehouse: Warehouse
    releases: dict[str, str]
    keys: dict[str, str]
    city: str
    firm: str
    client: TestClient

    def region_of(self, who: str) -> str | None:
        """The region that a user is limited to."""
        return self.city if who == "land_bureau" or who in REGIONAL else None

    def get(self, who: str, path: str, **more: object):  # type: ignore[no-untyped-def]  # httpx is a library of tests
        """Ask as a user (a role, or one of REGIONAL), by its key."""
        headers = {"Authorization": f"Bearer {self.keys[who]}", **more.pop("headers", {})}  # type: ignore[dict-item]
        return self.client.get(path, headers=headers, **more)  # type: ignore[arg-type]

    def table(self, name: str) -> pl.DataFrame:
        """The rankings of a release."""
        return pl.read_parquet(self.warehouse.releases / self.releases[name] / "rankings.parquet")


@pytest.fixture(scope="session")
def world(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For reading; what is asked of it is audited."""
    home = tmp_path_factory.mktemp("rights") / "warehouse"
    without = shutil.ignore_patterns("layers")
    shutil.copytree(demo_folder / "warehouse", home, copy_function=_linked, ignore=without)
    warehouse = Warehouse(home)
    releases = {f"{r['year']}-{r['policy']}": r["release_id"] for r in list_releases(warehouse)}
    layers = made_once(tmp_path_factory, "rights-layers", lambda _: None)
    for name, release in releases.items():
        _share(warehouse.releases / release / "layers", layers / release)
        if name.startswith("2024"):
            change_state(warehouse, release, "public", "for the test")
    table = pl.read_parquet(warehouse.releases / releases["2024-huaian-2024"] / "rankings.parquet")
    city = table["region_city"].drop_nulls().mode().sort()[0]
    graded = table.filter(pl.col("score").is_not_null() & pl.col("tax_fen").is_not_null())
    firm = graded["enterprise_id"].sort()[0]
    wanted = {
        "land_bureau": (city, None),
        "regulator": (None, None),
        "gis": (None, None),
        "enterprise": (None, firm),
        "public": (None, None),
        **dict.fromkeys(REGIONAL, (city, None)),
    }
    keys = {who: users.add(warehouse, f"a-{who}", role_of(who), *place)[1] for who, place in wanted.items()}
    with TestClient(create_app(warehouse), base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield World(warehouse, releases, keys, city, firm, client)


@pytest.fixture(scope="session")
def real(world: World) -> Real:
    """Ids that there are."""
    from tests.unit.rights.asked import real_ids

    return real_ids(world)


def _share(place: Path, common: Path) -> None:
    """Files of layers follow from release and rights alone: all workers of a run make each once."""
    common.mkdir(exist_ok=True)
    place.symlink_to(common, target_is_directory=True)


def _linked(source: str, place: str) -> str:
    """Files of releases and loads never change: links; the ledger is copied."""
    if Path(source).name.startswith(("permu.sqlite", "lock")):
        return str(shutil.copy2(source, place))
    Path(place).hardlink_to(source)
    return place


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., TestClient]:
    """A client over an empty warehouse of the test's own, with users."""

    def make(**settings: object) -> TestClient:
        from api.operations.settings import Settings

        warehouse = Warehouse(tmp_path / "own").create()
        with warehouse.connect():
            pass
        app = create_app(warehouse, settings=Settings(**settings))  # type: ignore[arg-type]
        return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)

    return make
