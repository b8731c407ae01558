"""Which of the two formats a client wants (f=, else Accept), and answers with their tag, language and size."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.ogc.scope import Scope
from api.respond import PACK_FROM, encoding_of, etag, is_fresh, packed
from api.store import Listed
from engine.schema.errors import PermuError

JSON, GEOJSON, HTML, SCHEMA = "application/json", "application/geo+json", "text/html", "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
FORMATS = ("json", "html")


def wanted(request: Request) -> str:
    """``json`` or ``html``: f= decides, else what Accept prefers, else json. PermuError bad_parameter."""
    asked = request.query_params.get("f")
    if asked is not None:
        if asked in FORMATS:
            return asked
        raise PermuError(
            "bad_parameter",
            f"f={asked[:40]}: use json or html",
            f"f={asked[:40]}：可用 json 或 html",
            parameter="f",
            allowed="json, html",
        )
    accepted = request.headers.get("accept", "")
    if "html" not in accepted:
        return "json"
    return "html" if _weight(accepted, "html") > _weight(accepted, "json") else "json"


def _weight(accepted: str, word: str) -> float:
    """The greatest q of the media types that hold the word; 0 where none does."""
    best = 0.0
    for part in accepted.lower().split(",")[:40]:
        kind, _, rest = part.partition(";")
        if word in kind:
            given = rest.replace(" ", "").partition("q=")[2]
            try:
                best = max(best, float(given.split(";")[0]) if given else 1.0)
            except ValueError:
                continue
    return best


def reply(
    request: Request,
    scope: Scope,
    make: Callable[[], bytes],
    media: str,
    headers: dict[str, str] | None = None,
    more: tuple[Listed, ...] = (),
) -> Response:
    """``make()`` as the body unless the client's copy is still right; a release never changes, so its tag says all
    (with those of ``more`` releases that the document names)."""
    tag = etag(request, (scope.opened.listed, *more), media, scope.view.key, scope.root)
    sent = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Authorization", "ETag": tag}
    sent |= headers or {}
    if is_fresh(request, tag):
        return Response(status_code=304, headers=sent)
    body = make()
    encoding = encoding_of(request.headers.get("accept-encoding", ""))
    if encoding is not None and len(body) >= PACK_FROM:
        body, sent["Content-Encoding"] = packed(body, encoding), encoding
    return Response(body, headers=sent, media_type=media)


def dump(value: object) -> bytes:
    """JSON as UTF-8."""
    return orjson.dumps(value)
