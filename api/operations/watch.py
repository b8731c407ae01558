"""What is known of every request from outside: its id, its time, metrics for Prometheus, a line in the log."""

from __future__ import annotations

import itertools
import re
import secrets
import sys
import time

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.operations import metrics
from engine.schema.warehouse import now

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


_PROCESS = secrets.token_hex(5)
_number = itertools.count(1)


def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The id that a proxy gave, if it is one; else a new one: of this process, and which of its requests."""
    for name, value in headers:
        if name == b"x-request-id" and _ID.fullmatch(value.decode("latin-1")):
            return value.decode("latin-1")
    return f"{_PROCESS}-{next(_number):x}"


class Watch:
    """ASGI middleware, outermost of the application (api.first does the same for look-ups): every answer carries X-Request-Id and is counted, by rule and not by address."""

    def __init__(self, app: ASGIApp, access_log: bool = False) -> None:
        self.app, self.access_log = app, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500
        state = scope.setdefault("state", {})
        state["id"] = request_id(scope["headers"])

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", state["id"].encode())]
            await send(message)

        try:
            await self.app(scope, receive, told)
        finally:
            seconds = time.perf_counter() - begun
            rule = state.get("rule")
            route = rule.pattern if rule else "other"
            metrics.observe(scope["method"], route, status, seconds)
            if self.access_log:
                note_line(scope, route, status, seconds)


def note_line(scope: Scope, route: str, status: int, seconds: float) -> None:
    """One JSON line: no query, no header, no address; the audit log holds the question."""
    state = scope["state"]
    viewer = state.get("viewer")
    line = {
        "at": now(), "level": "info", "event": "request", "id": state["id"], "method": scope["method"],
        "route": route, "path": scope["path"][:300], "status": status, "ms": round(seconds * 1000, 3),
        "user": viewer.name if viewer else None, "role": viewer.role if viewer else None,
    }  # fmt: skip
    sys.stderr.buffer.write(orjson.dumps(line) + b"\n")
    sys.stderr.flush()
