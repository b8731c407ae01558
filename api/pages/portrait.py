"""The page of one enterprise: its figures, its ranks, and the explanation line by line."""

from __future__ import annotations

from typing import Any

from api.pages.html import Html, link, number, tag
from api.pages.layout import Asked, badge, frame
from api.pages.tables import figures_of, place_name
from api.pages.words import Words
from api.routes.enterprises import portrait
from api.store import Opened
from engine.explain import explain
from engine.explain.identity import IDENTITY_KINDS
from engine.schema.columns import COLUMNS, GROUPINGS, column
from engine.schema.facts import FACTS

STEP_KINDS = {
    "record": ("部门记录", "Records of the departments"),
    "identity": ("名称、地址、代码的变化", "Changes of name, address and code"),
    "meter": ("共用表分摊", "Shared meters, part by part"),
    "coverage": ("月度数据是否齐全", "Months of data"),
    "land": ("用地明细", "Land, line by line"),
    "parcel": ("同宗地的其他用户", "Other users of its parcels"),
    "dispute": ("面积争议", "Disputed areas"),
    "finding": ("核查提示", "Findings to look into"),
    "fact": ("采用的数据", "Facts taken"),
    "correction": ("人工更正", "Corrections by hand"),
    "amount": ("产出与效益", "Output and benefit"),
    "indicator": ("指标", "Indicators"),
    "base": ("基准与得分", "Bases and points"),
    "item": ("各项得分", "Points"),
    "event": ("计分事项", "Events that count"),
    "bonus": ("加分", "Bonus"),
    "deduction": ("扣分", "Deduction"),
    "total": ("总分", "Total"),
    "quota": ("等级线", "Grade lines"),
    "adjustment": ("等级调整", "Adjustments of the grade"),
    "grade": ("等级", "Grade"),
    "next": ("升一等所需", "What the next grade would take"),
}
LAND_KINDS = {
    "own": ("自有用地", "own land"),
    "rented_in": ("租入用地", "land rented in"),
    "rented_out": ("租出用地", "land rented out"),
}


def _figures(words: Words, opened: Opened, row: dict[str, Any]) -> Html:
    board = opened.board
    cards = []
    for name in figures_of(board, board.metric(None)):
        col = column(name)
        value = tag("b", number(row[name], col.decimals))
        unit = tag("span", f" {col.unit(words.lang)}", class_="unit")
        cards.append(tag("div", tag("dt", col.title(words.lang)), tag("dd", value, unit)))
    if row["grade"]:
        cards.append(tag("div", tag("dt", words["grade"]), tag("dd", badge(words, row["grade"]))))
    return tag("section", tag("h2", words["figures"]), tag("dl", *cards, class_="cards"))


def _place(place: dict[str, int | None]) -> Html:
    if place["rank"] is None:
        return tag("td", "–", class_="number")
    return tag("td", tag("b", f"{place['rank']:,}"), tag("span", f" / {place['of']:,}", class_="of"), class_="number")


def _ranks(words: Words, row: dict[str, Any]) -> Html:
    metrics = list(row["ranks"])
    heads = [tag("th", words["grouping"], scope="col")]
    heads += [tag("th", column(m).title(words.lang), scope="col", class_="number") for m in metrics]
    lines = []
    for grouping, titles in GROUPINGS.items():
        if all(grouping in row["ranks"][m] for m in metrics):
            cells = [_place(row["ranks"][m][grouping]) for m in metrics]
            lines.append(tag("tr", tag("th", words.of(titles), scope="row"), *cells))
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines), class_="plain")
    return tag("section", tag("h2", words["ranks"]), tag("div", table, class_="scroll"))


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}" if abs(value) < 1 else f"{value:,.4f}"


def _source(source: dict[str, Any] | None) -> str:
    if not source:
        return ""
    return " · ".join(str(source[k]) for k in ("file", "sheet", "row") if source.get(k) not in (None, ""))


def step_title(words: Words, name: str, kind: str = "") -> str:
    """A step's name in words: facts, columns, land lines and ``metric/grouping``; anything else as it is."""
    metric, slash, grouping = name.partition("/")
    if slash:
        return f"{column(metric).title(words.lang)} · {words.of(GROUPINGS.get(grouping, (grouping, grouping)))}"
    if name in FACTS:
        return words.of((FACTS[name].zh, FACTS[name].en))
    amount = name.removesuffix("_fen") + "_wan_yuan"
    if kind == "identity":
        return words.of(IDENTITY_KINDS[name])
    if name in LAND_KINDS:
        return words.of(LAND_KINDS[name])
    return column(amount if amount in COLUMNS else name).title(words.lang)


def _step(words: Words, step: dict[str, Any]) -> Html:
    return tag(
        "tr",
        tag("th", step_title(words, step["name"], step["kind"]), scope="row"),
        tag("td", _value(step["value"]), class_="number", data_label=words["value"]),
        tag("td", step["unit"], data_label=words["unit"]),
        tag("td", step["note"], data_label=words["note"]),
        tag("td", _source(step.get("source")), data_label=words["source"], class_="source"),
    )


def _steps(words: Words, told: dict[str, Any]) -> Html:
    heads = [tag("th", words[k], scope="col") for k in ("step", "value", "unit", "note", "source")]
    lines, kind = [], None
    for step in told["steps"]:
        if step["kind"] == "rank":  # they stand in a table of their own
            continue
        if step["kind"] != kind:
            kind = step["kind"]
            title = words.of(STEP_KINDS.get(kind, (kind, kind)))
            lines.append(tag("tr", tag("th", title, scope="colgroup", colspan=5), class_="kind"))
        lines.append(_step(words, step))
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines), class_="steps")
    return tag("section", tag("h2", words["steps"], id="steps"), tag("div", table, class_="scroll"))


def enterprise(words: Words, opened: Opened, key: str, asked: Asked) -> Html:
    """The whole page of an enterprise."""
    board = opened.board
    row = portrait(board, key)
    told = explain(opened.release, row["enterprise_id"], words.lang)
    back = link("/", {"year": str(board.year), "policy": board.policy, "lang": asked.get("lang")})
    about = [
        row["uscc"] and f"{words['credit_code']} {row['uscc']}",
        row["industry_name"],
        place_name(row["region_code"]),
    ]
    label = tag("strong", words["synthetic"], class_="synthetic") if board.manifest.get("synthetic") else None
    head = tag(
        "section",
        tag("p", tag("a", f"← {words['back']}", href=back)),
        tag("h1", row["name"] or words["unnamed"]),
        tag("p", " · ".join(x for x in about if x), class_="about"),
        tag("p", f"{board.year} · {board.policy} · {words['release']} {board.release_id} ", label, class_="origin"),
    )
    path = f"/enterprises/{row['enterprise_id']}"
    title = f"{row['name'] or words['unnamed']} {board.year}"
    parts = (head, _figures(words, opened, row), _ranks(words, row), _steps(words, told))
    return frame(words, path, asked, title, tag("div", *parts, id="results", tabindex=-1))
