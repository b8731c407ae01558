"""Ranking pages that need no work: answered on the event loop, before routing.

A page whose group was found before is a look-up in mapped files: no file is opened, no table scanned, no query run
(a test holds it to that), so it costs less than handing it to a worker thread. Everything else, every refusal
among it, goes on to the route, which says the same in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import parse_qsl

import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from api.query import PAGE, RankingQuery
from api.ranking_page import ranking_page
from api.respond import PACK_FROM, VARY, encoding_of, holds, packed, tag_of
from api.rights import ADMINISTRATOR, View, Viewer, rights_of
from api.store import Opened, Store
from engine.query import Selection, cursor
from engine.schema.errors import PermuError

PATH = "/api/v1/rankings"
ROWS = 100  # more rows than this are a worker thread's
LET_GO = 20_000  # pages between giving mapped memory back
_MEDIA = "application/json"
_FIXED = [(name.lower().encode(), value.encode()) for name, value in {**VARY, "Content-Type": _MEDIA}.items()]


@dataclass(frozen=True)
class Question:
    """A question as its address says it: the parameters, and what they ask of which release."""

    pairs: tuple[tuple[str, str], ...]
    selection: Selection
    release: str | None
    year: str | None
    policy: str | None


@lru_cache(maxsize=4096)
def question_of(query: bytes) -> Question | None:
    """The question of a query string; None where the route has to say what is wrong with it, or write a file."""
    pairs = tuple(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= RankingQuery.model_fields.keys():
        return None
    try:
        asked = RankingQuery.model_validate(given)
        if (asked.value("format") or "json") != "json" or asked.value("lang") == "":
            return None
        release = asked.value("release")
        if asked.cursor is not None and release is None:
            release = cursor.release_of(asked.cursor)
        selection = asked.selection(limit=PAGE)
    except PermuError:
        return None
    if selection.filters or not 1 <= (selection.limit or 0) <= ROWS:
        return None
    return Question(pairs, selection, release, asked.year, asked.value("policy"))


class Quick:
    """ASGI middleware, innermost: the viewer is known by now, and the answer passes the guard on its way out."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self.app, self.store = app, store
        self._answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = None
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            found = self._found(scope)
        if found is None:
            await self.app(scope, receive, send)
            return
        opened, view, question = found
        sent = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
        tag = tag_of((opened.listed,), PATH, question.pairs, (_MEDIA, view.key))
        headers = [*_FIXED, (b"etag", tag.encode())]
        if holds(sent.get(b"if-none-match", ""), tag):
            await _send(send, 304, headers, b"")
            return
        body = ranking_page(opened, view, question.selection)
        encoding = encoding_of(sent.get(b"accept-encoding", ""))
        if encoding is not None and len(body) >= PACK_FROM:
            body = await anyio.to_thread.run_sync(packed, body, encoding)
            headers.append((b"content-encoding", encoding.encode()))
        await _send(send, 200, headers, body)
        self._count(opened)

    def _found(self, scope: Scope) -> tuple[Opened, View, Question] | None:
        """The open release, the rights and the question, where the answer is at hand."""
        question = question_of(scope["query_string"])
        entries = self.store.ledger.at_hand()
        if question is None or entries is None:
            return None
        state = scope.setdefault("state", {})
        viewer: Viewer = state.get("viewer", ADMINISTRATOR)
        try:
            seen = entries if viewer.can("drafts") else tuple(e for e in entries if viewer.sees_release(e.state))
            listed = self.store.chosen(seen, question.release, question.year, question.policy)
            opened = self.store.at_hand(listed)
            if opened is None or opened.text is None:
                return None
            view = rights_of(viewer, opened)
            if not view.every_column or view.enterprise is not None:
                return None
            selection = view.narrow(question.selection, opened.board)
            if opened.board.at_hand(selection.members, opened.board.metric(selection.by)) is None:
                return None
            cursor.read(opened.board, selection)
        except PermuError:
            return None
        state["audit_release"] = listed.release_id
        return opened, view, replace(question, selection=selection)

    def _count(self, opened: Opened) -> None:
        self._answered += 1
        if self._answered % LET_GO == 0 and opened.board.served is not None:
            opened.board.served.let_go()


_READ = (b"if-none-match", b"accept-encoding")


async def _send(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    length = [] if status == 304 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})
