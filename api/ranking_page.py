"""The JSON of a ranking page: written from the prepared records where the viewer sees every column, else cut row by row."""

from __future__ import annotations

from typing import Any

from api.respond import dump
from api.rights import View
from api.store import Opened
from engine.query import Board, Selection
from engine.query.page import part_of
from engine.query.rows import build


def head(board: Board, metric: str | None = None) -> dict[str, Any]:
    """Which release an answer is about."""
    about: dict[str, Any] = {"release_id": board.release_id, "year": board.year, "policy": board.policy}
    return about if metric is None else {**about, "by": metric}


def ranking_page(opened: Opened, view: View, selection: Selection, start: int | None = None) -> bytes:
    """The page that ``selection`` asks, in the columns of the view; the selection is already within its rows.

    ``start``: the place of its cursor where that was read before.
    """
    board, part = opened.board, part_of(opened.board, selection, start)
    places = part.places
    if board.served is not None and view.every_column:
        rows = board.served.rows_json(places.rows, places.rank, places.of)
    else:
        built = build(board, places.rows, places.ranks(), places.of, part.metric)
        rows = dump([view.cut(row) for row in built])
    about = dump({**head(board, part.metric), "of": places.of if view.sees("of") else None, "total": part.total})
    return b'%b,"rows":%b,"next":%b}' % (about[:-1], rows, dump(part.next))
