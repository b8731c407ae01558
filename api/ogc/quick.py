"""Tiles of an open tile set, answered before routing: a look-up in a mapped file, whose cost is else that of finding
the route. Everything else goes on to the route, every refusal among it, which says the same in the same bytes."""

from __future__ import annotations

import re
from gzip import decompress

from starlette.types import ASGIApp, Receive, Scope, Send

from api.ogc.ready import Ready, at_hand
from api.ogc.tilesets import QUAD
from api.respond import holds
from api.rights import ADMINISTRATOR
from api.store import Store

_TILE = re.compile(
    rf"/ogc(?:/releases/([^/]+))?/collections/([a-z_]+)/tiles/{QUAD}/(\d{{1,2}})/(\d{{1,9}})/(\d{{1,9}})", re.A
)


class QuickTiles:
    """ASGI middleware, innermost: the viewer is known by now, and the answer passes the guard on its way out."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self.app, self.store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = None
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["query_string"]:
            asked = _TILE.fullmatch(scope["path"])
        found = self._found(scope, asked) if asked else None
        if asked is None or found is None:
            await self.app(scope, receive, send)
            return
        z, y, x = (int(n) for n in asked.groups()[2:])
        sent = dict(scope["headers"])
        headers, body = found.tile(z, y, x, sent.get(b"accept-encoding", b"").decode("latin-1"))
        status = 200 if body is not None else 204
        if b"if-none-match" in sent and holds(sent[b"if-none-match"].decode("latin-1"), headers["etag"]):
            status, body = 304, None
        elif body is not None and "content-encoding" not in headers:
            body = decompress(body)
        if body is not None:
            headers["content-length"] = str(len(body))
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body or b""})

    def _found(self, scope: Scope, asked: re.Match[str]) -> Ready | None:
        state = scope.setdefault("state", {})
        found = at_hand(self.store, asked[1], asked[2], state.get("viewer", ADMINISTRATOR))
        if found is None or not found.covers(int(asked[3]), int(asked[4]), int(asked[5])):
            return None
        state["audit_release"] = found.release_id
        return found
