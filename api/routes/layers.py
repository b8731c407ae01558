"""Whole layers for map software: files with ETag, byte ranges and, of GeoJSON, prepared gzip."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api.errors import problem
from api.layers import MEDIA, Files, limits_of
from api.query import ReleaseQuery, StoreDep
from api.respond import VARY, accepts_gzip, is_fresh
from api.rights import View, view_of
from api.store import Opened
from engine.layers import LAYERS, layer_of
from engine.layers.prepared import FORMS, origin_of
from engine.schema.errors import PermuError

router = APIRouter(tags=["layers"], prefix="/layers")
files = Files()
_TITLES = {
    "geojson": "a whole layer as GeoJSON (RFC 7946)", "pmtiles": "the vector tiles of a layer as PMTiles",
    "fgb": "a whole layer as FlatGeobuf", "gpkg": "a whole layer as GeoPackage", "parquet": "a whole layer as GeoParquet",
    "shp.zip": "a whole layer as shapefile, zipped",
}  # fmt: skip
_REFUSED = {
    400: PermuError(
        "bad_range", "no such Range: bytes=FIRST-LAST, bytes=FIRST- or bytes=-LENGTH, FIRST not after LAST",
        "Range 头不正确：可用 bytes=起-止、bytes=起-、bytes=-长度，起不大于止",
    ),
    416: PermuError(
        "range_beyond", "the file has no such bytes: Content-Range says how many it has",
        "文件没有此字节范围：长度见 Content-Range",
    ),
}  # fmt: skip
_SHORT = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})")
_WORDS = f"Layers: {', '.join(LAYERS)}. Files are in EPSG:4490, GeoJSON in lon/lat, tiles in EPSG:3857."


class LargeFile(FileResponse):
    """A file in parts of a megabyte: a layer of 200,000 parcels is some 150 of them."""

    chunk_size = 1 << 20

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: Message | None = None

        async def told(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] in _REFUSED:
                refused = message
            elif refused is None:
                await send(message)

        if (
            not Headers(scope=scope).get("range", "").startswith("bytes=")
        ):  # RFC 9110 14.2: what is not known is not there
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}
        await super().__call__(scope, receive, told)
        if refused is not None:
            answer = problem(_REFUSED[refused["status"]], scope["path"])
            if "content-range" in (sent := Headers(raw=refused["headers"])):
                answer.headers["content-range"] = sent["content-range"]
            await answer(scope, receive, send)


def seen(request: Request, opened: Opened, layer: str) -> View:
    """The view of who asks for a layer; PermuError unknown_layer, forbidden."""
    layer_of(layer)
    view = view_of(request, opened)
    view.need(f"layer_{layer}")
    return view


def tag_of(place: Path, *more: str) -> str:
    """A strong tag of a prepared file: the file is replaced whole or not at all."""
    stat = place.stat()
    parts = repr((str(place), stat.st_mtime_ns, stat.st_size, more))
    return f'"{hashlib.blake2b(parts.encode(), digest_size=12).hexdigest()}"'


def _send(request: Request, place: Path, media: str, told: dict[str, str]) -> Response:
    packed = place.with_name(place.name + ".gz")
    zipped = accepts_gzip(request) and "range" not in request.headers and packed.is_file()
    sent = packed if zipped else place
    headers = {**VARY, "ETag": tag_of(sent), "Accept-Ranges": "bytes", **told}
    headers |= {"Content-Encoding": "gzip"} if zipped else {}
    if is_fresh(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _part(request, sent, media, headers) or LargeFile(sent, media_type=media, headers=headers)


def _part(request: Request, place: Path, media: str, headers: dict[str, str]) -> Response | None:
    """A short piece of a file, read here and sent at once: what a map asks for, tile by tile. None for all else."""
    asked = _SHORT.fullmatch(request.headers.get("range", ""))
    if asked is None or "if-range" in request.headers:
        return None
    start, end, size = int(asked[1]), int(asked[2]) + 1, place.stat().st_size
    if not start < min(end, size) or end - start > LargeFile.chunk_size:
        return None
    with place.open("rb") as file:
        file.seek(start)
        body = file.read(min(end, size) - start)
    where = {"Content-Range": f"bytes {start}-{start + len(body) - 1}/{size}"}
    return Response(body, 206, {**headers, **where}, media)


def _route(ending: str) -> Callable[..., Response]:
    def whole(request: Request, layer: str, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
        opened = asked.opened(store)
        view = seen(request, opened, layer)
        limits = limits_of(view)
        place = files.file(opened.release, layer, ending, limits)
        rows = origin_of(opened.release, layer, limits)["rows"]
        told = {"X-Permu-Release": opened.listed.release_id, "X-Permu-Rows": str(rows)}
        return _send(request, place, MEDIA[ending], told)

    return whole


def _add(ending: str, **more: Any) -> None:
    name = ending.replace(".", "_")
    router.add_api_route(
        f"/{{layer}}.{ending}", _route(ending), name=name, operation_id=f"layer_{name}", summary=_TITLES[ending],
        description=_WORDS, **more,
    )  # fmt: skip


for _ending in FORMS:
    _add(_ending)
