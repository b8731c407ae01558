"""Faults of a pack file as a person can mend them: the line, the key, what is wrong, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError


class Fault(ValueError):
    """A rule of the pack form that is broken: the line in both languages, and the keys below the part that raised it."""

    def __init__(self, en: str, zh: str, *at: str) -> None:
        super().__init__(en)
        self.en, self.zh, self.at = en, zh, at


@dataclass(frozen=True)
class Found:
    """One fault with its place: keys from the top (``score.items.tax_per_mu.weight``) and the line of the file."""

    at: str
    line: int | None
    en: str
    zh: str

    def text(self, zh: bool) -> str:
        """``line 12, score.items: …``."""
        line = "" if self.line is None else f"第 {self.line} 行 " if zh else f"line {self.line}, "
        return f"{line}{self.at}{'：' if zh else ': '}{self.zh if zh else self.en}"


def found(error: ValidationError, text: str) -> list[Found]:
    """Every fault of a validation, in the order of the file."""
    root = yaml.compose(text, yaml.SafeLoader)
    every = [_found(e, root) for e in error.errors()]
    return sorted(dict.fromkeys(every), key=lambda f: (f.line or 0, f.at))


def _found(error: Any, root: yaml.Node | None) -> Found:
    raised = error.get("ctx", {}).get("error")
    keys, line = _place(root, [*map(str, error["loc"]), *(raised.at if isinstance(raised, Fault) else ())])
    if error["type"] == "extra_forbidden":
        keys, line = [*keys[:-1], str(error["loc"][-1])], line
    en, zh = _words(error, raised)
    return Found(".".join(map(_short, keys)) or "file", line, _one_line(en), _one_line(zh))


def _place(node: yaml.Node | None, path: Sequence[str]) -> tuple[list[str], int | None]:
    """The keys of ``path`` that the file has, and the line of the last; keys that loading added are passed over."""
    keys: list[str] = []
    line = None
    for step in path:
        here = _below(node, step)
        if here is None:
            continue
        (marked, node) = here
        keys.append(step)
        line = marked.start_mark.line + 1
    missing = path[-1:] if path and path[-1] not in keys else []
    return [*keys, *missing], line


def _below(node: yaml.Node | None, step: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that marks ``step`` in ``node``, and what stands under it."""
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if getattr(k, "value", None) == step), None)
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        return node.value[int(step)], node.value[int(step)]
    return None


def _words(error: Any, raised: object) -> tuple[str, str]:
    if isinstance(raised, Fault):
        return raised.en, raised.zh
    kind, context, given = error["type"], error.get("ctx", {}), _short(error.get("input"))
    match kind:
        case "missing":
            return "is not given; add it", "缺少该项，请补充"
        case "extra_forbidden":
            return "is no key that is known here; correct its name or take it out", "不认识的键，请更正名称或删除"
        case "literal_error":
            return f"`{given}` is none of {context['expected']}", f"`{given}` 不在允许的取值内：{context['expected']}"
        case _:
            return f"`{given}`: {error['msg'][:1].lower()}{error['msg'][1:]}", f"`{given}` 不符合要求（{error['msg']}）"


def _one_line(text: str) -> str:
    """The text without line breaks and other characters that cannot be printed: keys of a file may hold any."""
    return "".join(c if c.isprintable() else " " for c in text)


def _short(value: object) -> str:
    text = " ".join(_one_line(str(value)).split())
    return text if len(text) <= 60 else f"{text[:60]}…"
