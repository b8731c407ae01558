"""Whether the process lives, whether it can answer, and its metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.operations import metrics
from api.query import NoQuery, StoreDep
from api.respond import dump
from api.rights import viewer_of
from engine.schema.errors import PermuError

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="The process lives")
def healthz(asked: Annotated[NoQuery, Query()]) -> Response:
    """200 while requests are answered."""
    return Response(dump({"status": "ok"}), media_type="application/json")


@router.get("/readyz", summary="A release can be served")
def readyz(request: Request, asked: Annotated[NoQuery, Query()], store: StoreDep) -> Response:
    """200 with the default release (its id only for the bureau's roles); else what stands in the way (503)."""
    try:
        listed = store.choose()
        store.open(listed)
    except PermuError as error:
        raise PermuError("not_ready", error.en, error.zh) from error
    about = {"release_id": listed.release_id} if viewer_of(request).can("drafts") else {}
    return Response(dump({"status": "ready", **about}), media_type="application/json")


@router.get("/metrics", summary="Metrics for Prometheus")
def prometheus(asked: Annotated[NoQuery, Query()]) -> Response:
    """Requests by route, method and status, latency, open releases, version; all workers together."""
    return Response(metrics.page(), headers={"Cache-Control": "no-store"}, media_type=metrics.MEDIA)
