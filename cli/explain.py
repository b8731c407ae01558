"""``permu explain``: why an enterprise stands where it stands, for reading, for printing, for programs."""

from __future__ import annotations

import textwrap
from enum import StrEnum
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from cli.options import Home, Json, MaybePolicy, MaybeYear, ReleaseId, out, say, show_json, warehouse
from engine.explain import explain as explanation
from engine.releases import find
from engine.schema.columns import GROUPINGS, column
from engine.schema.errors import language
from engine.schema.facts import FACTS

_SECTIONS = {
    "record": ("一、部门记录", "1. Records of the departments"),
    "meter": ("一、部门记录", "1. Records of the departments"),
    "coverage": ("一、部门记录", "1. Records of the departments"),
    "land": ("二、用地", "2. Land"),
    "parcel": ("二、用地", "2. Land"),
    "dispute": ("二、用地", "2. Land"),
    "finding": ("二、用地", "2. Land"),
    "fact": ("三、采用的数据", "3. Facts taken from them"),
    "correction": ("三、采用的数据", "3. Facts taken from them"),
    "amount": ("四、办法口径", "4. Amounts as the policy defines them"),
    "indicator": ("五、指标", "5. Indicators"),
    "rank": ("七、名次", "7. Ranks"),
    "quota": ("八、等级", "8. Grade"),
    "adjustment": ("八、等级", "8. Grade"),
    "grade": ("八、等级", "8. Grade"),
    "next": ("九、升级所需", "9. What the next grade takes"),
}
_SCORE = ("六、得分", "6. Score")
_KINDS = {
    "base": ("基准值", "base"),
    "item": ("得分", "points"),
    "correction": ("更正", "correction"),
    "bonus": ("加分", "bonus"),
    "deduction": ("扣分", "deduction"),
    "total": ("总分", "total"),
    "quota": ("份额线", "quota"),
    "adjustment": ("调整", "adjustment"),
    "grade": ("等级", "grade"),
    "meter": ("共用表", "shared meter"),
    "coverage": ("月份", "months"),
    "parcel": ("宗地", "parcel"),
    "dispute": ("面积争议", "area dispute"),
    "finding": ("待查", "to be looked at"),
}
_LAND = {
    "own": ("自有", "own"),
    "rented_in": ("租入", "rented in"),
    "rented_out": ("租出", "rented out"),
    "used": ("合计", "used in all"),
}
_WIDTH = 110


class Format(StrEnum):
    """Formats of ``permu explain``."""

    text = "text"
    table = "table"
    json = "json"


def explain(
    enterprise: Annotated[str, typer.Argument(help="An enterprise id or a credit code.")],
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    form: Annotated[Format, typer.Option("--format", help="text (to read and print), table or json.")] = Format.text,
    home: Home = None,
    json: Json = False,
) -> None:
    """Explain an enterprise's place line by line, down to file, sheet and row. 逐行说明。"""
    told = explanation(find(warehouse(home).require(), release, year, policy), enterprise, language())
    if json or form is Format.json:
        show_json(told)
        return
    for line in _heading(told):
        out.print(line, markup=False, highlight=False)
    for title, steps in groupby(told["steps"], key=_section):
        if form is Format.table:
            out.print(_table(title, list(steps)))
            continue
        out.print(f"\n{title}", markup=False, highlight=False, style="bold")
        for step in steps:
            out.print(_lines(step), markup=False, highlight=False)


def _heading(told: dict[str, Any]) -> list[str]:
    score = "-" if told["score"] is None else f"{told['score']:.4f}"
    return [
        f"{told['name']}  {told['uscc'] or ''}  {told['enterprise_id']}",
        f"{told['release_id']}  {say('得分', 'score')} {score}  {say('等级', 'grade')} {told['grade'] or '-'}",
    ]


def _section(step: dict[str, Any]) -> str:
    return say(*_SECTIONS.get(step["kind"], _SCORE))


def _label(step: dict[str, Any]) -> str:
    """What a step is about, in words."""
    name, kind = step["name"], step["kind"]
    if kind == "rank":
        metric, _, grouping = name.partition("/")
        return f"{column(metric).title(language())} · {say(*GROUPINGS[grouping])}"
    if kind == "land":
        return say(*_LAND.get(name, (name, name)))
    if kind in ("bonus", "deduction", "total", "quota", "grade", "dispute"):
        return say(*_KINDS[kind])
    title = say(FACTS[name].zh, FACTS[name].en) if name in FACTS else column(name).title(language())
    return f"{title} · {say(*_KINDS[kind])}" if kind in _KINDS else title


def _value(step: dict[str, Any]) -> str:
    value = step["value"]
    if value is None:
        return "-"
    shown = f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value}"
    if step["kind"] == "next" and value > 0:
        shown = f"+{shown}"
    return f"{shown} {step['unit']}".rstrip()


def _where(step: dict[str, Any]) -> str:
    source = step.get("source")
    if not source:
        return ""
    row = say(f"第{source['row']}行", f"row {source['row']}")
    return f"[{' '.join(str(p) for p in (source['file'], source['sheet'], row) if p)}]"


def _lines(step: dict[str, Any]) -> str:
    """A label with its value, under it the note and the place of the record, wrapped to a page's width."""
    head = f"  {_label(step)}"
    head += " " * max(2, 48 - cell_len(head)) + _value(step)
    note = " ".join(p for p in (step["note"], _where(step)) if p)
    if step["kind"] == "rank":
        return head + " " * max(2, 58 - cell_len(head)) + note
    wide = max(40, _WIDTH - 6 - (cell_len(note) - len(note)) * _WIDTH // max(1, cell_len(note)))
    return "\n".join([head, *(f"      {line}" for line in textwrap.wrap(note, wide))])


def _table(title: str, steps: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", show_lines=True)
    for name, justify in (
        (say("项目", "what"), "left"),
        (say("数值", "value"), "right"),
        (say("说明", "note"), "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for step in steps:
        note = " ".join(p for p in (step["note"], _where(step)) if p)
        table.add_row(*(escape(cell) for cell in (_label(step), _value(step), note)))
    return table
