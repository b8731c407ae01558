"""A real server with two workers: new releases under load, a killed worker, a lost folder, a stop, metrics and logs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.operations import chain
from api.rights import users
from engine.ranking.run import rank
from engine.releases import list_releases
from engine.schema.warehouse import Warehouse
from tests.e2e.page.conftest import free_port

PERMU = str(Path(sys.executable).with_name("permu"))
RANKINGS = "/api/v1/rankings"


class Server:
    """``permu serve`` over a copy of the demo, its log, and a client with a regulator's key."""

    def __init__(self, home: Path, log: Path, *words: str) -> None:
        self.warehouse, self.log, port = Warehouse(home), log, free_port()
        _, self.key = users.add(self.warehouse, f"li{port}", "regulator")
        command = [PERMU, "serve", "--home", str(home), "--port", str(port), "--access-log", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log.open("wb"))
        self.url = f"http://127.0.0.1:{port}"
        # no connection is kept, so that both workers are met
        self.client = httpx.Client(base_url=self.url, limits=httpx.Limits(max_keepalive_connections=0), timeout=60)
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                if self.client.get("/healthz").status_code == 200:
                    return
            except httpx.HTTPError:
                assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError("no answer")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask as the regulator."""
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key}", **headers})

    def workers(self) -> set[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()}

    def stop(self) -> int:
        """End as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def lines(self) -> list[dict[str, object]]:
        """The log; every line of it is JSON, after the line for people."""
        first, *rest = self.log.read_text().splitlines()
        assert self.url in first, first
        return [json.loads(line) for line in rest]


@pytest.fixture(scope="module")
def copied(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("served") / "warehouse"
    shutil.copytree(demo_folder / "warehouse", home)
    return home


@pytest.fixture(scope="module")
def server(copied: Path) -> Iterator[Server]:
    made = Server(copied, copied.parent / "log", "--workers", "2")
    yield made
    if made.process.poll() is None:
        made.stop()


def test_a_new_release_is_served_without_a_restart_and_without_a_failed_request(server: Server) -> None:
    failed: list[object] = []
    seen: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            for path in (f"{RANKINGS}?limit=5", "/api/v1/releases"):
                try:
                    answer = server.get(path)
                except httpx.HTTPError as error:
                    failed.append(error)
                    continue
                seen.append(answer.status_code)
                if answer.status_code != 200:
                    failed.append(answer.text)
            time.sleep(0.05)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    told = rank(server.warehouse, 2024, "illustrative-2024")
    found: set[str] = set()
    for _ in range(50):
        found = {r["release_id"] for r in server.get("/api/v1/releases").json()["releases"]}
        if len(found) == len(list_releases(server.warehouse)):
            break
        time.sleep(0.1)
    answers = [server.get(f"{RANKINGS}?policy=illustrative-2024") for _ in range(4)]
    for _ in range(100):  # ranking here leaves the askers little time
        if len(seen) > 10:
            break
        time.sleep(0.1)
    done.set()
    for thread in threads:
        thread.join()
    assert told.release_id in found and {a.json()["release_id"] for a in answers} == {told.release_id}
    assert failed == [] and len(seen) > 10


def test_a_release_that_is_taken_away_is_503_until_it_is_back(server: Server) -> None:
    release = server.get(f"{RANKINGS}?limit=1").json()["release_id"]
    folder = server.warehouse.releases / release
    aside = Path(shutil.copytree(folder, folder.with_name("aside")))
    shutil.rmtree(folder)
    try:
        time.sleep(0.2)  # the quick way looks again after 50 ms
        answers = [server.get(f"{RANKINGS}?limit=1&release={release}") for _ in range(4)]
    finally:
        aside.rename(folder)
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(503, "release_gone")}
    assert all(a.headers["retry-after"] for a in answers)
    assert {server.get(f"{RANKINGS}?limit=1&release={release}").status_code for _ in range(4)} == {200}


def test_a_worker_that_is_killed_while_it_is_asked_is_replaced(server: Server) -> None:
    before = server.workers()
    assert len(before) == 2
    os.kill(min(before), signal.SIGSTOP)
    time.sleep(1.5)  # by now the supervisor waits for its answer
    os.kill(min(before), signal.SIGKILL)
    for _ in range(300):
        if len(server.workers() - before) == 1 and len(server.workers()) == 2:
            break
        time.sleep(0.1)
    assert min(before) not in server.workers() and max(before) in server.workers() and len(server.workers()) == 2
    assert {server.get(f"{RANKINGS}?limit=1").status_code for _ in range(6)} == {200}


