"""A basemap by setting: asked only when it is switched on, only from its own origin."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from api.operations.settings import Settings
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.e2e.page.conftest import serving
from tests.e2e.page.visitor import Visitor


class Tiles(BaseHTTPRequestHandler):
    """Every tile is the same green."""

    def do_GET(self) -> None:
        picture = io.BytesIO()
        Image.new("RGB", (256, 256), (20, 200, 60)).save(picture, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(picture.getvalue())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def tiles() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def greens(visitor: Visitor) -> int:
    picture = Image.open(io.BytesIO(visitor.page.locator(".map-box").screenshot())).convert("RGB")
    return sum(n for n, (r, g, b) in picture.getcolors(1 << 20) or [] if g > r + 40 and g > b + 40)


def test_the_basemap_is_off_until_switched_on_and_only_it_is_asked(
    served_home: Warehouse, checkout: Path, built: Path, browser: Browser, tiles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMU_BASEMAP", f"{tiles}/{{z}}/{{x}}/{{y}}.png?k=1")
    monkeypatch.setenv("PERMU_BASEMAP_CREDIT", "地图 © <测试>")
    for base in serving(served_home.home, checkout):
        window = Visitor(browser, base, checkout)
        page = window.open("/?at=31.9,119.95,11.5,0,0")
        assert not any(u.startswith(tiles) for u in window.requests) and greens(window) == 0
        page.get_by_label("底图").check()
        page.wait_for_timeout(2000)
        assert "base=1" in window.address and greens(window) > 10_000
        assert "地图 © <测试>" in page.locator(".map-place").inner_text()
        assert all(u.startswith((base, tiles, "data:", "blob:")) for u in window.requests)
        assert window.complaints == []
        window.context.close()


@pytest.mark.parametrize(
    "address",
    ["tiles/{z}/{x}/{y}", "https://a/{z}/{x}", "https://a/{z}/{x}/{y}; script-src *", "https://a/{z}/{x}/{y}'"],
)
def test_a_malformed_address_is_refused(address: str) -> None:
    with pytest.raises(PermuError, match="PERMU_BASEMAP"):
        Settings.from_environment({"PERMU_BASEMAP": address})
