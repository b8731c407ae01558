"""OGC API Tiles: vector tiles of the layers in WebMercatorQuad, straight from the mapped archive.

A tile is a look-up in memory and never waits for anything: what it needs of the release, of the viewer's rights and of
the archive was settled, in a worker thread, when the layer was first asked for (:mod:`api.ogc.ready`). The ledger and
the file are looked at each time, so that a new release, a withdrawn or a deleted one counts at once.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.layers import limits_of
from api.ogc import tilesets
from api.ogc.definition import ELSE
from api.ogc.links import Link, link
from api.ogc.negotiate import dump, reply
from api.ogc.question import require_known
from api.ogc.ready import at_hand, opened
from api.ogc.scope import Scope
from api.ogc.tilesets import MVT, QUAD, TILEJSON
from api.respond import is_fresh
from api.rights import viewer_of
from api.routes.layers import files, seen
from engine.layers import LAYERS, layer_of
from engine.layers.prepared import counted
from engine.schema.errors import PermuError

_CONF = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
CONFORMANCE = (
    *(_CONF + name for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")),
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilesetmetadata",
)


def _refuse(name: str, value: str, en: str, zh: str) -> NoReturn:
    raise PermuError(
        "bad_parameter", f"{name}={value[:40]}: {en}", f"{name}={value[:40]}：{zh}", parameter=name, allowed=en
    )


def _number(request: Request, name: str) -> int:
    value = request.path_params[name]
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        _refuse(name, value, "a whole number", "须为非负整数")
    return int(value)


def _outside(what: str) -> NoReturn:
    raise PermuError(
        "no_tile", f"{what}: outside of the tile set; see its tileMatrixSetLimits", f"{what}：超出瓦片集范围"
    )


def _known(request: Request) -> None:
    if request.path_params["tms"] != QUAD:
        _outside(f"tile matrix set {request.path_params['tms'][:40]!r} (there is {QUAD})")
    if request.scope["query_string"]:
        require_known(request.query_params, ["f"])
        if request.query_params["f"] not in ("mvt", MVT):
            _refuse("f", request.query_params["f"], "mvt", "只能为 mvt")


async def tile(request: Request) -> Response:
    """One tile, gzip as stored; 204 where the tile set has nothing there, 404 outside of it, 400 for no number."""
    _known(request)
    z, y, x = (_number(request, name) for name in ("z", "y", "x"))
    named, layer = request.path_params.get("release_id"), request.path_params["collection_id"]
    store = request.app.state.store
    ready = at_hand(store, store.ledger.at_hand(), named, layer, viewer_of(request))
    if ready is None:
        ready = await run_in_threadpool(opened, request, named, layer)
    request.state.audit_release = ready.release_id
    if not ready.covers(z, y, x):
        _outside(f"tile {z}/{y}/{x}")
    headers, body = ready.tile(z, y, x, request.headers.get("accept-encoding", ""))
    if is_fresh(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    if body is not None and "content-encoding" not in headers:
        body = gzip.decompress(body)
    return Response(body, 200 if body is not None else 204, headers)


def _form(request: Request, *allowed: str) -> str:
    require_known(request.query_params, ["f"])
    form = request.query_params.get("f", "json")
    if form not in allowed:
        _refuse("f", form, ", ".join(allowed), "可用 " + "、".join(allowed))
    return form


def _title(collection: str) -> str:
    layer = layer_of(collection)
    return f"{layer.zh} · {layer.en}"


def matrix_sets(request: Request) -> Response:
    """The tile matrix sets."""
    _form(request, "json")
    scope = Scope.of(request)
    return reply(request, scope, lambda: dump(tilesets.matrix_sets(scope.root)), tilesets.JSON)


def matrix_set(request: Request) -> Response:
    """One tile matrix set."""
    _form(request, "json")
    if request.path_params["tms"] != QUAD:
        _outside(f"tile matrix set {request.path_params['tms'][:40]!r} (there is {QUAD})")
    return reply(request, Scope.of(request), lambda: dump(tilesets.matrix_set()), tilesets.JSON)


def tilesets_of(request: Request) -> Response:
    """The tile sets of a collection."""
    _form(request, "json")
    scope, name = Scope.of(request), request.path_params["collection_id"]
    seen(request, scope.opened, name)
    return reply(request, scope, lambda: dump(tilesets.tilesets(scope.root, name, _title(name))), tilesets.JSON)


def tileset(request: Request) -> Response:
    """A tile set's metadata, or TileJSON."""
    form, name = _form(request, "json", "tilejson"), request.path_params["collection_id"]
    if request.path_params["tms"] != QUAD:
        _outside(f"tile matrix set {request.path_params['tms'][:40]!r} (there is {QUAD})")
    scope = Scope.of(request)
    limits = limits_of(seen(request, scope.opened, name))
    archive = files.archive(scope.opened.release, name, limits)
    if form == "tilejson":
        return reply(request, scope, lambda: dump(tilesets.tilejson(scope.root, name, _title(name), archive)), TILEJSON)
    told = counted(scope.opened.release, name, limits)
    return reply(
        request, scope, lambda: dump(tilesets.tileset(scope.root, name, _title(name), archive, told)), tilesets.JSON
    )


