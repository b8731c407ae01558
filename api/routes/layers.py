"""Whole layers for map software: RFC 7946 GeoJSON with ETag, byte ranges and gzip."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, Response

from api.layers import prepared
from api.query import ReleaseQuery, StoreDep
from api.respond import VARY, accepts_gzip, is_fresh

router = APIRouter(tags=["layers"], prefix="/layers")


@router.get("/parcels.geojson", summary="Parcels with rank, grade and indicators of who uses them")
def parcels(request: Request, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """Rank and indicators are those of the enterprise that uses most of the parcel; all users are listed by id."""
    opened = asked.opened(store)
    place = prepared(store, opened, "parcels")
    zipped = place.with_name(place.name + ".gz")
    packed = accepts_gzip(request) and "range" not in request.headers and zipped.is_file()
    tag = f'"{opened.listed.release_id}-parcels{"-gz" if packed else ""}"'
    headers = {**VARY, "ETag": tag} | ({"Content-Encoding": "gzip"} if packed else {})
    if is_fresh(request, tag):
        return Response(status_code=304, headers=headers)
    return FileResponse(zipped if packed else place, media_type="application/geo+json", headers=headers)
