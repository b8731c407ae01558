"""Pages of features answered before routing: for every role what the route says, refused, limited and audited alike."""

from __future__ import annotations

import gzip
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from fastapi.testclient import TestClient

from api.app import create_app
from api.first import Asked
from api.ogc.quick import QuickItems
from api.operations import chain
from api.rights import users
from api.rights.routes import quick_rule
from engine.layers import LAYERS
from engine.schema.columns import ROLES
from engine.schema.warehouse import Warehouse
from tests.unit.rights.conftest import World
from tests.unit.rights.test_layers_by_role import MAY

ITEMS = "/ogc/collections/parcels/items"
_STAMP = re.compile(rb'"timeStamp":"[^"]+"')  # of the moment
QUESTIONS = ["", "?limit=2", "?f=json&limit=1", "?limit=100"]
real = QuickItems.answer
Log = list[bool]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Grows with every request for items: whether it was answered before routing."""
    told: Log = []

    def noted(self: QuickItems, asked: Asked) -> Any:
        told.append(False)
        found = real(self, asked)
        told[-1] = found is not None
        return found

    monkeypatch.setattr(QuickItems, "answer", noted)
    return told


def quickly(get: Callable[[], Any], quick: Log) -> Any:
    """The answer that did not come from the route (which answers once after the ledger was written)."""
    for _ in range(20):
        quick.clear()
        answer = get()
        if quick == [True]:
            return answer
    raise AssertionError("the route answers every time")


def routed(get: Callable[[], Any]) -> Any:
    """The route's answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickItems, "rule", lambda *_: None)
        return get()


def same(one: Any, other: Any) -> None:
    """Two answers that differ in nothing but the moment."""
    own = {"x-request-id"}
    headers = [{k: v for k, v in a.headers.items() if k not in own} for a in (one, other)]
    packed = "content-encoding" in headers[0]
    for held in headers if packed else ():
        held.pop("content-length")  # the moment packs a byte more or less
    assert one.status_code == other.status_code and headers[0] == headers[1]
    assert _STAMP.sub(b"", one.content) == _STAMP.sub(b"", other.content)


@pytest.mark.parametrize("role", [*ROLES, "gis_city"])
def test_the_quick_answer_is_the_route_s(world: World, role: str, quick: Log) -> None:
    for layer in sorted(MAY[role]):
        for root in ("/ogc", f"/ogc/releases/{world.releases['2024-huaian-2024']}"):
            for question in QUESTIONS:
                path = f"{root}/collections/{layer}/items{question}"

                def get(path: str = path, **headers: str) -> Any:
                    return world.get(role, path, headers=headers)

                first = routed(get)
                same(quickly(get, quick), first)
                held = {"If-None-Match": first.headers["etag"]}
                fresh = quickly(lambda: get(**held), quick)  # noqa: B023  # asked at once
                assert fresh.status_code == 304 and not fresh.content
                same(fresh, routed(lambda: get(**held)))  # noqa: B023


def test_pages_that_follow_each_other_are_the_whole(world: World, quick: Log) -> None:
    whole = world.get("regulator", f"{ITEMS}?limit=10000").json()
    found, url = [], f"{ITEMS}?limit=7"
    while url:
        page = quickly(lambda: world.get("regulator", url), quick).json()  # noqa: B023
        found += page["features"]
        url = next((one["href"] for one in page["links"] if one["rel"] == "next"), None)
    assert found == whole["features"] and len(found) == whole["numberMatched"] > 20


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_every_encoding_holds_the_same(world: World, quick: Log, encoding: str) -> None:
    def get() -> tuple[Any, bytes]:
        with world.client.stream(
            "GET", ITEMS, headers={"Authorization": f"Bearer {world.keys['gis']}", "Accept-Encoding": encoding}
        ) as answer:
            return answer, b"".join(answer.iter_raw())

    answer, raw = quickly(get, quick)
    assert answer.headers.get("content-encoding", "identity") == encoding
    plain = world.get("gis", f"{ITEMS}?limit=100", headers={"Accept-Encoding": "identity"}).content
    unpacked = {"gzip": gzip.decompress, "zstd": zstandard.ZstdDecompressor().decompress, "identity": bytes}[encoding](
        raw
    )
    features = [orjson.loads(body)["features"] for body in (unpacked, plain)]
    assert features[0] == features[1] and len(features[0]) == 100
    assert encoding == "identity" or len(raw) < len(plain) / 3