ROUTES: dict[str, Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]] = {
    "/tileMatrixSets": matrix_sets,
    "/tileMatrixSets/{tms}": matrix_set,
    "/collections/{collection_id}/tiles": tilesets_of,
    "/collections/{collection_id}/tiles/{tms}": tileset,
    "/collections/{collection_id}/tiles/{tms}/{z}/{y}/{x}": tile,
}


def add(router: APIRouter) -> None:
    """The routes, below the landing page. Plain routes: a tile has no parameters that the framework must read."""
    for path, handler in ROUTES.items():
        router.add_route(path, handler, methods=["GET"], include_in_schema=False)


def links(root: str, collection: str | None) -> list[Link]:
    """What the landing page and a collection say about tiles."""
    if collection is None:
        return [link(tilesets.SCHEMES_REL, f"{root}/tileMatrixSets", tilesets.JSON, "Tile matrix sets")]
    if collection not in LAYERS:
        return []  # from a file: it has no tiles
    return [link(tilesets.VECTOR_REL, f"{root}/collections/{collection}/tiles", tilesets.JSON, "Vector tiles")]


def paths(collections: list[str]) -> dict[str, Any]:
    """The routes in OpenAPI 3.0."""
    zoom = {"type": "string", "enum": [str(z) for z in range(tilesets.ZOOMS)]}
    whole = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    kinds = {"tileMatrix": zoom, "tileRow": whole, "tileCol": whole}
    place = [{"name": n, "in": "path", "required": True, "schema": kind} for n, kind in kinds.items()]
    found = {"/tileMatrixSets": _told("tileMatrixSets"), f"/tileMatrixSets/{QUAD}": _told(f"tileMatrixSets.{QUAD}")}
    for name in filter(LAYERS.__contains__, collections):  # a collection from a file has no tiles
        base, get = f"/collections/{name}/tiles", f"{name}.collection.vector.get"
        found |= {base: _told(f"{get}TileSetsList"), f"{base}/{QUAD}": _told(f"{get}TileSet", "json", "tilejson")}
        one = _told(f"{get}Tile", "mvt")["get"]
        one["responses"]["204"] = {"description": "No feature there"}
        found[f"{base}/{QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"] = {
            "get": {**one, "parameters": [*place, *one["parameters"]]}
        }
    return found


def _told(name: str, *forms: str) -> dict[str, Any]:
    """An operation that answers in ``forms`` (json where none is named), or as every operation does."""
    binary, words = {"type": "string", "format": "binary"}, forms or ("json",)
    media = {"json": tilesets.JSON, "tilejson": TILEJSON, "mvt": MVT}
    content = {media[form]: {"schema": binary if form == "mvt" else {"type": "object"}} for form in words}
    given = {"name": "f", "in": "query", "required": False, "schema": {"type": "string", "enum": list(words)}}
    responses = {"200": {"description": "OK", "content": content}, **ELSE}
    return {"get": {"operationId": name, "tags": ["Tiles"], "parameters": [given], "responses": responses}}
