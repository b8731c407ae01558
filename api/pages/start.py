"""The start page: the form, what the group is, its best and its worst."""

from __future__ import annotations

from typing import Any

from api.pages.filters import form
from api.pages.html import Html, link, number, tag
from api.pages.layout import Asked, frame
from api.pages.tables import ranking
from api.pages.words import Words
from api.store import Opened, Store
from engine.query import Board, Selection, select, summary
from engine.query.selection import Group
from engine.schema.columns import column

ROWS = 20
FILTERS = ("industry", "region", "size", "group", "by")


def _figures(board: Board, selection: Selection) -> dict[str, Any]:
    """Group figures of the page, kept: they do not depend on the search."""
    group = Selection(selection.industry, selection.region, selection.size, selection.group)
    found = board.cached(("page", group.members), lambda: summary(board, group)[0], lambda _: 4000)
    return dict(found)


def _card(label: str, value: str, unit: str = "", note: str = "") -> Html:
    shown = tag("dd", tag("b", value), tag("span", f" {unit}", class_="unit") if unit else None)
    return tag("div", tag("dt", label), shown, tag("dd", note, class_="note") if note else None)


def overview(words: Words, board: Board, selection: Selection) -> Html:
    """How many, how much land, the Σ/Σ figures of the ranked metrics."""
    line = _figures(board, selection)
    metric = board.metric(selection.by)
    ranked = line["metrics"].get(metric, {"of": 0})["of"] if metric in line["metrics"] else None
    note = ""
    if ranked is not None:
        note = f"{words['ranked']} {ranked:,} · {words['without']} {line['enterprises'] - ranked:,}"
    cards = [
        _card(words["enterprises"], f"{line['enterprises']:,}", note=note),
        _card(words["land"], number(line["land_mu"], 0), column("land_mu").unit(words.lang)),
    ]
    for name, figures in line["metrics"].items():
        if figures["ratio"] is not None:
            col = column(name)
            cards.append(
                _card(col.title(words.lang), number(figures["ratio"], 2), col.unit(words.lang), words["ratio"])
            )
    return tag("dl", *cards, class_="cards")


def exports(words: Words, board: Board, asked: Asked) -> Html:
    """Downloads of the same group: the whole ranking and the bottom 5 %."""
    same = {"release": board.release_id, **{k: asked.get(k) for k in FILTERS}, "lang": asked.get("lang")}
    buttons = [tag("span", words["export"])]
    for form_name in ("xlsx", "csv"):
        buttons.append(_button("/api/v1/rankings", {**same, "format": form_name}))
    buttons.append(tag("span", words["export_bottom"]))
    for form_name in ("xlsx", "csv"):
        buttons.append(_button("/api/v1/rankings/bottom", {**same, "percent": "5", "format": form_name}))
    if not asked.get("q"):
        buttons.append(tag("a", words["to_bottom"], href="#bottom", class_="jump"))
    return tag("p", *buttons, class_="exports")


def _button(path: str, asked: Asked) -> Html:
    return tag("a", str(asked["format"]).upper(), href=link(path, asked), class_="button", download=True)


def origin(words: Words, opened: Opened) -> Html:
    """Which release, in which state; synthetic data is labelled."""
    board = opened.board
    title = opened.release.pack.policy.title
    parts = [tag("span", words[opened.listed.state or "draft"], class_="state"), f" {words.of((title.zh, title.en))} "]
    parts.append(tag("span", f"{words['release']} {board.release_id} · {opened.listed.created_at[:10]}", class_="id"))
    if board.manifest.get("synthetic"):
        parts.append(tag("strong", words["synthetic"], class_="synthetic"))
    return tag("p", *parts, class_="origin")


def _lists(words: Words, board: Board, selection: Selection, asked: Asked) -> list[Html]:
    metric = board.metric(selection.by)
    if selection.q is not None:
        return [ranking(words, board, "found", select(board, selection).rows, metric, asked)]
    made = []
    for order, ident in (("best", "top"), ("worst", "bottom")):
        page = select(board, Selection(**{**selection.__dict__, "order": order}))
        rows = [r for r in page.rows if r["rank"] is not None]
        made.append(ranking(words, board, ident, rows, metric, asked))
    return made


def start(words: Words, store: Store, opened: Opened, asked: Asked) -> Html:
    """The whole start page for what was asked."""
    board = opened.board
    names = (*FILTERS, "q")
    selection = Selection.parse(limit=ROWS, **{k: asked.get(k) for k in names})
    board.members(Group(selection.industry, selection.region, selection.size, selection.group))
    listed = tuple(e for e in store.index() if e.state != "withdrawn")
    results = tag(
        "div",
        origin(words, opened),
        overview(words, board, selection),
        exports(words, board, asked),
        *_lists(words, board, selection, asked),
        id="results",
        tabindex=-1,
    )
    return frame(words, "/", asked, f"{words['title']} {board.year}", form(words, board, listed, asked), results)
