"""Pages of a list that changes while one works on it: a cursor names the last line seen, not a number of lines."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from api.desk.parameters import refuse

PAGE = 50
Key = tuple[Any, ...]


def page(
    lines: Sequence[dict[str, Any]], key: Callable[[dict[str, Any]], Key], asked: dict[str, Any]
) -> tuple[list[dict[str, Any]], str | None]:
    """The lines after the cursor's (at most ``limit``), and the cursor of the next page.

    ``lines`` stand in the order of ``key``, which ends in an id. ``asked``: the question's values; a cursor of another
    question is refused with ``bad_parameter``.
    """
    limit = asked.get("limit") or PAGE
    question = {n: v for n, v in asked.items() if n not in ("cursor", "limit")}
    after = _after(asked["cursor"], question) if asked.get("cursor") else None
    rest = list(lines) if after is None else [x for x in lines if key(x) > after]
    shown = rest[:limit]
    return shown, _cursor(key(shown[-1]), question) if len(rest) > limit else None


def _digest(question: dict[str, Any]) -> str:
    return hashlib.blake2b(orjson.dumps(question, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()


def _cursor(key: Key, question: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([_digest(question), list(key)])).rstrip(b"=").decode()


def _after(cursor: str, question: dict[str, Any]) -> Key:
    try:
        digest, key = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error):
        refuse("cursor", cursor)
    if digest != _digest(question) or not isinstance(key, list):
        refuse("cursor", cursor)
    return tuple(key)
