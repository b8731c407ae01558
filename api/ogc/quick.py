"""Tiles of an open tile set and plain pages of open features that are look-ups (see api.first)."""

from __future__ import annotations

import re
from gzip import decompress

from starlette.requests import Request
from starlette.types import Scope

from api.door import Answer
from api.first import Asked, Views
from api.guard import guarded
from api.ogc import items
from api.ogc.collections import open_layer
from api.ogc.negotiate import wanted
from api.ogc.question import read_limit
from api.ogc.ready import Ready, at_hand
from api.ogc.scope import Scope as About
from api.ogc.scope import addresses
from api.ogc.shelf import Shelf
from api.ogc.tilesets import QUAD
from api.respond import holds
from api.rights.routes import Rule, quick_rule
from api.store import Store
from engine.layers import LAYERS

ROWS, SIZE = 100, 250_000  # more features, or bytes of them, are a worker thread's
_PLAIN = frozenset({"f", "limit", "cursor"})
_LAYER = r"/ogc(?:/releases/([^/]+))?/collections/([a-z_]+)"
_TILE = re.compile(rf"{_LAYER}/tiles/{QUAD}/(\d{{1,2}})/(\d{{1,9}})/(\d{{1,9}})", re.A)
_ITEMS = re.compile(rf"{_LAYER}/items", re.A)


class QuickTiles:
    """A look-up of api.first in a mapped archive."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def rule(self, scope: Scope) -> Rule | None:
        """The layer's, for the address of a tile without a question."""
        return quick_rule(scope["path"]) if not scope["query_string"] and _TILE.fullmatch(scope["path"]) else None

    def answer(self, asked: Asked) -> tuple[Answer, str] | None:
        """The tile as stored, of a tile set that stands."""
        release, layer, *place = _TILE.fullmatch(asked.scope["path"]).groups()  # type: ignore[union-attr]
        ready = at_hand(self.store, asked.known.entries, release, layer, asked.viewer)
        z, y, x = map(int, place)
        if ready is None or not ready.covers(z, y, x):
            return None
        return _told(ready, z, y, x, asked.sent), ready.release_id


class QuickItems:
    """A look-up of api.first in prepared features: pages as they follow each other, without a filter."""

    def __init__(self, store: Store, views: Views, shelf: Shelf) -> None:
        self.store, self.views, self.shelf = store, views, shelf

    def rule(self, scope: Scope) -> Rule | None:
        """The layer's, for the address of its items."""
        found = _ITEMS.fullmatch(scope["path"])
        return quick_rule(scope["path"]) if found and found[2] in LAYERS else None

    def answer(self, asked: Asked) -> tuple[Answer, str] | None:
        """The page by the route's own code, of features that are open."""
        request = Request(asked.scope)
        given = request.query_params
        plain = len(given) == len(given.multi_items()) and given.keys() <= _PLAIN
        if not plain or read_limit(given.get("limit")) > ROWS or wanted(request) != "json":
            return None
        release, layer = _ITEMS.fullmatch(asked.scope["path"]).groups()  # type: ignore[union-attr]
        entries = tuple(e for e in asked.known.entries if asked.viewer.sees_release(e.state))
        listed = self.store.chosen(entries, release, None, None)
        opened = asked.known.standing.get(listed.release_id)
        if opened is None or opened.listed != listed or not opened.board.is_read:
            return None
        view, seen = self.views.of(asked.viewer, opened), self.store.seen_by(asked.viewer.sees_release)
        held = open_layer(self.shelf, opened, layer, view)
        if held is None:
            return None
        about = About(*addresses(request, release), seen, opened, view, self.shelf, {layer: held})
        page = items.page(request, about, held, "json")
        if held.features().size(page.rows) > SIZE:
            return None
        told = items.geojson(request, about, page)
        return (told.status_code, guarded(told.raw_headers), bytes(told.body)), listed.release_id


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
