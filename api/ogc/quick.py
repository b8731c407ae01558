"""Tiles of an open tile set, answered before routing: a look-up in a mapped file, whose cost is else that of finding
the route and of the layers around it (see api.quick). Everything else goes on to the route, every refusal among it,
which says the same in the same bytes."""

from __future__ import annotations

import re
import time
from gzip import decompress

from starlette.types import ASGIApp, Receive, Scope, Send

from api.door import Answer, Door
from api.fresh import Fresh, Known
from api.guard import guarded
from api.ogc.ready import Ready, at_hand
from api.ogc.tilesets import QUAD
from api.respond import holds
from api.rights import Viewer
from api.rights.routes import Rule, quick_rule
from api.store import Store
from engine.schema.errors import PermuError

_TILE = re.compile(
    rf"/ogc(?:/releases/([^/]+))?/collections/([a-z_]+)/tiles/{QUAD}/(\d{{1,2}})/(\d{{1,9}})/(\d{{1,9}})", re.A
)


class QuickTiles:
    """ASGI middleware, around the application itself."""

    def __init__(self, app: ASGIApp, store: Store, door: Door, fresh: Fresh) -> None:
        self.app, self.store, self.door, self.fresh = app, store, door, fresh

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = None
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["query_string"]:
            asked = _TILE.fullmatch(scope["path"])
        rule = quick_rule(scope["path"]) if asked else None
        if asked is None or rule is None:
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        known = await self.fresh.known()
        viewer = self.door.viewer(rule, scope["headers"]) if known else None
        found = self._answer(scope, known, asked, rule, viewer) if known and viewer else None
        if viewer is None or found is None:
            await self.app(scope, receive, send)
            return
        await self.door.send(scope, send, found, rule, viewer, begun)

    def _answer(self, scope: Scope, known: Known, asked: re.Match[str], rule: Rule, viewer: Viewer) -> Answer | None:
        """Status, headers and body; None where the route has to say it."""
        sent = dict(scope["headers"])
        if len(sent) != len(scope["headers"]) or b"origin" in sent:
            return None
        ready = at_hand(self.store, known.entries, asked[1], asked[2], viewer)
        z, y, x = int(asked[3]), int(asked[4]), int(asked[5])
        if ready is None or not ready.covers(z, y, x):
            return None
        answer = _told(ready, z, y, x, sent)
        try:
            self.door.note(rule, viewer, b"", ready.release_id, answer[0])
        except PermuError:
            return None
        return answer


def _told(ready: Ready, z: int, y: int, x: int, sent: dict[bytes, bytes]) -> Answer:
    """A tile as the client takes it: not again what it holds, unpacked where it does not take gzip."""
    headers, body = ready.tile(z, y, x, sent.get(b"accept-encoding", b"").decode("latin-1"))
    status = 200 if body is not None else 204
    if b"if-none-match" in sent and holds(sent[b"if-none-match"].decode("latin-1"), headers["etag"]):
        status, body = 304, None
    elif body is not None and "content-encoding" not in headers:
        body = decompress(body)
    if body is not None:
        headers["content-length"] = str(len(body))
    return status, guarded([(name.encode(), value.encode()) for name, value in headers.items()]), body or b""
