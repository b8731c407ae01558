"""/docs: the OpenAPI document as a plain page; nothing is loaded from elsewhere."""

from __future__ import annotations

from typing import Any

import orjson

from api.pages.html import Html, tag
from api.pages.layout import Asked, frame
from api.pages.words import Words


def _parameters(operation: dict[str, Any]) -> Html | None:
    rows = [
        tag("tr", tag("th", tag("code", p["name"]), scope="row"), tag("td", p["description"]))
        for p in operation["parameters"]
    ]
    return tag("table", tag("tbody", *rows), class_="plain") if rows else None


def _example(operation: dict[str, Any]) -> Html:
    content = next(iter(operation["responses"]["200"]["content"].values()))
    shown = orjson.dumps(content.get("example"), option=orjson.OPT_INDENT_2).decode()
    return tag("details", tag("summary", "200"), tag("pre", shown, tabindex=0))


def reference(words: Words, document: dict[str, Any], asked: Asked) -> Html:
    """Every route with its parameters and an example."""
    parts: list[Html] = [
        tag("h1", "permu API"),
        tag("p", document["info"]["description"]),
        tag("p", tag("a", "/openapi.json", href="/openapi.json")),
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            title = tag("h2", tag("code", f"{method.upper()} {path}"))
            told = tag("p", f"{operation.get('summary', '')}. {operation.get('description', '')}")
            parts.append(tag("section", title, told, _parameters(operation), _example(operation)))
    return frame(words, "/docs", asked, "permu API", tag("div", *parts, id="results", class_="reference"))
