"""A server over the small demo, a browser, and ``visit``: how every test of the page starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from engine.schema.warehouse import Warehouse
from tests.e2e.page.visitor import CHROMIUM, Visitor, launch

_SERVE = """
import sys
from pathlib import Path
from api.serve import serve
from engine.schema.warehouse import Warehouse
serve(Warehouse(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), int(sys.argv[3]))
"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:  # refused, or slow to answer
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


def serving(home: Path, checkout: Path, workers: int = 1) -> Iterator[str]:
    """The base address of a server over a warehouse, ended after."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(home), str(port), str(workers)], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def built(checkout: Path) -> Path:
    """The folder of the built page."""
    folder = checkout / "api" / "pages" / "static" / "app"
    assert (folder / "index.html").is_file(), "the page is not built: run `make page`"
    return folder


@pytest.fixture(scope="session")
def server(served_home: Warehouse, checkout: Path, built: Path) -> Iterator[str]:
    """A server over the small demo (400 enterprises, 2023 and 2024); for reading only."""
    yield from serving(served_home.home, checkout)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a file: while it is open, its library runs a loop and threads of its own in this process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium-headless-shell fonts-noto-cjk")
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, server: str, checkout: Path) -> Iterator[Visit]:
    """``visit(path, size="wide"|"narrow", base=server, **context)``: a window at a state of the page, ready
    (``until_ready=False``: nowhere yet).

    When the test ends, every window must have met no console error and asked nothing of another origin.
    """
    opened: list[Visitor] = []
    axe = checkout / "node_modules" / "axe-core" / "axe.min.js"

    def at(path: str, size: str = "wide", base: str = server, until_ready: bool = True, **context: object) -> Visitor:
        visitor = Visitor(browser, base, axe, size, **context)
        opened.append(visitor)
        if until_ready:
            visitor.open(path)
        return visitor

    yield at
    for visitor in opened:
        visitor.leave()
    for visitor in opened:
        visitor.check()
