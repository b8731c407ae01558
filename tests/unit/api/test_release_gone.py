"""A release that is taken away under a server: every kind of answer says so, and is the same again once it is back."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.app import create_app
from engine.releases import find
from engine.schema.warehouse import Warehouse

V1, TILES = "/api/v1", "/ogc/collections/regions/tiles"
ROUTES = {
    "rankings": f"{V1}/rankings?limit=5",
    "rankings by q": f"{V1}/rankings?q=9",
    "ids": f"{V1}/rankings/ids",
    "csv": f"{V1}/rankings?format=csv",
    "xlsx": f"{V1}/rankings?format=xlsx",
    "parquet": f"{V1}/rankings?format=parquet",
    "bottom": f"{V1}/rankings/bottom?percent=5",
    "bottom as csv": f"{V1}/rankings/bottom?percent=5&format=csv",
    "summary": f"{V1}/summary",
    "distribution": f"{V1}/overview/distribution",
    "concentration": f"{V1}/overview/concentration",
    "quadrant": f"{V1}/overview/quadrant",
    "movement": f"{V1}/overview/movement",
    "targets": f"{V1}/overview/targets",
    "industries": f"{V1}/industries",
    "enterprise": f"{V1}/enterprises/FIRM",
    "explain": f"{V1}/enterprises/FIRM/explain",
    "history": f"{V1}/enterprises/FIRM/history",
    "facts": f"{V1}/enterprises/FIRM/facts",
    "parcels": f"{V1}/enterprises/FIRM/parcels",
    "standing": f"{V1}/enterprises/FIRM/standing",
    "check-up": f"{V1}/enterprises/FIRM/checkup",
    "check-up as pdf": f"{V1}/enterprises/FIRM/checkup?format=pdf",
    "report": f"{V1}/report",
    "layer as geojson": "/layers/regions.geojson",
    "layer as flatgeobuf": "/layers/enterprises.fgb",
    "landing page": "/ogc/",
    "definition": "/ogc/api",
    "collections": "/ogc/collections",
    "collection": "/ogc/collections/regions",
    "queryables": "/ogc/collections/regions/queryables",
    "items": "/ogc/collections/regions/items?limit=3",
    "items by filter": "/ogc/collections/enterprises/items?filter=land_mu>1&limit=3",
    "items of a named release": "/ogc/releases/RELEASE/collections/regions/items?limit=3",
    "single item": "/ogc/collections/regions/items/320102",
    "tile sets": TILES,
    "tile set": f"{TILES}/WebMercatorQuad",
    "tilejson": f"{TILES}/WebMercatorQuad?f=tilejson",
    "tile": f"{TILES}/WebMercatorQuad/4/6/13",
}
LOST = ("the folder", "manifest.json", "rankings.parquet")
RESTS_ON_POLICY = {
    "csv",
    "xlsx",
    "summary",
    "concentration",
    "movement",
    "explain",
    "history",
    "facts",
    "check-up",
    "report",
}


class Moment(datetime):
    """A clock that stands, for files that say when they were written."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime(2025, 6, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A warehouse of the module's own, its default release, and a server that has answered everything once."""

    warehouse: Warehouse
    release: str
    firm: str
    client: TestClient
    before: dict[str, Response]

    def get(self, what: str, client: TestClient | None = None, **headers: str) -> Response:
        """Ask, of the server or of another one."""
        path = ROUTES[what].replace("FIRM", self.firm).replace("RELEASE", self.release)
        return (client or self.client).get(path, headers=headers)

    @contextmanager
    def without(self, what: str) -> Iterator[None]:
        """While the folder of the release, or a file of it, is elsewhere."""
        folder, away = self.warehouse.releases / self.release, self.warehouse.home / "away"
        place = folder if what == "the folder" else folder / what
        place.rename(away)
        try:
            yield
        finally:
            away.rename(place)


def server(warehouse: Warehouse) -> TestClient:
    """A client of a new application."""
    return TestClient(create_app(warehouse), base_url="http://localhost", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def world(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    left = shutil.ignore_patterns("*-shm", "lock", "loads")
    home = Warehouse(Path(shutil.copytree(demo_home.home, tmp_path_factory.mktemp("gone") / "w", ignore=left)))
    release = find(home, year=2024)
    firm = str(pl.scan_parquet(release.folder / "rankings.parquet").select("enterprise_id").first().collect().item())
    with pytest.MonkeyPatch.context() as patch, server(home) as client:
        patch.setattr("engine.schema.warehouse.datetime", Moment)
        patch.setattr("api.ogc.items.datetime", Moment)
        made = World(home, release.id, firm, client, {})
        made.before.update({what: made.get(what) for what in ROUTES})
        yield made


def gone(answer: Response, release: str) -> bool:
    """Whether an answer says what docs/deploy.md promises."""
    media = answer.headers.get("content-type")
    told = answer.json() if media == "application/problem+json" else {}
    said = (answer.status_code, told.get("code"), answer.headers.get("retry-after"))
    return said == (503, "release_gone", "5") and release in told["detail"]


def content(answer: Response) -> bytes | dict[str, bytes]:
    """The answer's bytes; of a spreadsheet, which holds the time of its making, its parts."""
    if "openxml" not in answer.headers["content-type"]:
        return answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        return {name: parts.read(name) for name in parts.namelist() if name != "docProps/core.xml"}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("what", ROUTES)
def test_without_its_release_every_answer_is_503_and_then_the_same_again(world: World, what: str, lost: str) -> None:
    before = world.before[what]
    assert before.status_code == 200 and before.content
    with world.without(lost):
        answers = [world.get(what), world.get(what, **{"If-None-Match": before.headers.get("etag", "*")})]
    again = world.get(what)
    assert [a.text[:300] for a in answers if not gone(a, world.release)] == []
    assert again.status_code == 200 and content(again) == content(before)
    kept = ("content-type", "etag", "x-permu-release", "content-disposition")
    assert [again.headers.get(n) for n in kept] == [before.headers.get(n) for n in kept]


@pytest.mark.parametrize("lost", [*LOST, "policy.yaml"])
def test_a_server_that_is_started_meanwhile_says_the_same(world: World, lost: str) -> None:
    """The policy is read by those answers alone that rest on it."""
    client = server(world.warehouse)
    with world.without(lost):
        told = {what: world.get(what, client) for what in ROUTES}
    wrong = {what: (a.status_code, a.text[:200]) for what, a in told.items() if not gone(a, world.release)}
    if lost == "policy.yaml":
        assert {status for status, _ in wrong.values()} == {200} and not RESTS_ON_POLICY & wrong.keys()
    else:
        assert wrong == {}
    assert {w for w in ROUTES if content(world.get(w, client)) != content(world.before[w])} == set()


@pytest.mark.parametrize("lost", LOST)
def test_the_list_of_releases_says_which_is_not_there(world: World, lost: str) -> None:
    before = world.client.get(f"{V1}/releases")
    with world.without(lost):
        answer = world.client.get(f"{V1}/releases", headers={"If-None-Match": before.headers["etag"]})
        ready = world.client.get("/readyz")
    there = {r["release_id"]: r["available"] for r in answer.json()["releases"]}
    assert len(there) == 3 and [release for release, is_there in there.items() if not is_there] == [world.release]
    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready") and ready.headers["retry-after"]
    assert world.client.get(f"{V1}/releases").content == before.content and world.client.get("/readyz").is_success


def test_other_releases_are_answered_meanwhile(world: World) -> None:
    with world.without("the folder"):
        for path in (f"{V1}/rankings?year=2023", f"{V1}/rankings?policy=huaian-2024"):
            assert world.client.get(path).status_code == 200
