"""Two applications over one warehouse, as two worker processes are: what one has entered the other knows at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.rights import users
from engine.schema.warehouse import Warehouse

ME, FORM = "/api/v1/me", {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def workers(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, TestClient]]:
    monkeypatch.setattr("api.rights.credentials.SOONEST_SECONDS", 0.4)  # so that a busy machine is quick enough
    users.add(home, "first", "gis")
    with ExitStack() as stack:
        made = [TestClient(create_app(home), base_url="http://localhost", follow_redirects=False) for _ in range(2)]
        yield stack.enter_context(made[0]), stack.enter_context(made[1])


def just_read(worker: TestClient) -> None:
    """The worker reads its users because of a key that it does not know."""
    assert worker.get(ME, headers={"Authorization": "Bearer nope"}).status_code == 401


@pytest.mark.parametrize("time", range(5))
def test_a_session_counts_at_the_worker_that_read_its_users_just_before(
    home: Warehouse, workers: tuple[TestClient, TestClient], time: int
) -> None:
    one, other = workers
    _, key = users.add(home, "hua", "gis")
    just_read(other)
    begun = one.post("/login", content=urlencode({"name": "hua", "key": key}), headers=FORM)
    answer = other.get(ME, headers={"Cookie": f"permu={begun.cookies['permu']}"})
    assert begun.status_code == 303 and answer.status_code == 200 and answer.json()["name"] == "hua"


@pytest.mark.parametrize("time", range(5))
def test_a_key_counts_at_the_worker_that_read_its_users_just_before(
    home: Warehouse, workers: tuple[TestClient, TestClient], time: int
) -> None:
    just_read(workers[1])
    _, key = users.add(home, "hua", "gis")
    answers = [one.get(ME, headers={"Authorization": f"Bearer {key}"}) for one in workers]
    assert [a.status_code for a in answers] == [200, 200]
