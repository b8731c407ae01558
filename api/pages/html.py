"""HTML from Python: escaped by construction."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = ("input", "link", "meta", "br")


class Html(str):
    """Text that is already HTML; every other string is escaped."""

    __slots__ = ()


def text(value: object) -> Html:
    """A value as HTML: escaped unless it is HTML; None is nothing."""
    if isinstance(value, Html):
        return value
    return Html("" if value is None else escape(str(value)))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """``<name …>children</name>``. ``class_`` and ``for_`` lose the underscore, others turn it into a hyphen;
    True is a bare attribute, None and False leave it out."""
    shown = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        shown.append(f" {attribute}" if value is True else f' {attribute}="{escape(str(value))}"')
    opening = f"<{name}{''.join(shown)}>"
    return Html(opening if name in VOID else f"{opening}{''.join(map(text, children))}</{name}>")


def join(parts: Iterable[object], by: str = "") -> Html:
    """Parts one after the other."""
    return Html(by.join(text(p) for p in parts))
