"""Rankings, bottom lists and group figures: parse → group → order → filter → render."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.exports.download import exported
from api.exports.table import Rows, bottom_list_rows, ranking_rows
from api.query import PAGE, BottomQuery, RankingQuery, StoreDep, SummaryQuery
from api.ranking_page import head, ranking_page
from api.respond import answer, dump
from api.rights import View, view_of
from api.rights.groups import shown
from engine.query import Board, Selection, bottom, summary
from engine.query.bottom import bottom_rows
from engine.schema.errors import PermuError

router = APIRouter(tags=["rankings"])
JSON_ROWS = 100_000  # about 200 MB of JSON; larger lists are for the columnar formats


@router.get("/rankings", summary="A page of a ranking, or the whole of it as a file")
def rankings(request: Request, asked: Annotated[RankingQuery, Query()], store: StoreDep) -> Response:
    """Rank, of and percentile count within industry × region × size × group; grade and q only filter rows."""
    opened = asked.opened(store)
    board, view = opened.board, view_of(request, opened)
    form, lang = asked.value("format") or "json", asked.value("lang")
    if form == "json":
        selection = view.narrow(asked.selection(limit=PAGE), board)
        return answer(request, opened.listed, lambda: ranking_page(opened, view, selection), key=view.key)
    view.need("export")
    selection = view.narrow(asked.selection(), board)
    metric = board.metric(selection.by)
    return exported(
        request, opened, view, form, lang or "zh", lambda: ranking_rows(board, selection), "ranking", metric
    )


@router.get("/rankings/bottom", summary="Bottom lists by percent or count")
def bottom_lists(request: Request, asked: Annotated[BottomQuery, Query()], store: StoreDep) -> Response:
    """The last p per cent (rank·100 > (100 − p)·of) or the last N with ties, of the group asked or of each within it."""
    opened = asked.opened(store)
    board, view = opened.board, view_of(request, opened)
    view.need("bottom")
    selection = view.narrow(asked.selection(), board)
    how = {"percent": asked.value("percent"), "count": asked.value("count"), "within": asked.value("within") or ()}
    form, lang = asked.value("format") or "json", asked.value("lang")
    metric = board.metric(selection.by)
    if form == "json":
        return answer(request, opened.listed, lambda: _groups(board, view, selection, how), key=view.key)
    view.need("export_bottom")
    split = asked.value("sheets") == "group"

    def make() -> Rows:
        return bottom_list_rows(board, selection, **how)

    return exported(request, opened, view, form, lang or "zh", make, "bottom", metric, split)


def _groups(board: Board, view: View, selection: Selection, how: dict[str, Any]) -> bytes:
    rows = sum(len(found.rows) for _, found in bottom_rows(board, selection, **how))
    if rows > JSON_ROWS:
        raise PermuError(
            "too_many_rows",
            f"{rows} rows are more than a JSON answer holds ({JSON_ROWS}): narrow the question, or ask for format=csv",
            f"{rows} 行超出 JSON 答复上限（{JSON_ROWS} 行）：请缩小范围，或使用 format=csv",
            parameter="format",
            allowed="csv, xlsx, parquet, arrow",
        )
    groups = [
        {"key": g.key, "of": g.of, "rows": [view.cut(row) for row in g.rows]} for g in bottom(board, selection, **how)
    ]
    return dump({**head(board, board.metric(selection.by)), "groups": groups})


@router.get("/summary", summary="Group figures: Σ/Σ, means, quantiles, counts, grades")
def group_figures(request: Request, asked: Annotated[SummaryQuery, Query()], store: StoreDep) -> Response:
    """`ratio` is Σ numerator ÷ Σ denominator over the enterprises that have a value; `mean` the simple mean."""
    opened = asked.opened(store)
    board, view, names = opened.board, view_of(request, opened), asked.value("group_by") or ()
    selection = view.narrow_group(asked.selection(), board)

    def make() -> bytes:
        lines = shown(view, board, selection, names, summary(board, selection, names))
        return dump({**head(board), "group_by": list(names), "groups": lines})

    return answer(request, opened.listed, make, key=view.key)
