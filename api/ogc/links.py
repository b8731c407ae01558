"""Links: every document names itself, its other form, and where to go on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from api.ogc.negotiate import HTML

Link = dict[str, Any]


def link(rel: str, href: str, media: str, title: str = "") -> Link:
    """One link with relation, address and media type."""
    return {"rel": rel, "href": href, "type": media} | ({"title": title} if title else {})


def with_query(url: str, asked: dict[str, str]) -> str:
    """An address with parameters."""
    return f"{url}?{urlencode(asked)}" if asked else url


def itself(url: str, form: str, media: str, asked: dict[str, str] | None = None) -> list[Link]:
    """``self`` and ``alternate`` of a document: ``media`` is that of its JSON form."""
    asked = {k: v for k, v in (asked or {}).items() if k != "f"}
    forms = {"json": (media, "as JSON"), "html": (HTML, "as HTML")}
    found = []
    for name, (kind, title) in forms.items():
        rel = "self" if name == form else "alternate"
        found.append(link(rel, with_query(url, {**asked, "f": name}), kind, f"This document {title}"))
    return sorted(found, key=lambda one: one["rel"] != "self")
