"""The page's files: the frame anew each time, the rest for ever and in gzip; a basemap opens exactly one origin."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.guard import POLICY
from api.operations.settings import Basemap, Settings
from api.pages import assets
from engine.schema.warehouse import Warehouse


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built page of one script."""
    folder = tmp_path / "static" / "app"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text('<script data-basemap="" data-credit=""></script><!-- view -->', "utf-8")
    (folder / "views.json").write_text('{"map": "<link map>", "rankings": "<link rankings>"}', "utf-8")
    (folder / "app-1.js").write_text("let x;", "utf-8")
    (folder / "app-1.js.gz").write_bytes(gzip.compress(b"let x;"))
    (folder / "app-1.js.LEGAL.txt").write_text("MIT", "utf-8")
    monkeypatch.setattr(assets, "STATIC", folder.parent)
    monkeypatch.setattr(assets, "INDEX", folder / "index.html")
    monkeypatch.setattr("api.app.STATIC", folder.parent)
    return folder


def client(home: Warehouse, settings: Settings | None = None) -> TestClient:
    return TestClient(create_app(home, settings=settings), base_url="http://localhost")


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip", "gzip"), ("gzip;q=0", None), ("identity", None), ("br", None)]
)
def test_a_script_is_sent_packed_to_who_takes_it(
    built: Path, home: Warehouse, accepted: str, encoding: str | None
) -> None:
    answer = client(home).get("/static/app/app-1.js", headers={"Accept-Encoding": accepted})
    assert answer.text == "let x;" and answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"] and answer.headers["vary"] == "Accept-Encoding"


def test_other_files_and_what_is_not_there(built: Path, home: Warehouse) -> None:
    asked = client(home)
    assert asked.get("/static/app/app-1.js.LEGAL.txt").text == "MIT"
    for path in ("/static/app/none.js", "/static/app/../../secret.js", "/static/app/%2e%2e/%2e%2e/secret.js"):
        assert asked.get(path).status_code == 404


def test_the_frame_is_never_kept_and_a_basemap_opens_one_origin(built: Path, home: Warehouse) -> None:
    plain = client(home).get("/")
    assert plain.headers["cache-control"] == "no-cache" and plain.headers["content-security-policy"] == POLICY
    assert "<link map>" in plain.text and "<link" not in client(home).get("/?view=%22%3E%3Cscript%3E").text
    assert "<link rankings>" in client(home).get("/?view=rankings").text
    basemap = Basemap("https://tiles.example:8443/{z}/{x}/{y}?a=1&b=2", '© "x"')
    answer = client(home, Settings(basemap=basemap)).get("/")
    assert 'data-basemap="https://tiles.example:8443/{z}/{x}/{y}?a=1&amp;b=2"' in answer.text
    assert "&quot;x&quot;" in answer.text
    policy = answer.headers["content-security-policy"].split("; ")
    assert [p for p in policy if "tiles.example" in p] == [
        "img-src 'self' data: blob: https://tiles.example:8443",
        "connect-src 'self' https://tiles.example:8443",
    ]
    assert {p.split()[0] for p in policy} == {p.split()[0] for p in POLICY.split("; ")}


def test_without_built_files_the_answer_says_what_to_do(built: Path, home: Warehouse) -> None:
    (built / "index.html").unlink()
    answer = client(home).get("/")
    assert (answer.status_code, answer.json()["code"]) == (503, "page_not_built") and "make page" in answer.json()[
        "detail"
    ]
