"""The page as a real browser shows it: rendered by headless Chromium over a running server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.schema.warehouse import Warehouse
from tests.e2e.browser import CHROMIUM, Browser
from tests.unit.api.firms import FIRMS, GRADED
from tests.unit.api.release_builder import build

_SERVE = """
import sys
from pathlib import Path
from api.serve import serve
from engine.schema.warehouse import Warehouse
serve(Warehouse(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), int(sys.argv[3]))
"""


def free_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:  # refused, or slow to answer
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


def serving(home: Path, checkout: Path, workers: int) -> Iterator[str]:
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(home), str(port), str(workers)], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("page")).create()
    build(warehouse, FIRMS)
    build(warehouse, FIRMS[:9], year=2023)
    build(warehouse, GRADED, policy="huaian-2024")
    return warehouse


@pytest.fixture(scope="module")
def server(home: Warehouse, checkout: Path) -> Iterator[str]:
    yield from serving(home.home, checkout, 1)


@pytest.fixture(scope="module")
def dom(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A function: path → the document after the browser has run its scripts."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    profile = tmp_path_factory.mktemp("profile")

    def show(path: str) -> str:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom"]
        done = subprocess.run([str(CHROMIUM), *options, server + path], capture_output=True, timeout=90, check=True)
        return done.stdout.decode()

    yield show


def names(html: str, section: str) -> list[str]:
    """The enterprises of a table in their order."""
    part = html.split(f'id="{section}"')[1].split("</section>")[0]
    return re.findall(r'<th scope="row" class="name"><a [^>]*>([^<]+)', part)


def test_top_and_bottom_of_all(dom) -> None:  # type: ignore[no-untyped-def]
    html = dom("/")
    assert names(html, "top")[:3] == ["昆山化工有限公司", "企业E02", "企业E03"]
    assert names(html, "bottom")[:3] == ["企业E08", "企业E07", "企业E04"]
    assert "企业E05" not in html.split('id="top"')[1]  # without a value: in neither list
    assert "合成演示数据" in html and "万元/亩" in html and '<b>2</b><span class="of"> / 10</span>' in html
    assert "O’Neil &lt;b&gt;&amp;co" in html


def test_the_address_holds_the_choice(dom) -> None:  # type: ignore[no-untyped-def]
    html = dom("/?year=2024&industry=26&region=3205&size=small&by=benefit_per_mu")
    assert names(html, "top")[0] == "昆山化工有限公司" and "企业E09" not in html
    assert re.search(r'<option value="26" selected', html) and re.search(r'<option value="small" selected', html)
    link = re.search(r'href="(/api/v1/rankings\?[^"]+format=xlsx)"', html)
    assert link and all(p in link.group(1) for p in ("industry=26", "region=3205", "size=small", "by=benefit_per_mu"))


def test_english_grades_and_missing_figures(dom) -> None:  # type: ignore[no-untyped-def]
    html = dom("/?policy=huaian-2024&lang=en")
    assert "Synthetic demonstration data" in html and "10,000 yuan per mu" in html
    assert 'class="grade grade-A">A<' in html and '<html lang="en">' in html
    assert ">–</td>" in html  # no data is a dash, not 0


def test_search_and_explanation(dom) -> None:  # type: ignore[no-untyped-def]
    html = dom("/?q=昆山")
    assert names(html, "found") == ["昆山化工有限公司"]
    target = re.search(r'href="(/enterprises/E01[^"]*)"', html)
    assert target
    page = dom(target.group(1).replace("&amp;", "&"))
    assert "逐项说明" in page and "行业大类" in page and "统一社会信用代码" in page


def test_errors_are_pages_for_people(dom) -> None:  # type: ignore[no-untyped-def]
    assert "参数 size" in dom("/?size=tiny") and "企业" in dom("/enterprises/none")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    tab = Browser(tmp_path)
    yield tab
    tab.close()


def choose(browser: Browser, name: str, value: str) -> None:
    """Choose from a list as a person does."""
    change = "dispatchEvent(new Event('change', {bubbles: true}))"
    browser.run(f"{{ const s = document.getElementById('{name}'); s.focus(); s.value = '{value}'; s.{change} }}")


def test_choices_answer_in_place_and_the_address_follows(browser: Browser, server: str) -> None:
    browser.open(server + "/")
    browser.run("window.kept = true")
    choose(browser, "industry", "27")
    browser.until("location.search.includes('industry=27')")
    browser.until("document.querySelectorAll('#top ~ .scroll tbody tr').length === 1")
    assert browser.run("document.activeElement.id") == "industry" and browser.run("window.kept")
    assert "size=" not in browser.run("location.search")  # what was not chosen is not in the address
    choose(browser, "year", "2023")
    browser.until("document.title.includes('2023')")
    browser.run("history.back()")
    browser.until("document.getElementById('year').value === '2024' && document.title.includes('2024')")
    assert browser.run("window.kept") and browser.run("document.getElementById('status').textContent") != ""
    assert browser.complaints() == []
    assert all(url.startswith(server) for url in browser.requests())


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("path", ["/", "/?lang=en&policy=huaian-2024", "/enterprises/E01", "/docs"])
def test_pages_fit_their_window(browser: Browser, server: str, path: str, width: int, height: int) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
    )
    browser.open(server + path)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


def test_every_control_has_a_label_and_nothing_is_inline(server: str) -> None:
    html = urllib.request.urlopen(server + "/").read().decode()
    for control in re.findall(r"<(?:select|input) [^>]*>", html):
        ident = re.search(r'id="([^"]+)"', control)
        assert 'type="hidden"' in control or (ident and f'for="{ident.group(1)}"' in html), control
    assert "<style" not in html and not re.search(r" on\w+=|style=|<script>", html)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


def test_two_workers_answer(home: Warehouse, checkout: Path) -> None:
    for base in serving(home.home, checkout, 2):
        for _ in range(10):
            assert urllib.request.urlopen(f"{base}/api/v1/rankings?limit=1").status == 200
