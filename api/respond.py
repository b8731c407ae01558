"""Answers bound to a release: ETag, 304 and gzip; called in handlers that run in worker threads."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from api.store import Listed

VARY = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
GZIP_FROM = 1024


def etag(request: Request, listed: Listed | tuple[Listed, ...], *more: object) -> str:
    """A weak tag: release and its state, path and question. A release never changes, so neither does the answer."""
    entries = listed if isinstance(listed, tuple) else (listed,)
    question = sorted(request.query_params.multi_items())
    parts = [[(e.release_id, e.rankings_sha256, e.state) for e in entries], request.url.path, question, more]
    return f'W/"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def is_fresh(request: Request, tag: str) -> bool:
    """Whether the client already holds the answer."""
    held = request.headers.get("if-none-match", "")
    return held.strip() == "*" or tag.removeprefix("W/") in [t.strip().removeprefix("W/") for t in held.split(",")]


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip (``gzip;q=0`` refuses it)."""
    offers = [o.replace(" ", "") for o in request.headers.get("accept-encoding", "").lower().split(",")]
    return any(o.split(";")[0] == "gzip" and not o.endswith((";q=0", ";q=0.0")) for o in offers)


def answer(
    request: Request,
    listed: Listed | tuple[Listed, ...],
    make: Callable[[], bytes],
    media: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    """``make()`` as the body, unless the client's copy is fresh. The body is whole before the first byte goes out."""
    tag = etag(request, listed, media)
    sent = {**VARY, **(headers or {}), "ETag": tag}
    if is_fresh(request, tag):
        return Response(status_code=304, headers=sent)
    body = make()
    if len(body) >= GZIP_FROM and accepts_gzip(request) and "zip" not in media and "openxml" not in media:
        body, sent["Content-Encoding"] = gzip.compress(body, 4, mtime=0), "gzip"
    return Response(body, headers=sent, media_type=media)


def dump(value: Any) -> bytes:
    """JSON as UTF-8; NaN and infinite values become null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
