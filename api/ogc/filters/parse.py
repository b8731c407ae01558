"""A filter's text → the tree of CQL2 JSON, by the ``cql2`` library."""

from __future__ import annotations

import re
from typing import Any

import cql2

from api.ogc.filters.guard import MAX_BYTES, check, refused
from engine.schema.errors import PermuError

# The last is what GDAL calls the first (the draft's name).
LANGUAGES = ("cql2-text", "cql2-json", "cql-text")
_ESCAPED_QUOTE = re.compile(r"'(?:[^'\\]|''|\\'|\\)*'|\"[^\"]*\"")


def parse(text: str, language: str | None = None) -> Any:
    """The tree: objects with ``op`` and ``args``, ``property``, ``interval`` …, literals. PermuError bad_parameter.

    ``language`` is one of :data:`LANGUAGES`; unasked, what opens with a brace is JSON.
    """
    if language not in (None, *LANGUAGES):
        raise PermuError(
            "bad_parameter",
            f"filter-lang={language[:60]}: use one of {', '.join(LANGUAGES)}",
            f"filter-lang={language[:60]}：可用 {'、'.join(LANGUAGES)}",
            parameter="filter-lang",
            allowed=", ".join(LANGUAGES),
        )
    is_json = language == "cql2-json" or (language is None and text.lstrip().startswith("{"))
    if not is_json and len(text) <= MAX_BYTES:
        text = _ESCAPED_QUOTE.sub(_doubled, text)
    check(text, is_json)
    try:
        return (cql2.parse_json(text) if is_json else cql2.parse_text(text)).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise refused(f"not CQL2: {said}", f"不是有效的 CQL2：{said}") from error


def _doubled(literal: re.Match[str]) -> str:
    r"""Standard and library differ: the standard lets ``\'`` stand for a quote beside ``''``."""
    return literal.group().replace(r"\'", "''")
