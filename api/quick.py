"""Ranking pages that are look-ups (see api.first): of a group whose order stands in the prepared files, or was found
before. No table is scanned, no query run and no file opened (a test holds it to that)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import Scope

from api.door import Answer
from api.first import Asked, Views
from api.fresh import Known
from api.guard import guarded
from api.query import PAGE, RankingQuery
from api.ranking_page import around
from api.recent import Key, Page, Recent
from api.respond import PACK_FROM, VARY, encoding_of, holds, tag_of
from api.rights import View
from api.rights.routes import RANKINGS, Rule
from api.store import Opened, Store
from engine.query import Selection, cursor
from engine.query.page import part_of
from engine.schema.errors import PermuError

PATH = "/api/v1/rankings"
ROWS = 100  # more rows than this are a worker thread's
TIDY = 1_000  # pages made between two looks at the memory that mapped files take
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


class QuickPages:
    """A look-up of api.first."""

    def __init__(self, store: Store, views: Views) -> None:
        self.store, self.views, self.recent = store, views, Recent()
        self._made_so_far = 0

    def rule(self, scope: Scope) -> Rule | None:
        """The rankings' own."""
        return RANKINGS if scope["path"] == PATH else None

    def answer(self, asked: Asked) -> tuple[Answer, str] | None:
        """The page that was asked lately, or one that is at hand."""
        key = (asked.scope["query_string"], asked.viewer)
        page = self.recent.find(key, asked.known) or self._made(key, asked.known)
        return (self._told(key, page, asked.sent), page.release_id) if page else None

    def _told(self, key: Key, page: Page, sent: dict[bytes, bytes]) -> Answer:
        """A page as the client takes it: not again what it holds, packed if it says so."""
        held = sent.get(b"if-none-match")
        if held and holds(held.decode("latin-1"), page.tag):
            return 304, [*page.headers], b""
        offered = sent.get(b"accept-encoding")
        encoding = encoding_of(offered.decode("latin-1")) if offered and page.size >= PACK_FROM else None
        body = self.recent.text(key, page, encoding)
        headers = [*page.headers, (b"content-length", b"%d" % len(body))]
        if encoding is not None:
            headers.append((b"content-encoding", encoding.encode()))
        return 200, headers, body

    def _made(self, key: Key, known: Known) -> Page | None:
        """The page of a question; None where the group has to be found first, or somebody does not see all of it."""
        query, viewer = key
        question = question_of(query)
        if question is None:
            return None
        seen = tuple(e for e in known.entries if viewer.sees_release(e.state))
        listed = self.store.chosen(seen, question.release, question.year, question.policy)
        opened = known.standing.get(listed.release_id)
        if opened is None or opened.listed != listed or opened.board.served is None:
            return None
        view = self.views.of(viewer, opened)
        if not view.every_column or view.enterprise is not None:
            return None
        selection = question.selection if view.whole else view.narrow(question.selection, opened.board)
        tag = tag_of((opened.listed,), PATH, question.pairs, (_MEDIA, view.key))
        page = page_of(known, opened, view, selection, tag)
        if page is None:
            return None
        self.recent.keep(key, page)
        self._made_so_far += 1
        if self._made_so_far % TIDY == 0:
            opened.board.served.tidy()
        return page


def page_of(known: Known, opened: Opened, view: View, selection: Selection, tag: str) -> Page | None:
    """The page of a prepared release; None where the group has to be found first."""
    board, served = opened.board, opened.board.served
    if served is None or board.at_hand(selection.members, board.metric(selection.by)) is None:
        return None
    part = part_of(board, selection)
    records = served.records(part.places.rows, part.places.rank, part.places.of)
    headers = guarded([*_FIXED, (b"etag", tag.encode())])
    return Page.of(known, opened, tag, headers, around(board, view, part), records)
