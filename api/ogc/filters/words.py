"""Text in filters: LIKE, CASEI, ACCENTI."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import polars as pl

from api.ogc.filters.guard import refused
from api.ogc.filters.values import BOOLEAN, TEXT, Value


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


# A column and a literal are folded by the same rule: Unicode's lower case, with ß and final ς as in full folding.
FOLDS: dict[str, tuple[Callable[[pl.Expr], pl.Expr], Callable[[str], str]]] = {
    "casei": (
        lambda e: e.str.to_lowercase().str.replace_all("ß", "ss", literal=True).str.replace_all("ς", "σ", literal=True),
        lambda t: t.lower().replace("ß", "ss").replace("ς", "σ"),
    ),
    "accenti": (lambda e: e.str.normalize("NFKD").str.replace_all(r"\p{M}", ""), _plain),
}


def folded(op: str, value: Value) -> Value:
    """The text without its case, or without its accents."""
    of_column, of_literal = FOLDS[op]
    if value.is_literal:
        text = of_literal(value.literal)
        return Value(TEXT, pl.lit(text), text, True)
    return Value(TEXT, of_column(value.expr))


def like(value: Value, pattern: Value) -> Value:
    r"""``%`` any characters, ``_`` one, ``\`` takes the next as it is. The pattern is a literal."""
    if not pattern.is_literal:
        raise refused("LIKE takes a literal pattern", "LIKE 的模式须为字面值")
    return Value(BOOLEAN, value.expr.str.contains(f"(?s)^{_regex(pattern.literal)}$"))


def _regex(pattern: str) -> str:
    parts: list[str] = []
    taken = False
    for character in re.sub(r"(?<!\\)%%+", "%", pattern):
        if taken or character not in "%_\\":
            parts.append(re.escape(character))
            taken = False
        elif character == "\\":
            taken = True
        else:
            parts.append(".*" if character == "%" else ".")
    return "".join(parts) + (re.escape("\\") if taken else "")