def test_metrics_are_of_all_workers_together(server: Server) -> None:
    def count() -> float:
        text = server.get("/metrics").text
        found = [x for x in text.splitlines() if x.startswith("permu_requests_total") and 'route="/api/v1/sizes"' in x]
        assert "permu_request_seconds_bucket" in text and "permu_build_info" in text and "permu_open_releases" in text
        return sum(float(x.rsplit(" ", 1)[1]) for x in found)

    before = count()
    for _ in range(12):
        assert server.get("/api/v1/sizes").status_code == 200
    assert count() == before + 12


def test_every_answer_has_an_id_and_its_line_in_the_log_has_no_secret(server: Server) -> None:
    given = server.get(f"{RANKINGS}?limit=1&q=A", **{"X-Request-Id": "proxy-12345678"})
    bad = server.get(f"{RANKINGS}?limit=1", **{"X-Request-Id": 'a b"}'})
    assert given.headers["x-request-id"] == "proxy-12345678" and bad.headers["x-request-id"] not in ("", 'a b"}')
    lines = [x for x in server.lines() if x.get("id") == "proxy-12345678"]
    assert (
        len(lines) == 1
        and lines[0]["status"] == 200
        and lines[0]["route"] == RANKINGS
        and lines[0]["role"] == "regulator"
    )
    assert server.key not in server.log.read_text() and "q=A" not in server.log.read_text()


def test_hosts_and_keys(server: Server) -> None:
    assert server.client.get(RANKINGS).status_code == 401
    assert server.get(RANKINGS, Host="elsewhere.example").json()["code"] == "bad_host"


def test_what_is_no_request_is_a_problem_too(server: Server) -> None:
    """A filter of 1 MB, and bytes that are not HTTP: refused by the parser, before the application sees them."""
    host, port = server.url.removeprefix("http://").split(":")
    for sent in (
        b"GET /ogc/collections/parcels/items?filter=" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
    ):
        begun = time.monotonic()
        with socket.create_connection((host, int(port)), timeout=10) as line:
            with contextlib.suppress(OSError):  # the answer may come before the whole is sent
                line.sendall(sent)
            answer = b"".join(iter(lambda: received(line), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ") and b"application/problem+json" in head.lower(), head
        assert json.loads(body)["code"] == "bad_request"
        assert time.monotonic() - begun < 5


def received(line: socket.socket) -> bytes:
    """What comes next; nothing once the server has hung up."""
    try:
        return line.recv(65536)
    except ConnectionResetError:
        return b""


def test_a_stop_lets_answers_finish_and_keeps_the_audit_log(server: Server) -> None:
    path = f"{RANKINGS}?limit=7&order=worst"
    assert server.get(path).status_code == 200
    answers: list[httpx.Response] = []
    slow = threading.Thread(target=lambda: answers.append(server.get(f"{RANKINGS}?format=xlsx")))
    slow.start()
    time.sleep(0.1)
    assert server.stop() in (0, -signal.SIGTERM)
    slow.join()
    assert answers[0].status_code == 200 and answers[0].content[:2] == b"PK" and len(answers[0].content) > 10_000
    kept = [r for r in chain.rows(server.warehouse) if r["question"] == "limit=7&order=worst"]
    assert sum(r["times"] for r in kept) == 1 and chain.check(server.warehouse).broken_at is None


@pytest.mark.parametrize("words", [("--host", "0.0.0.0"), ("--allow-host", "permu.example")])
def test_without_users_nobody_else_is_answered(demo_folder: Path, words: tuple[str, str]) -> None:
    command = [PERMU, "serve", "--home", str(demo_folder / "warehouse"), "--port", "0", *words]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 2 and words[0].encode() in ended.stderr and b"Traceback" not in ended.stderr


def test_with_users_another_host_is_answered(copied: Path) -> None:
    made = Server(copied, copied.parent / "log2", "--host", "0.0.0.0", "--allow-host", "permu.example")
    try:
        assert made.get(RANKINGS, Host="permu.example").status_code == 200
        assert made.get(RANKINGS, Host="other.example").status_code == 400
    finally:
        made.stop()
