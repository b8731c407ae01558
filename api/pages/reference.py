"""/docs: the OpenAPI document as a plain page; nothing is loaded from elsewhere."""

from __future__ import annotations

from typing import Any

import orjson

from api.pages.html import Html, join, tag


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


def _section(path: str, method: str, operation: dict[str, Any]) -> Html:
    title = tag("h2", tag("code", f"{method.upper()} {path}"))
    told = tag("p", f"{operation.get('summary', '')}. {operation.get('description', '')}")
    return tag("section", title, told, _parameters(operation), _example(operation))


def reference(lang: str, document: dict[str, Any]) -> Html:
    """Every route with its parameters and an example."""
    sections = [
        _section(path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    title, back = ("permu 接口", "返回网页") if lang == "zh" else ("permu API", "Back to the page")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/static/docs.css"),
    )
    home = tag("p", tag("a", back, href="/" if lang == "zh" else "/?lang=en"))
    about = tag("p", document["info"]["description"])
    machine = tag("p", tag("a", "/openapi.json", href="/openapi.json"))
    body = tag("body", tag("main", home, tag("h1", title), about, machine, *sections))
    return join([Html("<!doctype html>\n"), tag("html", head, body, lang="zh-CN" if lang == "zh" else "en")])
