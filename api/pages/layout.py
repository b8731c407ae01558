"""The frame of every page: head, title bar, main, foot."""

from __future__ import annotations

from api.pages.html import Html, join, link, tag
from api.pages.words import Words

Asked = dict[str, str | None]


def switch(words: Words, path: str, asked: Asked) -> Html:
    """The link to the same view in the other language."""
    other = "en" if words.lang == "zh" else "zh"
    target = {**asked, "lang": None if other == "zh" else other}
    code = "zh-CN" if other == "zh" else "en"
    return tag("a", words["language"], href=link(path, target), lang=code, hreflang=code, class_="switch")


def frame(words: Words, path: str, asked: Asked, title: str, *main: object) -> Html:
    """A whole document."""
    home = link("/", {"lang": asked.get("lang")})
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/static/style.css"),
        tag("script", type="module", src="/static/page.js"),
    )
    bar = tag(
        "header",
        tag("a", words["skip"], href="#results", class_="skip"),
        tag("div", tag("a", words["title"], href=home, class_="brand"), tag("p", words["tagline"]), class_="names"),
        switch(words, path, asked),
        class_="bar",
    )
    live = tag(
        "p", role="status", aria_live="polite", id="status", data_loading=words["loading"], data_done=words["updated"]
    )
    foot = tag("footer", tag("p", words["missing"]), tag("a", words["api"], href="/docs"))
    body = tag("body", bar, tag("main", *main, id="main"), live, foot)
    language = "zh-CN" if words.lang == "zh" else "en"
    return join([Html("<!doctype html>\n"), tag("html", head, body, lang=language)])


def badge(words: Words, grade: str | None) -> Html:
    """A grade as a badge: the letter carries the meaning, the colour only repeats it."""
    return tag("span", grade, class_=f"grade grade-{grade}") if grade else tag("span", "–", class_="none")
