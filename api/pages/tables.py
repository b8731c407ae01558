"""Tables of ranking rows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from api.pages.html import Html, link, number, tag
from api.pages.layout import Asked, badge
from api.pages.words import Words
from engine.query import Board
from engine.schema.codes import region_name
from engine.schema.columns import SIZES, column

_FIGURES = ("land_mu", "output_wan_yuan", "tax_wan_yuan")


def place_name(code: str | None) -> str:
    """A region with the county that it lies in: 昆山市 玉山镇."""
    names = [region_name(code[:6]) if code and len(code) > 6 else None, region_name(code)]
    return " ".join(n for n in names if n)


def figures_of(board: Board, metric: str) -> list[str]:
    """The figures shown: land, output, tax, the ranked metrics, the asked one."""
    ranked = [m for m in board.manifest["metrics"] if m in board.metrics]
    return list(dict.fromkeys([*_FIGURES, *ranked, metric]))


def _head(words: Words, name: str, metric: str) -> Html:
    col = column(name)
    unit = tag("span", col.unit(words.lang), class_="unit") if col.unit_zh else None
    chosen = " chosen" if name == metric else ""
    return tag("th", tag("span", col.title(words.lang)), unit, scope="col", class_=f"number{chosen}")


def _row(words: Words, board: Board, row: dict[str, Any], shown: list[str], metric: str, asked: Asked) -> Html:
    own = {"release": board.release_id, "lang": asked.get("lang")}
    target = link(f"/enterprises/{quote(row['enterprise_id'], safe='')}", own)
    place = f"{row['rank']:,}" if row["rank"] is not None else "–"
    size = words.of(SIZES[row["size"]]) if row["size"] in SIZES else row["size"] or "–"
    about = " · ".join(x for x in (place_name(row["region_code"]), row["industry_name"], size) if x)
    cells = [
        tag("td", tag("b", place), tag("span", f" / {row['of']:,}", class_="of"), class_="rank"),
        tag(
            "th",
            tag("a", row["name"] or words["unnamed"], href=target),
            tag("span", about, class_="about"),
            scope="row",
            class_="name",
        ),
    ]
    for name in shown:
        label = f"{column(name).title(words.lang)} {column(name).unit(words.lang)}".strip()
        value = number(row[name], column(name).decimals)
        cells.append(tag("td", value, class_="number chosen" if name == metric else "number", data_label=label))
    if "grade" in board.table.columns and board.parts:
        cells.append(tag("td", badge(words, row["grade"]), class_="graded", data_label=words["grade"]))
    return tag("tr", *cells)


def ranking(words: Words, board: Board, ident: str, rows: list[dict[str, Any]], metric: str, asked: Asked) -> Html:
    """The table ``top``, ``bottom`` or ``found``; a sentence where there are no rows."""
    title = words[ident]
    if not rows:
        empty = words["no_match"] if asked.get("q") else words["nobody"]
        return tag("section", tag("h2", title, id=ident), tag("p", empty, class_="empty"))
    shown = figures_of(board, metric)
    graded = "grade" in board.table.columns and bool(board.parts)
    heads = [tag("th", words["rank"], scope="col", class_="rank"), tag("th", words["name"], scope="col", class_="name")]
    heads += [_head(words, n, metric) for n in shown]
    if graded:
        heads.append(tag("th", words["grade"], scope="col"))
    body = [_row(words, board, r, shown, metric, asked) for r in rows]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), aria_labelledby=ident)
    box = tag("div", table, class_="scroll", tabindex=0, role="region", aria_labelledby=ident)
    return tag("section", tag("h2", title, id=ident), box)
