"""A page that is kept is for whom it is, and for nobody else: answers before the gate pass the same rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from api.operations import chain
from api.rights import users
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

RANKINGS = "/api/v1/rankings"
Own = Callable[..., TestClient]


def warehouse_of(client: TestClient) -> Warehouse:
    found: Warehouse = client.app.state.store.warehouse  # type: ignore[attr-defined]
    return found


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows whenever the route makes a page."""
    from api.ranking_page import ranking_page

    asked: list[int] = []
    monkeypatch.setattr("api.routes.rankings.ranking_page", lambda *a: asked.append(1) or ranking_page(*a))
    return asked


def until_kept(client: TestClient, routed: list[int], headers: dict[str, str], tries: int = 20) -> None:
    """Ask until the route is not asked any more."""
    for _ in range(tries):
        before = len(routed)
        assert client.get(RANKINGS, headers=headers).status_code == 200
        if len(routed) == before:
            return
    raise AssertionError("the route answers every time")


@pytest.fixture
def keyed(own: Own) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A client over one release, the header of a regulator's key."""
    client = own(rate=0.001, burst=40)
    build(warehouse_of(client), FIRMS)
    _, key = users.add(warehouse_of(client), "yu", "regulator")
    with client:
        yield client, {"Authorization": f"Bearer {key}"}


def test_who_has_no_key_gets_no_kept_page(keyed: tuple[TestClient, dict[str, str]], routed: list[int]) -> None:
    client, header = keyed
    until_kept(client, routed, header)
    for other in ({}, {"Authorization": "Bearer nope"}, {"Cookie": "permu=nope"}):
        assert client.get(RANKINGS, headers=other).status_code == 401
    assert client.get(RANKINGS, headers={**header, "Host": "evil.example"}).json()["code"] == "bad_host"
    users.disable(warehouse_of(client), "yu")
    time.sleep(0.6)
    assert client.get(RANKINGS, headers=header).status_code == 401


def test_a_kept_page_takes_from_the_rate(keyed: tuple[TestClient, dict[str, str]], routed: list[int]) -> None:
    client, header = keyed
    until_kept(client, routed, header)
    answers = [client.get(RANKINGS, headers=header).status_code for _ in range(45)]
    assert answers[-1] == 429 and set(answers) == {200, 429}


def test_a_page_is_audited_in_the_same_words_whoever_made_it(own: Own, routed: list[int]) -> None:
    client = own()
    build(warehouse_of(client), FIRMS)
    with client:
        for _ in range(12):
            assert client.get(RANKINGS, params={"industry": "26"}).status_code == 200
    assert 0 < len(routed) < 12
    told = [
        {k: v for k, v in row.items() if k not in ("seq", "at", "times", "hash")}
        for row in chain.rows(warehouse_of(client))
    ]
    assert all(row == told[0] for row in told) and told[0]["route"] == RANKINGS and told[0]["question"] == "industry=26"
    assert sum(row["times"] for row in chain.rows(warehouse_of(client))) == 12


def test_a_server_with_patience_answers_what_is_listed_now(own: Own, routed: list[int]) -> None:
    client = own(patience=0.02)
    first = build(warehouse_of(client), FIRMS, year=2023)
    with client:
        for _ in range(40):
            assert client.get(RANKINGS).json()["release_id"] == first
        assert len(routed) < 40
        newer = build(warehouse_of(client), FIRMS)
        time.sleep(0.2)
        assert client.get(RANKINGS).json()["release_id"] == newer
