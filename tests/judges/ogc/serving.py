"""The application behind a port of this machine, as programs reach it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass
class Served:
    """The address of a landing page, and the questions of the requests for items that came in."""

    address: str
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def status_line(self, address: str) -> str:
        """What a request of HTTP/1.1 is answered with, as it comes through the socket."""
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            with line.makefile("rb") as answer:
                return answer.readline().decode("ascii").rstrip("\r\n")


class Recorder:
    """Notes the questions of requests for items."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self.app, self.served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/items"):
            self.served.asked.append(parse_qs(scope["query_string"].decode()))
        await self.app(scope, receive, send)


@contextmanager
def serving(app: ASGIApp, lifespan: bool) -> Iterator[Served]:
    """The application over a real socket; ``lifespan``: it was not begun elsewhere."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Served(f"http://127.0.0.1:{listener.getsockname()[1]}/ogc")
    kept = "on" if lifespan else "off"
    server = uvicorn.Server(uvicorn.Config(Recorder(app, found), log_level="warning", lifespan=kept))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(10)
