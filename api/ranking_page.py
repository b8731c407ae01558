"""The JSON of a ranking page: written from the prepared records where the viewer sees every column, else cut row by row."""

from __future__ import annotations

from typing import Any

from api.respond import dump
from api.rights import View
from api.store import Opened
from engine.query import Board, Selection
from engine.query.page import Part, part_of
from engine.query.rows import build


def head(board: Board, metric: str | None = None) -> dict[str, Any]:
    """Which release an answer is about."""
    about: dict[str, Any] = {"release_id": board.release_id, "year": board.year, "policy": board.policy}
    return about if metric is None else {**about, "by": metric}


def around(board: Board, view: View, part: Part) -> tuple[bytes, bytes]:
    """What stands before and behind the rows of a page."""
    of = part.places.of if view.sees("of") else None
    about = dump({**head(board, part.metric), "of": of, "total": part.total})
    return b'%b,"rows":[' % about[:-1], b'],"next":%b}' % dump(part.next)


def ranking_page(opened: Opened, view: View, selection: Selection) -> bytes:
    """The page that ``selection`` asks, in the columns of the view; the selection is already within its rows."""
    board, part = opened.board, part_of(opened.board, selection)
    places = part.places
    begin, end = around(board, view, part)
    if board.served is not None and view.every_column:
        found = board.served.records(places.rows, places.rank, places.of)
        return b"".join([begin, *board.served.text(found), end])
    built = build(board, places.rows, places.ranks(), places.of, part.metric)
    return begin + dump([view.cut(row) for row in built])[1:-1] + end
