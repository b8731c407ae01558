"""The dictionary of columns: what each is called, in which unit, with how many decimals."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import NoQuery
from api.respond import answer, dump
from api.rights import viewer_of
from engine.schema.columns import COLUMNS

router = APIRouter(tags=["catalogue"])


@router.get("/columns", summary="The dictionary of columns")
def columns(request: Request, asked: Annotated[NoQuery, Query()]) -> Response:
    """Titles, units, kinds and decimals of the columns of ranking rows and of comparisons, in both languages; `shown`
    says whether the asker's role sees the column."""
    viewer = viewer_of(request)

    def make() -> bytes:
        lines = [
            {
                "name": c.name,
                "title": c.zh,
                "title_en": c.en,
                "unit": c.unit_zh,
                "unit_en": c.unit_en,
                "kind": c.kind,
                "decimals": c.decimals,
                "shown": viewer.is_administrator or viewer.role in c.roles,
            }
            for c in COLUMNS.values()
        ]
        return dump({"columns": lines})

    return answer(request, (), make, key=viewer.role)
