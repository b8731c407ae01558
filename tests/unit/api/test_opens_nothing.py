"""What is answered on the event loop opens no file, lists no folder and starts no process (an audit hook of the
interpreter sees all that its thread does). Files that are open already may be read."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

from api.app import create_app
from api.operations.settings import Settings
from engine.schema.warehouse import Warehouse

RANKINGS, PARCELS, REGIONS = "/api/v1/rankings", "/ogc/collections/parcels", "/ogc/collections/regions"
TILES = "tiles/WebMercatorQuad"
ASKED: dict[str, tuple[str, dict[str, str]]] = {
    "a ranking": (f"{RANKINGS}?limit=4", {}),
    "its other end": (f"{RANKINGS}?limit=100&order=worst", {}),
    "a town's ranking": (f"{RANKINGS}?region=320507&by=benefit_per_mu", {}),
    "an industry's": (f"{RANKINGS}?industry=26", {}),
    "a group's, packed": (f"{RANKINGS}?industry=26&group=above_scale", {"accept-encoding": "zstd"}),
    "a policy's": (f"{RANKINGS}?policy=huaian-2024&by=score", {"accept-encoding": "gzip"}),
    "a tile": (f"{REGIONS}/{TILES}/4/6/13", {"accept-encoding": "gzip"}),
    "a tile, unpacked": (f"{PARCELS}/{TILES}/10/416/854", {}),
    "a tile of nothing": (f"{PARCELS}/{TILES}/10/414/848", {}),
    "a tile that is held": (f"{REGIONS}/{TILES}/4/6/13", {"if-none-match": "*"}),
    "features": (f"{PARCELS}/items", {}),
    "a hundred": (f"{PARCELS}/items?limit=100", {"accept-encoding": "zstd"}),
    "features as json": (f"{REGIONS}/items?f=json&limit=3", {"accept-encoding": "gzip"}),
    "features that are held": (f"{REGIONS}/items?limit=2", {"if-none-match": "*"}),
}
# What the routes open first, so that the rest is a look-up.
FIRST = [RANKINGS, f"{RANKINGS}?policy=huaian-2024", f"{RANKINGS}?industry=26&group=above_scale&limit=1", f"{REGIONS}/{TILES}/5/12/26",
         f"{PARCELS}/{TILES}/9/208/427", f"{PARCELS}/items?limit=1", f"{REGIONS}/items?limit=1"]  # fmt: skip
SEEN = ("open", "os.listdir", "os.scandir", "os.mkdir", "sqlite3.connect", "subprocess.Popen", "os.posix_spawn")
_watched: set[int] = set()
_opened: list[str] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _watched and event in SEEN and threading.get_ident() in _watched:
        _opened.append(f"{event} {args[0]}")


@pytest.fixture(scope="module", autouse=True)
def hooked() -> None:
    """Once: a hook stays as long as the interpreter."""
    sys.addaudithook(_hook)


async def ask(app: Any, address: str, headers: dict[str, str]) -> int:
    """The status of an answer."""
    path, _, query = address.partition("?")
    sent: list[Any] = []
    given = {"host": "localhost", **headers}
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": [(k.encode(), v.encode()) for k, v in given.items()],
        "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"]) if sent else 0


async def watched(app: Any, address: str, headers: dict[str, str]) -> tuple[int, list[str]]:
    """The status, and what was opened for it."""
    _opened.clear()
    _watched.add(threading.get_ident())
    try:
        status = await ask(app, address, headers)
    finally:
        _watched.clear()
    return status, list(_opened)


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """In the place of the routes: what is asked of them gets no answer."""


def test_what_the_event_loop_answers_opens_nothing(served_home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.fresh.LATEST", 10.0)  # of a busy machine
    app: Any = create_app(served_home, settings=Settings(patience=0.05))

    async def all_of_them() -> dict[str, tuple[int, list[str]]]:
        for address in FIRST:
            assert await ask(app, address, {}) in (200, 204)
        routes, app.first.app = app.first.app, nobody
        told = {}
        for what, (address, headers) in ASKED.items():
            for _ in range(20):  # a moment in which users were not read for half a second is the route's
                told[what] = await watched(app, address, headers)
                if told[what][0]:
                    break
        app.first.app = routes
        return told

    told = asyncio.run(all_of_them())
    statuses = {what: status for what, (status, _) in told.items()}
    special = {"a tile of nothing": 204, "a tile that is held": 304, "features that are held": 304}
    assert statuses == dict.fromkeys(ASKED, 200) | special
    assert {what: opened for what, (_, opened) in told.items() if opened} == {}


def test_the_hook_sees_what_a_route_opens(served_home: Warehouse) -> None:
    """Else the test above would hold of anything."""

    async def routed() -> tuple[int, list[str]]:
        app: Any = create_app(served_home)

        async def opens(scope: Any, receive: Any, send: Any) -> None:
            with served_home.ledger.open("rb"):
                pass

        app.first.app = opens
        return await watched(app, RANKINGS, {})

    assert asyncio.run(routed())[1] == [f"open {served_home.ledger}"]
