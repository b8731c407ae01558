"""What the page asks beside a ranking: where its enterprises stood the year before, and who they are, without figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import PAGE, GroupQuery, StoreDep
from api.ranking_page import head
from api.respond import answer, dump
from api.rights import view_of
from api.routes.overview import earlier
from engine.query import Board, Selection
from engine.query.page import part_of

router = APIRouter(tags=["rankings"], prefix="/rankings")
MOST_IDS = 20_000


class PlacesQuery(GroupQuery):
    """A ranking page, and the release to compare it with."""

    by: str | None = None
    order: str | None = None
    limit: str | None = None
    cursor: str | None = None
    against: str | None = None


def places_of(board: Board, selection: Selection, enterprises: list[str]) -> dict[str, Any]:
    """Rank and of in the selection's group by its metric: enterprise id → {rank, of}; who has none there is left out."""
    standing = board.standing(selection.members, board.metric(selection.by))
    numbers = np.array([board.number_of(e) for e in enterprises], dtype=np.int64)
    at = np.searchsorted(standing.rows, numbers)
    found: dict[str, Any] = {}
    for enterprise, number, place in zip(enterprises, numbers, at, strict=True):
        if place < standing.of and standing.rows[place] == number:
            found[enterprise] = {"rank": int(standing.rank[place]), "of": standing.of}
    return found


@router.get("/ids", summary="Who a question names: ids alone, at most 20,000")
def ids(request: Request, asked: Annotated[GroupQuery, Query()], store: StoreDep) -> Response:
    """The same question as /rankings; `ids` in the order of the ranking, `total` counts those beyond the limit too."""
    opened = asked.opened(store)
    board, view = opened.board, view_of(request, opened)
    selection = replace(view.narrow(asked.selection(), board), limit=MOST_IDS)

    def make() -> bytes:
        part = part_of(board, selection)
        named = board.table["enterprise_id"].gather(part.places.rows).to_list()
        return dump({**head(board), "total": part.total, "ids": named})

    return answer(request, opened.listed, make, key=view.key)


@router.get("/places", summary="Where the enterprises of a ranking page stood the year before")
def places(request: Request, asked: Annotated[PlacesQuery, Query()], store: StoreDep) -> Response:
    """The same question as /rankings; `places` holds rank and of in the same group and metric of the release compared."""
    opened = asked.opened(store)
    view = view_of(request, opened)
    selection = view.narrow(asked.selection(limit=PAGE), opened.board)
    before = earlier(store, opened, asked.value("against"))
    narrowed = view_of(request, before).narrow(replace(asked.selection(limit=PAGE), cursor=None), before.board)

    def make() -> bytes:
        board = opened.board
        rows = part_of(board, selection).places.rows
        known = board.table["enterprise_id"].gather(rows).to_list() if view.sees("rank") else []
        about = {**head(board, board.metric(selection.by)), "against": head(before.board)}
        return dump({**about, "places": places_of(before.board, narrowed, known)})

    return answer(request, (opened.listed, before.listed), make, key=view.key)
