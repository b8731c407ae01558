"""The routes, each under /ogc (default release) and /ogc/releases/{release_id}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.ogc import definition, documents, items, pages, queryables
from api.ogc.crs import read_crs
from api.ogc.negotiate import GEOJSON, HTML, JSON, OPENAPI, SCHEMA, dump, reply, wanted
from api.ogc.question import require_known
from api.ogc.scope import Scope

Document = dict[str, Any]


def _two_forms(
    request: Request, media: str, make: Callable[[Scope, str], Document], page: Callable[[Scope, Document], bytes]
) -> Response:
    """A document without parameters of its own, as JSON or as a page."""
    require_known(request.query_params, ["f"])
    scope, form = Scope.of(request), wanted(request)
    named = scope.releases() if make is documents.landing else ()
    if form == "html":
        return reply(request, scope, lambda: page(scope, make(scope, form)), HTML, more=named)
    return reply(request, scope, lambda: dump(make(scope, form)), media, more=named)


def landing(request: Request) -> Response:
    """The landing page."""
    return _two_forms(request, JSON, documents.landing, pages.landing)


def conformance(request: Request) -> Response:
    """The conformance classes that hold."""
    return _two_forms(request, JSON, documents.conformance, pages.conformance)


def api(request: Request) -> Response:
    """The definition of this API, OpenAPI 3.0."""
    return _two_forms(request, OPENAPI, lambda scope, form: definition.definition(scope), definition.page)


def collections(request: Request) -> Response:
    """All collections."""
    return _two_forms(request, JSON, documents.collections, pages.collections)


def collection(request: Request, collection_id: str) -> Response:
    """One collection."""

    def make(scope: Scope, form: str) -> Document:
        return documents.collection(scope, scope.collection(collection_id), form)

    return _two_forms(request, JSON, make, pages.collection)


def queryables_of(request: Request, collection_id: str) -> Response:
    """The properties that a filter may ask."""

    def make(scope: Scope, form: str) -> Document:
        return queryables.schema(scope, scope.collection(collection_id))

    return _two_forms(request, SCHEMA, make, pages.queryables)


def items_of(request: Request, collection_id: str) -> Response:
    """A page of features."""
    scope, form = Scope.of(request), wanted(request)
    collection = scope.collection(collection_id)
    found = items.page(request, scope, collection, form)
    if form == "json":
        return items.geojson(request, scope, found)
    return reply(
        request, scope, lambda: pages.items(scope, found), HTML, documents.queryables_header(scope, collection.id)
    )


def item(request: Request, collection_id: str, feature_id: str) -> Response:
    """One feature."""
    scope, form = Scope.of(request), wanted(request)
    document = items.feature(request, scope, scope.collection(collection_id), feature_id, form)
    crs = read_crs("crs", request.query_params.get("crs"))
    if form == "html":
        return reply(request, scope, lambda: pages.feature(scope, document, crs), HTML)
    return reply(request, scope, lambda: dump(document), GEOJSON, items.content_crs(crs))


def style(request: Request) -> Response:
    """How the pages look."""
    return Response(pages.STYLE, headers={"Cache-Control": "max-age=3600"}, media_type="text/css")


ROUTES: dict[str, Callable[..., Response]] = {
    "": landing,
    "/": landing,
    "/conformance": conformance,
    "/api": api,
    "/style.css": style,
    "/collections": collections,
    "/collections/{collection_id}": collection,
    "/collections/{collection_id}/queryables": queryables_of,
    "/collections/{collection_id}/items": items_of,
    "/collections/{collection_id}/items/{feature_id:path}": item,
}


def make_router() -> APIRouter:
    """Every route twice; the tiles part adds its own."""
    whole = APIRouter(include_in_schema=False)
    for prefix in ("/ogc", "/ogc/releases/{release_id}"):
        for path, handler in ROUTES.items():
            whole.add_api_route(prefix + path, handler, methods=["GET"], include_in_schema=False)
        part = documents.tiles()
        if part:
            below = APIRouter()
            part.add(below)
            whole.include_router(below, prefix=prefix, include_in_schema=False)
    return whole
