"""Ranking pages that need no work: answered on the event loop, before routing.

A page of a group whose order stands in the prepared files, or was found before, is a look-up: no table is scanned, no
query run and no file opened (a test holds it to that), so it costs less than handing it to a worker thread. Everything else, every refusal
among it, goes on to the route, which says the same in the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from api.query import PAGE, RankingQuery
from api.ranking_page import ranking_page
from api.recent import Page, Recent
from api.respond import PACK_FROM, VARY, encoding_of, holds, tag_of
from api.rights import ADMINISTRATOR, View, Viewer, rights_of
from api.store import Listed, Opened, Store
from engine.query import Selection, cursor
from engine.schema.errors import PermuError

PATH = "/api/v1/rankings"
ROWS = 100  # more rows than this are a worker thread's
KEPT = 256  # viewers whose rights are kept
TIDY = 1_000  # answers between two looks at the memory that mapped files take
_MEDIA = "application/json"
_FIXED = [(name.lower().encode(), value.encode()) for name, value in {**VARY, "Content-Type": _MEDIA}.items()]
_KNOWN = frozenset(RankingQuery.model_fields)
_RELEASE = frozenset({"release", "year", "policy", "format", "lang"})


@dataclass(frozen=True)
class Question:
    """A question as its address says it: the parameters, and what they ask of which release."""

    pairs: tuple[tuple[str, str], ...]
    selection: Selection
    release: str | None
    year: str | None
    policy: str | None


@dataclass(frozen=True)
class Found:
    """What a quick answer is made from."""

    opened: Opened
    view: View
    selection: Selection
    tag: str


@lru_cache(maxsize=4096)
def question_of(query: bytes) -> Question | None:
    """The question of a query string; None where the route has to say what is wrong with it, or write a file."""
    pairs = tuple(sorted(parse_qsl(query.decode("latin-1"), keep_blank_values=True)))
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= _KNOWN or given.get("format", "json") != "json":
        return None
    about = {name: given.get(name) for name in ("release", "year", "policy")}
    if "lang" in given or "" in about.values():
        return None
    try:
        if "cursor" in given and about["release"] is None:
            about["release"] = cursor.release_of(given["cursor"])
        asked: dict[str, str | int | None] = {k: v for k, v in given.items() if k not in _RELEASE}
        selection = Selection.parse(**{"limit": PAGE, **asked})
    except PermuError:
        return None
    if selection.filters or (selection.limit or 0) > ROWS:
        return None
    return Question(pairs, selection, **about)


class Quick:
    """ASGI middleware, innermost: the viewer is known by now, and the answer passes the guard on its way out.

    ``patience``: seconds for which it may go on with the releases that it knows before it looks whether there are
    others, or theirs are gone: four calls of the system a page.
    """

    def __init__(self, app: ASGIApp, store: Store, patience: float = 0.0) -> None:
        self.app, self.store, self.patience = app, store, patience
        self.recent = Recent(store, self.patience)
        self._views: dict[tuple[Viewer, Listed], View] = {}
        self._answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = None
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            page = self._page(scope)
        if page is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["audit_release"] = page.listed.release_id
        sent = dict(scope["headers"])
        headers = [*_FIXED, (b"etag", page.tag.encode())]
        held = sent.get(b"if-none-match")
        if held and holds(held.decode("latin-1"), page.tag):
            await _send(send, 304, headers, b"")
            return
        encoding = encoding_of(sent.get(b"accept-encoding", b"").decode("latin-1"))
        body = page.text(encoding if page.size >= PACK_FROM else None)
        if encoding is not None and page.size >= PACK_FROM:
            headers.append((b"content-encoding", encoding.encode()))
        await _send(send, 200, headers, body)

    def _page(self, scope: Scope) -> Page | None:
        """The page that was asked lately, or made now; None where the route must answer."""
        viewer: Viewer = scope.setdefault("state", {}).get("viewer", ADMINISTRATOR)
        key = (scope["query_string"], viewer)
        page = self.recent.find(key)
        if page is None:
            entries, found = self.store.ledger.at_hand(self.patience), self._found(scope)
            body = self._body(found) if found else None
            if entries is None or found is None or body is None:
                return None
            page = Page.of(entries, found.opened.listed, found.tag, body)
            self.recent.keep(key, page)
        return page

    def _found(self, scope: Scope) -> Found | None:
        """What the answer is made from, where the release is open and the viewer sees all of it."""
        question = question_of(scope["query_string"])
        entries = self.store.ledger.at_hand(self.patience)
        if question is None or entries is None:
            return None
        viewer: Viewer = scope.setdefault("state", {}).get("viewer", ADMINISTRATOR)
        try:
            opened = self.store.at_hand(self._listed(question, entries, viewer), self.patience)
            if opened is None or opened.board.served is None:
                return None
            view = self._view(viewer, opened)
            if not view.every_column or view.enterprise is not None:
                return None
            selection = question.selection if view.whole else view.narrow(question.selection, opened.board)
        except PermuError:
            return None
        tag = tag_of((opened.listed,), PATH, question.pairs, (_MEDIA, view.key))
        return Found(opened, view, selection, tag)

    def _view(self, viewer: Viewer, opened: Opened) -> View:
        key = (viewer, opened.listed)
        if key not in self._views:
            if len(self._views) >= KEPT:
                self._views.clear()
            self._views[key] = rights_of(viewer, opened)
        return self._views[key]

    def _listed(self, question: Question, entries: tuple[Listed, ...], viewer: Viewer) -> Listed:
        seen = entries if viewer.can("drafts") else tuple(e for e in entries if viewer.sees_release(e.state))
        return self.store.chosen(seen, question.release, question.year, question.policy)

    def _body(self, found: Found) -> bytes | None:
        """The answer, None where the group has to be found first or the cursor is refused."""
        board, selection = found.opened.board, found.selection
        try:
            if board.at_hand(selection.members, board.metric(selection.by)) is None:
                return None
            body = ranking_page(found.opened, found.view, selection, cursor.read(board, selection))
        except PermuError:
            return None
        self._answered += 1
        if self._answered % TIDY == 0 and board.served is not None:
            board.served.tidy()
        return body


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = [] if status == 304 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers + length})
    await send({"type": "http.response.body", "body": body})
