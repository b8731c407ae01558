"""Hosts, headers, compression, releases that come and go, and what `serve` refuses."""

from __future__ import annotations

import shutil
import socket

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.guard import host_of
from api.respond import accepts_gzip
from api.serve import bind, serve
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

RANKINGS = "/api/v1/rankings"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8000"])
def test_hosts_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["", "example.com", "127.0.0.1.example.com", "localhost.", "127.0.0.2", "::1", "localhost:80:80", "[::1]x"]
)
def test_other_hosts_are_400(client: TestClient, host: str) -> None:
    answer = client.get(RANKINGS, headers={"Host": host})
    assert answer.status_code == 400 and answer.json()["code"] == "bad_host"
    assert answer.headers["content-security-policy"]


def test_host_of_keeps_brackets() -> None:
    assert host_of("[::1]:8000") == "[::1]" and host_of("a:1") == "a" and host_of("[::1]") == "[::1]"


@pytest.mark.parametrize("path", ["/", "/docs", RANKINGS, "/nothing", "/static/docs.css", "/layers/parcels.geojson"])
def test_security_headers_everywhere(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert (
        "script-src 'self'" in headers["content-security-policy"] and "unsafe" not in headers["content-security-policy"]
    )
    assert headers["x-content-type-options"] == "nosniff" and "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("offer", "taken"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("br", False),
        ("gzip;q=0", False),
        ("", False),
        ("identity", False),
    ],
)
def test_gzip_is_negotiated(offer: str, taken: bool) -> None:
    from starlette.requests import Request

    headers = [(b"accept-encoding", offer.encode())]
    assert accepts_gzip(Request({"type": "http", "headers": headers})) is taken


def test_gzip_gives_the_same_json(client: TestClient) -> None:
    plain = client.get(RANKINGS, headers={"Accept-Encoding": "identity"})
    packed = client.get(RANKINGS, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.json() == plain.json() and "Accept-Encoding" in plain.headers["vary"]


def asked(client: TestClient, path: str = RANKINGS) -> tuple[int, str]:
    answer = client.get(path)
    return answer.status_code, answer.json().get("release_id") or answer.json().get("code")


def test_a_new_release_is_seen_without_restart_and_an_old_one_can_go(empty: Warehouse) -> None:
    client = TestClient(create_app(empty), base_url="http://localhost")
    assert asked(client) == (503, "no_warehouse") and asked(client, "/readyz") == (503, "not_ready")
    assert client.get("/healthz").status_code == 200
    with empty.connect():
        pass
    assert asked(client) == (404, "no_release") and asked(client, "/readyz") == (503, "not_ready")
    first = build(empty, FIRMS)
    assert asked(client) == (200, first) and asked(client, "/readyz") == (200, first)
    second = build(empty, FIRMS[:5], created="2025-05-01T00:00:00+00:00")
    assert asked(client) == (200, second)
    with empty.connect() as db:
        row = (second, "2025-06-01T00:00:00+00:00", "withdrawn")
        db.execute("INSERT INTO release_events VALUES (?, ?, 'test', ?, 'wrong')", row)
    assert asked(client) == (200, first) and asked(client, f"{RANKINGS}?release={second}") == (200, second)


def test_a_vanished_release_is_503_and_recovers(empty: Warehouse) -> None:
    release = build(empty, FIRMS)
    client = TestClient(create_app(empty), base_url="http://localhost")
    assert asked(client) == (200, release)
    folder = empty.releases / release
    shutil.move(folder, empty.home / "away")
    answer = client.get(RANKINGS)
    assert (answer.status_code, answer.json()["code"]) == (503, "release_gone") and answer.headers["retry-after"]
    assert client.get("/api/v1/releases").json()["releases"][0]["available"] is False
    shutil.move(empty.home / "away", folder)
    assert asked(client) == (200, release)


def test_an_unexpected_failure_is_a_problem_without_a_traceback(empty: Warehouse) -> None:
    build(empty, FIRMS)
    app = create_app(empty)
    app.state.store.choose = lambda *_: 1 / 0
    answer = TestClient(app, base_url="http://localhost", raise_server_exceptions=False).get(RANKINGS)
    assert answer.status_code == 500 and answer.json()["code"] == "internal" and "division" not in answer.text


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.com"])
def test_serve_answers_this_machine_only(host: str) -> None:
    with pytest.raises(PermuError) as caught:
        bind(host, 0)
    assert caught.value.code == "public_host"


def test_a_taken_port_is_said_so() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PermuError) as caught:
            bind("127.0.0.1", other.getsockname()[1])
    assert caught.value.code == "port_in_use" and str(other) not in caught.value.en


@pytest.mark.parametrize("port", [-1, 65536])
def test_an_impossible_port_is_said_so(port: int) -> None:
    with pytest.raises(PermuError, match=r"--port"):
        bind("127.0.0.1", port)


def test_serve_needs_a_warehouse(empty: Warehouse) -> None:
    with pytest.raises(PermuError) as caught:
        serve(empty)
    assert caught.value.code == "no_warehouse"
