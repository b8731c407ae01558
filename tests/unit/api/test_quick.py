"""Ranking pages answered before routing: the same bytes as the route's, refused or limited questions left to it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import zstandard
from fastapi.testclient import TestClient

from api.app import create_app
from api.door import Door
from api.first import First, Views
from api.fresh import Fresh
from api.operations.audit import Audit
from api.operations.limits import Limits
from api.operations.settings import Settings
from api.quick import QuickPages, question_of
from api.ranking_page import ranking_page
from api.respond import encoding_of
from api.rights import Viewer
from api.rights.credentials import Directory, Identify
from api.store import Store
from engine.query import Selection, select
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

RANKINGS = "/api/v1/rankings"
QUESTIONS = [
    {},
    {"industry": "26", "order": "worst"},
    {"region": "320500", "by": "benefit_per_mu", "limit": "3"},
    {"region": "320571"},
    {"size": "small", "group": "above_scale", "year": "2024", "limit": "100"},
    {"policy": "huaian-2024", "by": "score"},
    {"by": "land_mu", "industry": "99"},
    {"by": "grade", "policy": "huaian-2024"},
]


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows whenever the route makes a page."""
    asked: list[int] = []

    def noted(*given: Any) -> bytes:
        asked.append(1)
        return ranking_page(*given)

    monkeypatch.setattr("api.routes.rankings.ranking_page", noted)
    return asked


def quickly(client: TestClient, routed: list[int], question: dict[str, Any]) -> Any:
    """The answer that did not come from the route (which answers once after the ledger was written)."""
    for _ in range(10):
        before = len(routed)
        answer = client.get(RANKINGS, params=question)
        if len(routed) == before:
            return answer
    raise AssertionError("the route answers every time")


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_the_quick_answer_is_the_route_s(client: TestClient, question: dict[str, str], routed: list[int]) -> None:
    first = client.get(RANKINGS, params=question)
    again = quickly(client, routed, question)
    assert first.status_code == again.status_code == 200 and again.content == first.content
    ours, theirs = (dict(a.headers) for a in (again, first))
    assert ours.pop("x-request-id") != theirs.pop("x-request-id") and ours == theirs
    fresh = client.get(RANKINGS, params=question, headers={"If-None-Match": first.headers["etag"]})
    assert fresh.status_code == 304 and not fresh.content
    assert client.head(RANKINGS, params=question).headers["content-length"] == again.headers["content-length"]


def test_pages_joined_by_quick_cursors_are_the_whole(client: TestClient, routed: list[int]) -> None:
    whole = client.get(RANKINGS, params={"order": "worst", "limit": 100}).json()["rows"]
    rows, cursor = [], None
    while True:
        page = client.get(
            RANKINGS, params={"order": "worst", "limit": 5} | ({"cursor": cursor} if cursor else {})
        ).json()
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
    assert rows == whole and len(whole) == 12


@pytest.mark.parametrize(
    "query",
    [
        b"limit=5&limit=5", b"unknown=1", b"format=csv", b"format=", b"lang=en", b"release=", b"year=", b"limit=0",
        b"limit=101", b"limit=x", b"q=a", b"grade=A", b"cursor=%00", b"cursor=AAAA", b"region=%FF", b"size=huge",
    ],
)  # fmt: skip
def test_what_needs_words_or_work_is_the_route_s(query: bytes) -> None:
    assert question_of(query) is None


class _Inner:
    """Notes that it was asked."""

    asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1


@pytest.mark.parametrize(
    ("viewer", "quick"),
    [
        (Viewer("r", "regulator"), True),
        (Viewer("b", "land_bureau", region="3205"), True),
        (Viewer("b", "land_bureau", region="3202"), False),  # asks outside its region: the route says so
        (Viewer("g", "gis"), False),
        (Viewer("p", "public"), False),
        (Viewer("e", "enterprise", enterprise="E01"), False),
    ],
)
def test_who_does_not_see_all_is_the_route_s(
    warehouse: Warehouse, viewer: Viewer, quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, inner, sent = Store(warehouse), _Inner(), []
    audit = Audit(warehouse)
    identify = Identify(Directory(warehouse))
    monkeypatch.setattr(Identify, "at_once", lambda *_: viewer)
    door = Door(("localhost",), identify, Limits(9.0, 9), audit)
    store.find(year="2024")
    board = store.find(year="2024").board
    select(board, Selection.parse(region="3205"))

    async def ask() -> None:
        scope = {
            "type": "http", "method": "GET", "path": RANKINGS, "query_string": b"year=2024&region=3205",
            "headers": [(b"host", b"localhost")],
        }  # fmt: skip

        async def send(message: Any) -> None:
            sent.append(message)

        first = First(inner, door, Fresh(store, identify.directory), [QuickPages(store, Views())])
        await first(scope, None, send)  # type: ignore[arg-type]

    for _ in range(10):  # the ledger may be written meanwhile: then the route answers, and reads it
        inner.asked = 0
        store.index()
        asyncio.run(ask())
        if (inner.asked == 0) is quick:
            break
    assert (inner.asked == 0) is quick and bool(sent) is quick


def test_the_first_requests_after_a_rest_wait_for_one_look_and_go_no_longer_way(
    warehouse: Warehouse, routed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    ahead = Directory.ahead

    def noted(directory: Directory) -> None:
        looks.append(time.monotonic())
        ahead(directory)

    monkeypatch.setattr(Directory, "ahead", noted)
    app = create_app(warehouse, settings=Settings(patience=0.05))

    async def ask() -> list[tuple[int, bytes]]:
        await _ask(app, b"limit=5")  # opens the release
        await asyncio.sleep(0.4)
        monkeypatch.setattr("api.fresh.LATEST", 5.0)  # of a busy machine
        app.first.fresh._looked = float("-inf")
        looks.clear()
        routed.clear()
        return await asyncio.gather(*(_ask(app, b"limit=5&order=%s" % order) for order in (b"best", b"worst") * 8))

    answers = asyncio.run(ask())
    assert [status for status, _ in answers] == [200] * 16 and len(set(answers)) == 2
    assert routed == [] and len(looks) == 1


def test_a_look_of_a_loop_that_has_ended_is_not_waited_for(warehouse: Warehouse) -> None:
    """As a test client has it, whose every request is a loop of its own."""
    app = create_app(warehouse, settings=Settings(patience=0.01))
    for rest in (0, 0.05, 0.3, 0.05, 0.3):
        time.sleep(rest)
        loop = asyncio.new_event_loop()
        try:
            assert loop.run_until_complete(_ask(app, b"limit=5"))[0] == 200
        finally:
            loop.close()  # with a look under way


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ("gzip, deflate, br, zstd", "zstd"), ("gzip", "gzip"), ("zstd;q=0, gzip", "gzip"), ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("*", "zstd"), ("*;q=0", None), ("gzip;q=0", None), ("gzip;q=0.000", None), ("", None), ("identity", None),
        ("zstd;q=0,gzip;q=0", None), ("gzip;q=nonsense", None), ("GZIP", "gzip"), ("*;q=0.1, zstd;q=0", "gzip"),
    ],
)  # fmt: skip
def test_encodings_are_weighed(offered: str, taken: str | None) -> None:
    assert encoding_of(offered) == taken


