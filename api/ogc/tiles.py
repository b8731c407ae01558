"""OGC API Tiles: vector tiles of the layers in WebMercatorQuad, straight from the mapped archive.

A tile is a look-up in memory and never waits for anything: what it needs of the release, of the viewer's rights and of
the archive was settled, in a worker thread, when the layer was first asked for. The ledger and the file are looked at
each time (three stat calls), so that a new release, a withdrawn or a deleted one counts at once.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from anyio.to_thread import run_sync
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.layers import limits_of
from api.ogc import tilesets
from api.ogc.links import Link, link
from api.ogc.negotiate import dump, reply
from api.ogc.question import require_known
from api.ogc.scope import Scope
from api.ogc.tilesets import MVT, QUAD, TILEJSON
from api.respond import is_fresh
from api.rights import viewer_of
from api.routes.layers import files, seen, tag_of
from api.store import Opened, Store
from engine.layers import layer_of
from engine.layers.archive import Archive
from engine.layers.prepared import counted
from engine.schema.errors import PermuError

_CONF = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
CONFORMANCE = (
    *(_CONF + name for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")),
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilesetmetadata",
)
_READY = 256


@dataclass(frozen=True)
class Ready:
    """An open tile set: what it was opened from, and all that an answer needs."""

    index: tuple[Any, ...]
    place: Path
    stamp: int
    archive: Archive
    tag: str
    release_id: str


_ready: OrderedDict[tuple[Any, ...], Ready] = OrderedDict()


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


def _open(request: Request, opened: Opened, layer: str, index: tuple[Any, ...]) -> Ready:
    """The tile set of a layer for who asks; PermuError as the layer's files."""
    limits = limits_of(seen(request, opened, layer))
    archive = files.archive(opened.release, layer, limits)
    place = files.file(opened.release, layer, "pmtiles", limits)
    return Ready(index, place, place.stat().st_mtime_ns, archive, tag_of(place)[1:-1], opened.listed.release_id)


async def _tiles(request: Request) -> Ready:
    store: Store = request.app.state.store
    layer, named = request.path_params["collection_id"], request.path_params.get("release_id")
    index, key = store.index(), (id(store), named, layer, viewer_of(request))
    found = _ready.get(key)
    if found is not None and found.index == index and _stands(found):
        request.state.audit_release = found.release_id
        return found
    ready = await run_sync(lambda: _open(request, store.find(named), layer, index))
    _ready[key] = ready
    if len(_ready) > _READY:
        _ready.popitem(last=False)
    return ready


def _stands(found: Ready) -> bool:
    try:
        return found.place.stat().st_mtime_ns == found.stamp
    except OSError:
        return False


async def tile(request: Request) -> Response:
    """One tile, gzip as stored; 204 where the tile set has nothing there, 404 outside of it, 400 for no number."""
    _known(request)
    z, y, x = (_number(request, name) for name in ("z", "y", "x"))
    ready = await _tiles(request)
    header = ready.archive.header
    if not (header["min_zoom"] <= z <= header["max_zoom"] and x < 1 << z and y < 1 << z):
        _outside(f"tile {z}/{y}/{x}")
    packed = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{ready.tag}.{z}.{y}.{x}{"" if packed else ".p"}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization", "ETag": tag}
    if is_fresh(request, tag):
        return Response(status_code=304, headers=headers)
    body = ready.archive.get(z, x, y)
    if body is None:
        return Response(status_code=204, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body if packed else gzip.decompress(body), headers=headers, media_type=MVT)


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
    return [link(tilesets.VECTOR_REL, f"{root}/collections/{collection}/tiles", tilesets.JSON, "Vector tiles")]


def paths(collections: list[str]) -> dict[str, Any]:
    """The routes in OpenAPI 3.0."""
    whole = {"type": "integer", "minimum": 0}
    place = [{"name": n, "in": "path", "required": True, "schema": whole} for n in ("tileMatrix", "tileRow", "tileCol")]
    found = {"/tileMatrixSets": _told("tileMatrixSets"), f"/tileMatrixSets/{QUAD}": _told(f"tileMatrixSets.{QUAD}")}
    for name in collections:
        base = f"/collections/{name}/tiles"
        found |= {base: _told(f"{name}.tilesets"), f"{base}/{QUAD}": _told(f"{name}.tileset")}
        one = _told(f"{name}.tile", MVT, {"204": {"description": "No feature there"}})
        found[f"{base}/{QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"] = {"get": {**one["get"], "parameters": place}}
    return found


def _told(name: str, media: str = tilesets.JSON, more: dict[str, Any] | None = None) -> dict[str, Any]:
    shape = {"type": "string", "format": "binary"} if media == MVT else {"type": "object"}
    fine = {"description": "OK", "content": {media: {"schema": shape}}}
    return {"get": {"operationId": name, "tags": ["Tiles"], "responses": {"200": fine, **(more or {})}}}
