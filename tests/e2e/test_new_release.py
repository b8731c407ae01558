"""Two workers under load while a newer release of the default policy comes, is published, and is withdrawn again."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.rights import users
from engine.ranking.run import rank
from engine.releases import find
from engine.states import change_state
from tests.e2e.server import Server

SECONDS = 30  # from the listing until everybody is answered from it: layers of the new release are made meanwhile


def _features(answer: httpx.Response) -> str:
    return json.dumps(answer.json()["features"], sort_keys=True)


@dataclass(frozen=True)
class Kind:
    """A question: its address by default and of a named release, and what of its answer is the release's."""

    address: str
    named: str
    told: Callable[[httpx.Response], str | bytes]
    role: str = "regulator"


KINDS = {
    "rankings": Kind("/api/v1/rankings?limit=20", "/api/v1/rankings?limit=20&release=ID", lambda a: a.text),
    "rankings of the public": Kind("/api/v1/rankings?limit=9", "/api/v1/rankings?limit=9&release=ID", lambda a: a.text,
                                   "public"),
    "summary": Kind("/api/v1/summary", "/api/v1/summary?release=ID", lambda a: a.text),
    "items": Kind("/ogc/collections/regions/items?limit=50", "/ogc/releases/ID/collections/regions/items?limit=50", _features),
    "a tile": Kind("/ogc/collections/regions/tiles/WebMercatorQuad/6/26/53",
                   "/ogc/releases/ID/collections/regions/tiles/WebMercatorQuad/6/26/53", lambda a: a.content),
}  # fmt: skip


@dataclass
class Asked:
    """One answer: when it was asked, of which kind, what it told (at 304 what was held), which worker gave it."""

    begun: float
    kind: str
    status: int
    told: str | bytes
    worker: str


class Load:
    """Threads that ask all kinds in turn, every other time with the tag of the answer before."""

    def __init__(self, server: Server, keys: dict[str, str]) -> None:
        self.server, self.keys = server, keys
        self.answers: list[Asked] = []
        self.failed: list[object] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def get(self, address: str, role: str, **headers: str) -> httpx.Response:
        """Ask as somebody of a role."""
        return self.server.client.get(address, headers={"Authorization": f"Bearer {self.keys[role]}", **headers})

    def _run(self) -> None:
        held: dict[str, tuple[str, str | bytes]] = {}
        while not self._done.is_set():
            for name, kind in KINDS.items():
                tag, kept = held.pop(name, ("", ""))
                begun = time.monotonic()
                try:
                    answer = self.get(kind.address, kind.role, **({"If-None-Match": tag} if tag else {}))
                except httpx.HTTPError as error:
                    self.failed.append((name, error))
                    continue
                if answer.status_code not in (200, 304):
                    self.failed.append((name, answer.status_code, answer.text[:300]))
                    continue
                told = kind.told(answer) if answer.status_code == 200 else kept
                if not tag:
                    held[name] = (answer.headers["etag"], told)
                worker = answer.headers["x-request-id"].split("-")[0]
                self.answers.append(Asked(begun, name, answer.status_code, told, worker))

    def latest(self, name: str, since: float) -> list[str | bytes]:
        """What the last few answers of a kind told, of those asked since."""
        return [a.told for a in self.answers if a.kind == name and a.begun > since][-6:]

    def until(self, wanted: dict[str, str | bytes], since: float) -> float:
        """Wait until the last six answers of every kind told what is wanted; the moment when they did."""
        while time.monotonic() < since + SECONDS:
            if all(self.latest(name, since) == [told] * 6 for name, told in wanted.items()):
                return time.monotonic()
            time.sleep(0.1)
        raise AssertionError({name: set(self.latest(name, since)) == {told} for name, told in wanted.items()})

    def told_of(self, release: str, names: list[str]) -> dict[str, str | bytes]:
        """What a release's answers tell, asked by its id."""
        answers = {n: self.get(KINDS[n].named.replace("ID", release), KINDS[n].role) for n in names}
        return {name: KINDS[name].told(answer) for name, answer in answers.items()}


@pytest.fixture
def server(demo_folder: Path, tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(demo_folder / "warehouse", tmp_path / "warehouse")
    made = Server(tmp_path / "warehouse", tmp_path / "log", "--workers", "2")
    yield made
    made.stop()


def test_a_newer_release_of_the_default_policy_comes_and_goes_without_a_failed_request(
    server: Server, tmp_path: Path
) -> None:
    warehouse, keys = (
        server.warehouse,
        {"regulator": server.key, "public": users.add(server.warehouse, "hu", "public")[1]},
    )
    old = find(warehouse, year=2024)
    change_state(warehouse, old.id, "public", "for the test")
    other = tmp_path / "sunan-2017.yaml"  # the same policy in another wording: sales as statistics state them first
    text = (old.folder / "policy.yaml").read_text(encoding="utf-8")
    wording = ("first(invoiced_sales_fen, main_revenue_fen)", "first(main_revenue_fen, invoiced_sales_fen)")
    assert wording[0] in text
    other.write_text(text.replace(*wording), encoding="utf-8")
    everybody, bureau = list(KINDS), [name for name, kind in KINDS.items() if kind.role != "public"]
    load = Load(server, keys)
    before = load.told_of(old.id, everybody)  # layers are made
    with load:
        load.until(before, time.monotonic())
        new = rank(warehouse, 2024, str(other)).release_id
        listed = time.monotonic()
        after = load.told_of(new, bureau)
        load.until(after, listed)
        assert set(load.latest("rankings of the public", listed)) == {before["rankings of the public"]}  # a draft
        change_state(warehouse, new, "public", "for the test")
        published = time.monotonic()
        after |= load.told_of(new, everybody)
        settled = load.until(after, published)
        withdrawn = time.monotonic()
        change_state(warehouse, new, "withdrawn", "for the test")
        back = load.until(before, time.monotonic())
    assert load.failed == []
    assert new != old.id and new.startswith("2024-sunan-2017-") and all(before[n] != after[n] for n in KINDS)
    for name in ("rankings", "summary"):
        assert old.id in str(before[name]) and new in str(after[name]) and new not in str(before[name])
    mixed = [a.kind for a in load.answers if a.told not in (before[a.kind], after[a.kind])]
    assert mixed == []  # an answer is the one release's or the other's, whole
    assert {a.kind for a in load.answers if settled < a.begun < withdrawn and a.told != after[a.kind]} == set()
    assert {a.kind for a in load.answers if a.begun > back and a.told != before[a.kind]} == set()
    assert {a.status for a in load.answers} == {200, 304} and len({a.worker for a in load.answers}) == 2
