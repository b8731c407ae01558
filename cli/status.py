"""``permu sources | status``: what is declared, and what the warehouse holds."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.options import Home, Json, MaybeYear, out, say, show_json, warehouse
from ingest import overview

_HOLES = 40


def sources(
    name: Annotated[str | None, typer.Argument(help="One source, with its fields and headers.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the sources that are declared, or one of them with its headers. 数据来源。"""
    warehouse(home)
    declared = overview.sources(name)
    if json:
        show_json({"sources": declared})
        return
    for one in declared:
        titles = " · ".join(one["title"].values())
        out.print(f"[bold]{one['source']}[/] {titles}")
        for table in one["tables"]:
            out.print(f"  {table['table']}: {', '.join(table['fields'])}", highlight=False)
            for field, headers in table["headers"].items() if name else ():
                out.print(f"    {field}: {' / '.join(headers)}", highlight=False)


def status(year: MaybeYear = None, home: Home = None, json: Json = False) -> None:
    """What the warehouse holds: coverage by source, month and county with holes, refused rows, disputes. 数据状况。"""
    state = overview.status(warehouse(home).require(), year)
    if json:
        show_json(state)
        return
    table = Table()
    for zh, en in (("来源", "source"), ("年份", "year"), ("批次", "loads"), ("接收", "kept"), ("退回", "refused"),
                   ("月份", "months"), ("县", "counties"), ("缺口", "holes")):  # fmt: skip
        table.add_column(say(zh, en), justify="left" if en == "source" else "right")
    for line in state["coverage"]:
        counts = (str(line[c]) for c in ("source", "year", "loads", "kept", "refused", "months"))
        table.add_row(*counts, str(len(line["counties"])), str(len(line["holes"])))
    out.print(table)
    _show_months(state["coverage"])
    _show_holes(state["coverage"])
    for line in state["missing_sources"]:
        names = line["sources"]
        out.print(
            say(f"{line['year']} 年尚无：{'、'.join(names)}", f"{line['year']}: nothing yet from {', '.join(names)}"),
            highlight=False,
        )
    for title in ("refused", "review", "disputes", "land"):
        out.print(f"{title}{_counted(title)}: {_flat(state[title])}", highlight=False)
    out.print(f"refused_open: {state['refused_open']}, findings: {state['findings']}", highlight=False)


def _counted(title: str) -> str:
    """What a line counts, where another command's total holds more or less."""
    if title != "review":
        return ""
    return say(
        "（无企业的记录与退回的代码；permu review list 还含待核的用地疑点）",
        " (records without an enterprise and refused codes; permu review list holds doubts about land too)",
    )


def _show_months(coverage: list[dict[str, Any]]) -> None:
    """Source × month: in how many counties each month is held."""
    monthly = [line for line in coverage if line["months_held"]]
    if not monthly:
        return
    table = Table(
        title=say("各月覆盖的县数（· 为无）", "counties covered by month (· none)"), title_justify="left", box=None
    )
    for name in (say("来源", "source"), say("年份", "year"), *map(str, range(1, 13))):
        table.add_column(name, justify="right")
    for line in monthly:
        held: dict[int, int] = defaultdict(int)
        for county in line["counties"]:
            for month in county["months"]:
                held[month] += 1
        cells = (str(held[m] or "√") if m in line["months_held"] else "·" for m in range(1, 13))
        table.add_row(line["source"], str(line["year"]), *cells)
    out.print(table)


def _show_holes(coverage: list[dict[str, Any]]) -> None:
    holes = [(line, hole) for line in coverage for hole in line["holes"]]
    for line, hole in holes[:_HOLES]:
        months = ", ".join(map(str, hole["months"]))
        where = " ".join(x for x in (hole["county"], hole["name"]) if x) or say("全部", "everywhere")
        partly = 0 < len(hole["months"]) < 12
        what = say(f"缺 {months} 月", f"months {months} missing") if partly else say("无数据", "no data")
        out.print(f"○ {line['source']} {line['year']} {where}: {what}", highlight=False, markup=False)
    if len(holes) > _HOLES:
        out.print(say(f"○ 另有 {len(holes) - _HOLES} 处（--json）", f"○ {len(holes) - _HOLES} more (--json)"))


def _flat(figures: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in figures.items()) or "0"
