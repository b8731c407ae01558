"""The web page at ``/`` (a built single page), old links to enterprises, and ``/docs``."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.pages.assets import index
from api.pages.first import first_asked
from api.pages.reference import reference
from api.query import StoreDep

router = APIRouter(include_in_schema=False)


@router.get("/")
def page(request: Request, store: StoreDep) -> Response:
    """The page. What it shows is in its address, which the page reads; the server reads it to name what is needed first."""
    asked = request.query_params
    return index(asked.get("view", "map"), first_asked(store, asked), request.app.state.settings.basemap)


@router.get("/enterprises/{enterprise_id}")
def enterprise_page(request: Request, enterprise_id: str) -> Response:
    """A short address of an enterprise's portrait."""
    more = f"&{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/?view=portrait&enterprise={quote(enterprise_id, safe='')}{more}")


@router.get("/docs")
def docs_page(request: Request) -> Response:
    """The API, readable."""
    lang = "en" if request.query_params.get("lang") == "en" else "zh"
    document = reference(lang, request.app.openapi())
    return HTMLResponse(document, headers={"Cache-Control": "private, no-cache"})
