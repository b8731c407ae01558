"""Answers of the desk: JSON that nobody keeps, and the search in a few texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.responses import Response

FRESH = {"Cache-Control": "no-store"}


def told(value: Any) -> Response:
    """JSON as it stands now: the desk's lists change with every decision."""
    return Response(
        orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=str),
        headers=FRESH,
        media_type="application/json",
    )


def file(body: bytes, name: str, media: str) -> Response:
    """A file to keep, under an ASCII name."""
    headers = {**FRESH, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media)


def holds(texts: Iterable[object], wanted: str) -> bool:
    """Whether any of the texts holds what was searched, width and case folded."""
    asked = _folded(wanted)
    return any(asked in _folded(str(t)) for t in texts if t is not None)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()
