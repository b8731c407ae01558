"""The form of choices: year, policy, group, metric; only what the release holds can be chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.pages.html import Html, tag
from api.pages.layout import Asked
from api.pages.words import Words
from api.routes.catalogue import industry_list, region_list
from api.store import Listed
from engine.query import Board
from engine.schema.columns import SCALE_GROUPS, SIZES, column

Choice = tuple[str, str]


def select(words: Words, name: str, choices: Iterable[Choice], chosen: str | None) -> Html:
    """A labelled list of (value, shown)."""
    options = [tag("option", shown, value=value, selected=value == (chosen or "")) for value, shown in choices]
    field = tag("select", *options, name=name, id=name)
    return tag("div", tag("label", words[name], for_=name), field, class_=f"field field-{name}")


def _named(entry: dict[str, Any], indent: str = "") -> Choice:
    return entry["code"], f"{indent}{entry['code']} {entry['name'] or ''} ({entry['enterprises']:,})"


def industries(board: Board, chosen: str | None) -> list[Choice]:
    """Divisions; below the chosen one its groups and classes."""
    found: list[Choice] = []
    for entry in board.cached("industries", lambda: industry_list(board), lambda held: 200 * len(held)):
        depth = len(entry["code"])
        if entry["level"] in ("division", "local"):
            found.append(_named(entry))
        elif depth > 2 and chosen and chosen[:2] == entry["code"][:2]:
            found.append(_named(entry, "\u3000" * (depth - 2)))
    return found


def regions(board: Board, chosen: str | None) -> list[Choice]:
    """Cities and their counties; below the chosen county its towns; zones last."""
    found: list[Choice] = []
    for entry in board.cached("regions", lambda: region_list(board), lambda held: 200 * len(held)):
        depth = len(entry["code"])
        if entry["level"] in ("city", "zone"):
            found.append(_named(entry))
        elif depth == 6 or (chosen and chosen[:6] == entry["code"][:6]):
            found.append(_named(entry, "\u3000" * (1 if depth == 6 else 2)))
    return found


def _kept(choices: list[Choice], chosen: str | None) -> list[Choice]:
    """The choices with the chosen one among them even where the release has no such code."""
    if chosen and chosen not in [value for value, _ in choices]:
        return [*choices, (chosen, chosen)]
    return choices


def form(words: Words, board: Board, listed: tuple[Listed, ...], asked: Asked) -> Html:
    """The whole form; without the script its button sends it as a plain GET."""
    years = sorted({e.year for e in listed}, reverse=True)
    policies = sorted({e.policy for e in listed if e.year == board.year} | {board.policy})
    metrics = [(m, f"{column(m).title(words.lang)} {column(m).unit(words.lang)}".strip()) for m in board.metrics]
    sizes = [("", words["all_sizes"]), *((code, words.of(pair)) for code, pair in SIZES.items())]
    groups = [("" if code == "all" else code, words.of(pair)) for code, pair in reversed(SCALE_GROUPS.items())]
    industry, region = asked.get("industry"), asked.get("region")
    search = tag(
        "input", type="search", name="q", id="q", value=asked.get("q"), placeholder=words["q_hint"], maxlength=100
    )
    return tag(
        "form",
        select(words, "year", [(str(y), str(y)) for y in years], str(board.year)),
        select(words, "policy", [(p, p) for p in policies], board.policy),
        select(words, "industry", [("", words["all_industries"]), *_kept(industries(board, industry), industry)], industry),
        select(words, "region", [("", words["all_regions"]), *_kept(regions(board, region), region)], region),
        select(words, "size", sizes, asked.get("size")),
        select(words, "group", groups, asked.get("group")),
        select(words, "by", metrics, board.metric(asked.get("by"))),
        tag("div", tag("label", words["q"], for_="q"), search, class_="field field-q"),
        tag("input", type="hidden", name="lang", value=asked["lang"]) if asked.get("lang") else None,
        tag("button", words["show"], type="submit"),
        action="/", method="get", id="filters", aria_label=words["filters"],
    )  # fmt: skip