@pytest.mark.parametrize("params", [{}, {"q": "企业"}, {"format": "csv"}], ids=str)
def test_zstd_gives_the_same(client: TestClient, params: dict[str, str]) -> None:
    for _ in range(2):
        with client.stream("GET", RANKINGS, params=params, headers={"Accept-Encoding": "zstd"}) as packed:
            raw = b"".join(packed.iter_raw())
        plain = client.get(RANKINGS, params=params, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "zstd" and packed.headers["etag"] == plain.headers["etag"]
        if not params.get("format"):  # a file says when it was written
            assert zstandard.ZstdDecompressor().decompressobj().decompress(raw) == plain.content


def test_a_file_without_its_release_is_503_and_recovers(empty: Warehouse) -> None:
    release = build(empty, FIRMS)
    client = TestClient(create_app(empty), base_url="http://localhost")
    assert [client.get(RANKINGS).status_code for _ in range(3)] == [200, 200, 200]
    folder = empty.releases / release
    folder.rename(empty.home / "away")
    gone = client.get(RANKINGS)
    assert (gone.status_code, gone.json()["code"]) == (503, "release_gone")
    (empty.home / "away").rename(folder)
    assert client.get(RANKINGS).status_code == 200


def test_damaged_prepared_files_are_made_again(empty: Warehouse) -> None:
    release = build(empty, FIRMS)
    whole = TestClient(create_app(empty), base_url="http://localhost").get(RANKINGS).content
    (folder,) = (empty.home / "cache" / release).glob("served-*[!k]")
    rows = Path(folder) / "rows.json"
    rows.write_bytes(rows.read_bytes()[:-1])
    assert TestClient(create_app(empty), base_url="http://localhost").get(RANKINGS).content == whole


BAD = {
    "a megabyte of q": {"q": "x" * 1_000_000},
    "a megabyte of a code": {"industry": "2" * 1_000_000},
    "ten thousand ids": {"ids": ",".join(f"E{n:05}" for n in range(10_000))},
    "ten thousand grades": {"grade": ",".join(["E"] * 10_000)},
    "a forged cursor": {"cursor": "A" * 399},
    "a cursor of zeros": {"cursor": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    "a cursor beyond letters": {"cursor": "页" * 100},
    "a megabyte of cursor": {"cursor": "A" * 1_000_000},
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_in_milliseconds(warehouse: Warehouse, what: str) -> None:
    """Past the client, which sends no such addresses."""
    app, query, took = create_app(warehouse), urlencode(BAD[what]).encode(), 1.0
    for _ in range(5):  # threads of other tests, the collector and a busy machine count too
        began = time.process_time()
        status, body = asyncio.run(_ask(app, query))
        took = min(took, time.process_time() - began)
        assert status == 400 and orjson.loads(body)["parameter"] in BAD[what] and len(body) < 4000
        if took < 0.05:
            break
    assert took < 0.05


async def _ask(app: Any, query: bytes) -> tuple[int, bytes]:
    sent: list[Any] = []
    scope = {
        "type": "http", "method": "GET", "path": RANKINGS, "raw_path": RANKINGS.encode(), "query_string": query,
        "headers": [(b"host", b"localhost")], "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1),
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:])


def test_cursors_of_another_release_or_question_are_refused(client: TestClient, ids: dict[str, str]) -> None:
    given = client.get(RANKINGS, params={"year": "2024", "limit": 2}).json()["next"]
    for other in (
        {"release": ids["2023"]},
        {"order": "worst"},
        {"industry": "26"},
        {"by": "benefit_per_mu"},
        {"q": "E"},
    ):
        answer = client.get(RANKINGS, params={"cursor": given, "limit": "2", **other})
        assert (answer.status_code, answer.json()["parameter"]) == (400, "cursor"), other
    for n in (0, 5, 9, len(given) - 1):
        forged = given[:n] + ("A" if given[n] != "A" else "B") + given[n + 1 :]
        assert client.get(RANKINGS, params={"cursor": forged, "limit": 2}).status_code == 400
