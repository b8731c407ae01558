"""A real server with two workers: a killed worker, sessions and keys, a lost folder, a stop, metrics and logs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from api.operations import chain
from api.rights import users
from tests.e2e.server import PERMU, Server

RANKINGS = "/api/v1/rankings"
PAGE = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
LARGE = 8 << 20  # bytes: twice what Linux keeps for a connection


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


def test_a_session_begun_at_one_worker_counts_at_the_other_until_it_ends(server: Server) -> None:
    _, key = users.add(server.warehouse, "hua", "gis")
    one, other = sorted(server.workers())
    for here, there in [(one, other), (other, one)]:
        with server.only(here):
            begun = server.client.post("/login", content=urlencode({"name": "hua", "key": key}), headers=PAGE)
        cookie = {"Cookie": f"permu={begun.cookies['permu']}"}
        server.client.cookies.clear()
        with server.only(there):
            answer = server.client.get("/api/v1/me", headers=cookie)
            assert (begun.status_code, answer.status_code, answer.json()["name"]) == (303, 200, "hua")
            assert server.client.post("/logout", headers={**PAGE, **cookie}).status_code == 303
        time.sleep(1)
        with server.only(here):
            assert server.client.get("/api/v1/me", headers=cookie).status_code == 401


def test_a_disabled_key_is_refused_by_every_worker_within_a_second(server: Server) -> None:
    _, key = users.add(server.warehouse, "zhao", "regulator")

    def asked() -> list[int]:
        """Of each worker: a page that the event loop knows, and an answer of a thread."""
        statuses = []
        for worker in server.workers():
            with server.only(worker):
                for path in (f"{RANKINGS}?limit=3", f"{RANKINGS}?limit=3", "/api/v1/sizes"):
                    answer = server.client.get(path, headers={"Authorization": f"Bearer {key}"})
                    statuses.append(answer.status_code)
        return statuses

    assert asked() == [200] * 6
    users.disable(server.warehouse, "zhao")
    time.sleep(1)
    assert asked() == [401] * 6


def test_a_stop_lets_an_answer_finish_takes_no_other_and_keeps_the_audit_log(server: Server) -> None:
    """The answer is too large to lie in the system's buffers, and its reader does not read before the stop."""
    layer, path = "/layers/regions.geojson", f"{RANKINGS}?limit=7&order=worst"
    release = server.get(layer, **{"Accept-Encoding": "identity"}).headers["x-permu-release"]
    (file,) = server.warehouse.releases.glob(f"{release}/layers/*/all/regions.geojson")
    with file.open("ab") as large:
        large.write(b" " * LARGE)
    assert server.get(path).status_code == 200
    with socket.socket() as line, socket.create_connection(server.address):  # who asks nothing keeps nobody waiting
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        line.settimeout(60)
        line.connect(server.address)
        line.sendall(f"GET {layer} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n\r\n".encode())
        begin = line.recv(1000)
        asked = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        until(server.refuses, 5)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        assert server.process.poll() is None
        answer = begin + b"".join(iter(lambda: received(line), b""))
    code = server.process.wait(timeout=60)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert code == 0 and time.monotonic() - asked < 10
    assert head.startswith(b"HTTP/1.1 200 ") and body == file.read_bytes() and len(body) > LARGE
    kept = [(r["route"], r["question"], r["kind"]) for r in chain.rows(server.warehouse) for _ in range(r["times"])]
    assert kept.count((layer, "", "export")) == 2 and kept.count((RANKINGS, "limit=7&order=worst", "view")) == 1
    assert chain.check(server.warehouse).broken_at is None


def until(done: Callable[[], bool], seconds: float) -> None:
    """Wait for something that comes within some seconds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


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