@pytest.mark.parametrize(
    "question",
    [
        "limit=101", "limit=0", "limit=x", "limit=1&limit=1", "f=html", "f=xml", "cursor=AAAA", "cursor=%FF", "bbox=1,2,3,4",
        "datetime=2024-01-01", "crs=x", "filter=grade%3D%27A%27", "grade=A", "nonsense=1", "f=json&f=json",
    ],
)  # fmt: skip
def test_what_needs_words_or_work_is_the_route_s(world: World, quick: Log, question: str) -> None:
    quickly(lambda: world.get("gis", ITEMS), quick)
    quick.clear()
    for _ in range(20):
        answer = world.get("gis", f"{ITEMS}?{question}")
        if quick:  # not asked when the ledger was just written
            break
    assert quick == [False] and answer.status_code in (200, 400)
    assert world.get("gis", ITEMS, headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html")


def test_no_page_for_who_may_not_see_it(world: World, quick: Log) -> None:
    draft = f"/ogc/releases/{world.releases['2023-sunan-2017']}/collections/regions/items"
    quickly(lambda: world.get("regulator", draft), quick)
    for role in ("public", "enterprise"):
        assert world.get(role, draft).status_code == 404
    for role, layers in MAY.items():
        for layer in set(LAYERS) - set(layers):
            quick.clear()
            path = f"/ogc/collections/{layer}/items"
            answer = world.get(role, path)
            assert answer.status_code == 403 and f"layer_{layer}" in answer.json()["detail"] and not any(quick)
            key = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer %s" % world.keys[role].encode())]
            rule, door = quick_rule(path), world.client.app.first.door  # type: ignore[attr-defined]
            assert rule is not None and door.viewer(rule, key) is None
    for headers in ({}, {"Authorization": "Bearer nope"}):
        assert world.client.get(ITEMS, headers=headers).status_code in (401, 403)
    assert world.get("gis", ITEMS, headers={"Host": "evil.example"}).json()["code"] == "bad_host"


@pytest.fixture
def keyed(demo_home: Warehouse, tmp_path: Path) -> tuple[Warehouse, dict[str, str]]:
    """A demo of the test's own, the header of a regulator's key."""
    home = shutil.copytree(demo_home.home, tmp_path / "w", ignore=shutil.ignore_patterns("*-shm", "lock", "loads"))
    warehouse = Warehouse(Path(home))
    return warehouse, {"Authorization": f"Bearer {users.add(warehouse, 'yu', 'regulator')[1]}"}


def test_a_page_is_audited_in_the_same_words_whoever_made_it(
    keyed: tuple[Warehouse, dict[str, str]], quick: Log
) -> None:
    warehouse, header = keyed
    path = "/ogc/collections/regions/items"
    with TestClient(create_app(warehouse), base_url="http://localhost", headers=header) as client:
        for _ in range(12):
            assert client.get(path, params={"limit": 3}).status_code == 200
        assert 0 < sum(quick) < 12
        users.disable(warehouse, "yu")
        time.sleep(0.6)
        assert client.get(path).status_code == 401
    rows = [row for row in chain.rows(warehouse) if row["user"] == "yu"]  # a demo that was served before has others
    told = [{k: v for k, v in row.items() if k not in ("seq", "at", "times", "hash")} for row in rows]
    assert all(row == told[0] for row in told), told
    assert told[0]["route"] == path and told[0]["question"] == "limit=3" and sum(row["times"] for row in rows) == 12


def test_a_release_without_its_folder_is_503_and_recovers(
    keyed: tuple[Warehouse, dict[str, str]], quick: Log, tmp_path: Path
) -> None:
    warehouse, header = keyed
    path = "/ogc/collections/regions/items"
    with TestClient(create_app(warehouse), base_url="http://localhost", headers=header) as client:
        first = quickly(lambda: client.get(path), quick)
        folder = next(f for f in warehouse.releases.iterdir() if f.name in client.get("/ogc/").json()["description"])
        folder.rename(tmp_path / "away")
        gone = client.get(path)
        assert (gone.status_code, gone.json()["code"]) == (503, "release_gone")
        (tmp_path / "away").rename(folder)
        same(quickly(lambda: client.get(path), quick), first)


@pytest.mark.parametrize(("name", "value"), [("SIZE", 1000), ("addresses", None)])
def test_what_is_large_or_fails_is_the_route_s(
    world: World, quick: Log, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    first = quickly(lambda: world.get("gis", ITEMS), quick)
    monkeypatch.setattr(f"api.ogc.quick.{name}", value)
    quick.clear()
    for _ in range(20):
        same(world.get("gis", ITEMS), first)
    assert name == "addresses" or (quick and not any(quick))


def test_a_key_that_is_no_text_is_no_key(world: World) -> None:
    for start in (b"Basic ", b"Bearer ", b""):
        for path in (ITEMS, "/api/v1/rankings", f"{ITEMS}/1"):
            answer = world.client.get(path, headers={"Authorization": start + b"\xe9"})
            assert answer.status_code == 401 and answer.json()["code"] == "unauthorized"


def test_a_layer_whose_table_went_is_no_layer(
    keyed: tuple[Warehouse, dict[str, str]], quick: Log, tmp_path: Path
) -> None:
    warehouse, header = keyed
    path = "/ogc/collections/parcels/items"
    with TestClient(create_app(warehouse), base_url="http://localhost", headers=header) as client:
        first = quickly(lambda: client.get(path), quick)
        folder = next(f for f in warehouse.releases.iterdir() if f.name in client.get("/ogc/").json()["description"])
        tables = [folder / f"{needed}.parquet" for needed in LAYERS["parcels"].needs]
        tables[0].rename(tmp_path / "away")
        gone = client.get(path)
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown_layer")
        (tmp_path / "away").rename(tables[0])
        same(quickly(lambda: client.get(path), quick), first)
