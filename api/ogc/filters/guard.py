"""Before the library sees a filter: how long and how deeply nested it may be.

The parser is recursive and ends the process on some thousands of nested brackets, signs, NOTs or comparisons; both
limits are checked on the raw text, outside of string literals.
"""

from __future__ import annotations

import re

from engine.schema.errors import PermuError

MAX_BYTES = 16 * 1024
MAX_DEPTH = 200

_JSON = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
# 'text', "name", brackets, words with all that a name may hold (so that x:and is no AND), operators.
_TEXT = re.compile(r"'(?:[^']|'')*'?|\"[^\"]*\"?|[(),]|[\w:.$]+|[-+*/%^=<>]")
_DEEPER = frozenset("-+*/%^=<>") | {"not", "div", "is", "between", "in", "like"}


def refused(en: str, zh: str) -> PermuError:
    """``bad_parameter`` of the filter."""
    allowed = f"CQL2 of at most {MAX_BYTES // 1024} KiB and {MAX_DEPTH} levels; see queryables"
    return PermuError("bad_parameter", f"filter: {en}", f"filter：{zh}", parameter="filter", allowed=allowed)


def check(text: str, is_json: bool) -> None:
    """PermuError bad_parameter where a filter is too long or nested too deeply; quotes within literals are doubled."""
    size = len(text) if len(text) > MAX_BYTES else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise refused(
            f"{size} bytes are more than the {MAX_BYTES} that are read: shorten it, or ask in several requests",
            f"长度 {size} 字节超过上限 {MAX_BYTES}：请缩短，或分次请求",
        )
    depth = _json_depth(text) if is_json else _text_depth(text)
    if depth > MAX_DEPTH:
        raise refused(f"nested more than {MAX_DEPTH} levels deep", f"嵌套超过 {MAX_DEPTH} 层")


def _json_depth(text: str) -> int:
    depth = deepest = 0
    for found in _JSON.finditer(text):
        token = found.group()
        if token in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token in "]}":
            depth -= 1
    return deepest


def _text_depth(text: str) -> int:
    """The deepest that the parser can go: open brackets and, in each of them, the operators since the last AND, OR
    or comma."""
    chains, open_now, deepest = [0], 0, 0
    for found in _TEXT.finditer(text):
        token = found.group().lower()
        if token == "(":
            chains.append(0)
            open_now += 1
        elif token == ")" and len(chains) > 1:
            open_now -= 1 + chains.pop()
        elif token in ("and", "or", ","):
            open_now -= chains[-1]
            chains[-1] = 0
        elif token in _DEEPER:
            chains[-1] += 1
            open_now += 1
        deepest = max(deepest, open_now)
    return deepest
