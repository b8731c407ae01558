"""Answers bound to a release: ETag, 304, gzip and zstd."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import orjson
import zstandard
from fastapi import Request
from isal import isal_zlib
from starlette.responses import Response

from api.store import Listed

VARY = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
PACK_FROM = 1024


def etag(request: Request, listed: Listed | tuple[Listed, ...], *more: object) -> str:
    """A weak tag: release and its state, path and question. A release never changes, so neither does the answer."""
    entries = listed if isinstance(listed, tuple) else (listed,)
    return tag_of(entries, request.url.path, request.query_params.multi_items(), more)


def tag_of(
    entries: tuple[Listed, ...], path: str, question: Iterable[tuple[str, str]], more: tuple[object, ...]
) -> str:
    """The tag of an answer, from what decides it."""
    parts = [[(e.release_id, e.rankings_sha256, e.state) for e in entries], path, sorted(question), more]
    return f'W/"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def is_fresh(request: Request, tag: str) -> bool:
    """Whether the client already holds the answer."""
    return holds(request.headers.get("if-none-match", ""), tag)


def holds(held: str, tag: str) -> bool:
    """Whether an If-None-Match names the tag."""
    return held.strip() == "*" or tag.removeprefix("W/") in [t.strip().removeprefix("W/") for t in held.split(",")]


@lru_cache(maxsize=256)
def encoding_of(offered: str) -> str | None:
    """The encoding to send by an Accept-Encoding (RFC 9110 12.5.3): zstd or gzip, None for neither.

    The greater weight wins, zstd of two that weigh the same; ``q=0`` refuses, ``*`` stands for what is not named.
    """
    weights: dict[str, float] = {}
    for offer in offered.lower().split(","):
        name, _, rest = offer.partition(";")
        found = _WEIGHT.fullmatch(rest.strip()) if rest else None
        weights[name.strip()] = float(found[1]) if found else 0.0 if rest else 1.0
    best = max(_PACK, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    return best if weights.get(best, weights.get("*", 0.0)) > 0 else None


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip (``gzip;q=0`` refuses it)."""
    return encoding_of(",".join(o for o in request.headers.getlist("accept-encoding")) + ",zstd;q=0") == "gzip"


def packed(body: bytes, encoding: str) -> bytes:
    """The body in an encoding of :func:`encoding_of`."""
    return _PACK[encoding](body)


_LEVEL, _GZIP = 2, isal_zlib.MAX_WBITS | 16  # a tenth of zlib's time at the size of its level 4
# The better first.
_PACK: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "gzip": lambda body: isal_zlib.compress(body, _LEVEL, _GZIP),
}
_WEIGHT = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")


def answer(
    request: Request,
    listed: Listed | tuple[Listed, ...],
    make: Callable[[], bytes],
    media: str = "application/json",
    headers: dict[str, str] | None = None,
    key: str = "",
) -> Response:
    """``make()`` as the body, unless the client's copy is fresh. The body is whole before the first byte goes out.

    ``key`` is all else that the answer depends on: the asker's rights (``View.key``).
    """
    tag = etag(request, listed, media, key)
    sent = {**VARY, **(headers or {}), "ETag": tag}
    if is_fresh(request, tag):
        return Response(status_code=304, headers=sent)
    body = make()
    encoding = encoding_of(request.headers.get("accept-encoding", ""))
    if encoding is not None and len(body) >= PACK_FROM and "openxml" not in media:
        body, sent["Content-Encoding"] = packed(body, encoding), encoding
    return Response(body, headers=sent, media_type=media)


def dump(value: Any) -> bytes:
    """JSON as UTF-8; NaN and infinite values become null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
