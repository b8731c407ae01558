"""Too often is 429 on every way to an answer, a region of others 403 on every route that takes one, and soon said."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.ogc.quick import QuickItems, QuickTiles
from api.operations.settings import Settings
from api.rights import users
from engine.schema.warehouse import Warehouse
from tests.unit.rights.asked import FORMATS, Real
from tests.unit.rights.conftest import REGIONAL, World

BURST = 30
SECONDS = 0.05  # of processor time, to say no


@pytest.fixture(scope="module")
def few(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Warehouse]]:
    """A server of a demo of its own that answers each user only so often."""
    home = tmp_path_factory.mktemp("few") / "w"
    shutil.copytree(demo_home.home, home, ignore=shutil.ignore_patterns("*-shm", "lock", "loads"))
    warehouse = Warehouse(Path(home))
    users.add(warehouse, "first", "regulator")
    app = create_app(warehouse, settings=Settings(rate=0.001, burst=BURST))
    with TestClient(app, base_url="http://localhost") as client:
        yield client, warehouse


@pytest.mark.parametrize(
    ("lookup", "path"),
    [
        (QuickItems, "/ogc/collections/regions/items?limit=3"),
        (QuickTiles, "/ogc/collections/regions/tiles/WebMercatorQuad/8/104/213"),
    ],
)
def test_what_is_answered_before_routing_takes_from_the_rate(
    few: tuple[TestClient, Warehouse], monkeypatch: pytest.MonkeyPatch, lookup: type, path: str
) -> None:
    client, warehouse = few
    header = {"Authorization": f"Bearer {users.add(warehouse, lookup.__name__, 'regulator')[1]}"}
    time.sleep(0.6)
    quick: list[object] = []
    answered = lookup.answer
    monkeypatch.setattr(lookup, "answer", lambda *a: quick.append(answered(*a)) or quick[-1])
    answers = [client.get(path, headers=header) for _ in range(BURST + 3)]
    assert [a.status_code for a in answers] == [200] * BURST + [429] * 3 and sum(map(bool, quick)) > 5
    assert answers[-1].json()["code"] == "too_many_requests" and int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.parametrize("who", ["land_bureau", *REGIONAL])
@pytest.mark.parametrize(
    "route",
    ["rankings?", "rankings/bottom?", "summary?", "rankings/ids?", "rankings/places?", "overview/concentration?",
     "overview/quadrant?", "overview/distribution?", "report?", *(f"rankings?format={form}&" for form in FORMATS),
     *(f"rankings/bottom?format={form}&" for form in FORMATS)],
)  # fmt: skip
def test_a_region_of_others_is_refused_at_once(world: World, real: Real, who: str, route: str) -> None:
    best = 1.0
    for outside in ("3201", "32", "320102"):
        address = f"/api/v1/{route}release={real.release}&region={outside}"
        begun = time.process_time()
        answer = world.get(who, address)
        best = min(best, time.process_time() - begun)
        rule = "report" if (who, route) == ("gis_city", "report?") else "region"
        assert (answer.status_code, answer.json()["rule"]) == (403, rule), (address, answer.text)
    assert best < SECONDS, best


@pytest.mark.parametrize("who", ["land_bureau", *REGIONAL])
def test_a_firm_of_elsewhere_is_not_there_at_once(world: World, real: Real, who: str) -> None:
    best = 1.0
    for _ in range(3):
        begun = time.process_time()
        answer = world.get(who, f"/api/v1/enterprises/{real.firms[1]}?release={real.release}")
        best = min(best, time.process_time() - begun)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_enterprise")
    assert best < SECONDS, best
