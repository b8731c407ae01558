"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.query import NoQuery, StoreDep
from api.respond import dump
from engine.schema.errors import PermuError

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="The process lives")
def healthz(asked: Annotated[NoQuery, Query()]) -> Response:
    """200 while requests are answered."""
    return Response(dump({"status": "ok"}), media_type="application/json")


@router.get("/readyz", summary="A release can be served")
def readyz(asked: Annotated[NoQuery, Query()], store: StoreDep) -> Response:
    """200 with the default release; else the problem that stands in the way (503)."""
    try:
        listed = store.choose()
        store.open(listed)
    except PermuError as error:
        raise PermuError("not_ready", error.en, error.zh) from error
    return Response(dump({"status": "ready", "release_id": listed.release_id}), media_type="application/json")
