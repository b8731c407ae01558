"""A copy of the small demo, asked as the local administrator and as users of every role."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.rights import users
from engine.releases import list_releases
from engine.schema.warehouse import Warehouse

DESK = "/api/v1/desk"


@dataclass(frozen=True)
class Asking:
    """A client at the desk; ``key`` of a user, none for the local administrator."""

    client: TestClient
    warehouse: Warehouse
    keys: dict[str, str]

    def get(self, path: str, who: str | None = None, status: int = 200, **asked: object) -> Any:
        """The JSON of an answer of this status (bytes of a file)."""
        given = {k: str(v) for k, v in asked.items() if v is not None}
        answer = self.client.get(f"{DESK}/{path}", params=given, headers=self._who(who))
        return self._told(answer, status)

    def post(self, path: str, body: dict[str, object], who: str | None = None, status: int = 200) -> Any:
        """The JSON of an answer to a change."""
        return self._told(self.client.post(f"{DESK}/{path}", json=body, headers=self._who(who)), status)

    def _who(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[who]}"} if who else {}

    @staticmethod
    def _told(answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.content

    @property
    def releases(self) -> dict[str, str]:
        """Release ids by year-policy."""
        return {f"{r['year']}-{r['policy']}": r["release_id"] for r in reversed(list_releases(self.warehouse))}


def copied(demo_folder: Path, place: Path) -> Warehouse:
    """The demo's warehouse, to write to."""
    return Warehouse(Path(shutil.copytree(demo_folder / "warehouse", place)))


@pytest.fixture(scope="module")
def desk(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """The local administrator's desk; a test that decides takes its decision back."""
    home = copied(demo_folder, tmp_path_factory.mktemp("desk") / "home")
    with TestClient(create_app(home), base_url="http://127.0.0.1") as client:
        yield Asking(client, home, {})


@pytest.fixture(scope="module")
def offices(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Users: ``province`` and ``city`` (land bureaus of 32 and of one city), regulator, gis, enterprise, public."""
    home = copied(demo_folder, tmp_path_factory.mktemp("offices") / "home")
    table = pl.read_parquet(next(home.releases.glob("2024-huaian*")) / "rankings.parquet")
    wanted = {
        "province": ("land_bureau", "32", None),
        "city": ("land_bureau", "3205", None),
        "regulator": ("regulator", None, None),
        "gis": ("gis", None, None),
        "enterprise": ("enterprise", None, table["enterprise_id"][0]),
        "public": ("public", None, None),
    }
    keys = {name: users.add(home, name, *about)[1] for name, about in wanted.items()}
    with TestClient(create_app(home), base_url="http://127.0.0.1") as client:
        yield Asking(client, home, keys)
