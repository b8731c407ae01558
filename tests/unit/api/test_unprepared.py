"""A large release that nobody prepared: no request waits for it, and it is the default once it is prepared."""

from __future__ import annotations

import time

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.store import Store
from api.warm import Warm
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

RANKINGS = "/api/v1/rankings"


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every release is large."""
    monkeypatch.setattr("api.store.FEW", 0)


def test_the_release_before_stays_the_default_until_the_new_one_is_prepared(empty: Warehouse) -> None:
    old, store = build(empty, FIRMS), Store(empty)
    Warm(store).look()
    assert store.find().board.served is not None
    new = build(empty, FIRMS[:9], created="2026-01-01T00:00:00+00:00")
    assert (store.choose().release_id, store.newest().release_id) == (old, new)
    by_id = store.find(new).board
    assert by_id.served is None and by_id.height == 9 and [e.release_id for e in store.unprepared()] == [new]
    Warm(store).look()
    assert store.choose().release_id == new and store.unprepared() == ()
    assert store.find().board.served is not None and by_id.height == 9


def test_one_that_is_not_the_newest_is_prepared_when_it_was_asked(empty: Warehouse) -> None:
    old, store = build(empty, FIRMS, year=2023), Store(empty)
    build(empty, FIRMS)
    warm = Warm(store)
    warm.look()
    assert store.find(old).board.served is None
    warm.look()
    assert store.find(old).board.served is not None


def test_the_only_release_answers_from_memory_in_the_same_bytes(empty: Warehouse) -> None:
    build(empty, FIRMS)
    app = create_app(empty)
    client = TestClient(app, base_url="http://localhost")
    before = client.get(RANKINGS, params={"industry": "26"})
    assert before.status_code == 200 and app.state.store.find().board.served is None
    app.state.warm.look()
    after = client.get(RANKINGS, params={"industry": "26"})
    assert app.state.store.find().board.served is not None and after.content == before.content


def test_what_cannot_be_prepared_is_served_from_memory(empty: Warehouse) -> None:
    release, store = build(empty, FIRMS), Store(empty)
    (empty.home / "cache").mkdir()
    (empty.home / "cache" / release).write_text("no folder")
    warm = Warm(store)
    for _ in range(2):
        warm.look()
        assert store.choose().release_id == release and store.find().board.served is None and store.unprepared() == ()


def test_a_server_prepares_beside_its_answers(empty: Warehouse) -> None:
    build(empty, FIRMS)
    app = create_app(empty)
    with TestClient(app, base_url="http://localhost") as client:
        for _ in range(100):
            assert client.get(RANKINGS).status_code == 200
            if app.state.store.find().board.served is not None:
                return
            time.sleep(0.05)
    raise AssertionError("it was never prepared")
