"""``permu correct``: figures put right by hand, as files with a guard and an end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import Home, Json, MaybeYear, finish, out, say, show_json, warehouse
from engine.schema.facts import FACTS
from ingest.corrected import listing, take
from ingest.corrections import read_corrections

_STATES = {
    "new": ("新增", "new"), "changed": ("变更", "changed"), "unchanged": ("未变", "unchanged"), "withdrawn": ("已撤回", "withdrawn"),
    "active": ("有效", "active"), "ended": ("已到期", "ended"),
}  # fmt: skip


def correct(
    file: Annotated[str, typer.Argument(help="A YAML file of corrections (docs/corrections.md), or: list.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show before and after; store nothing.")] = False,
    year: MaybeYear = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Correct figures by a file, or list the corrections; the next merge applies them. 更正数据。"""
    house = warehouse(home).require()
    if file == "list":
        _show_list(listing(house, year), json)
        return
    lines = take(house, read_corrections(Path(file)), dry_run)
    if json:
        show_json({"written": not dry_run, "corrections": lines})
        return
    for line in lines:
        _show(line, line["change"])
    years = sorted({line["year"] for line in lines if line["change"] != "unchanged"})
    if dry_run:
        out.print(say("试算：未保存", "dry run: nothing was stored"))
    for one in years if not dry_run else ():
        out.print(
            say(f"请运行 permu merge --year {one} 使其生效", f"run `permu merge --year {one}` to apply them"),
            highlight=False,
        )


def _show_list(lines: list[dict[str, Any]], json: bool) -> None:
    if json:
        show_json({"corrections": lines})
    else:
        for line in lines:
            _show(line, line["state"])
        out.print(say(f"共 {len(lines)} 项更正", f"{len(lines)} corrections"), highlight=False)
    finish(any(line["state"] == "ended" for line in lines))


def _show(line: dict[str, Any], state: str) -> None:
    fact = FACTS[line["field"]]
    title, what = say(fact.zh, fact.en), line.get("name") or line["enterprise_id"]
    out.print(
        f"{line['correction_id']} v{line['version']}  {say(*_STATES[state])}  {what}  {line['year']} {title} ({line['field']})",
        highlight=False, markup=False,
    )  # fmt: skip
    if line["shown"]:
        until = say(f"，有效至 {line['until']}", f", until {line['until']}")
        out.print(f"    {line['shown']}{until}  [{line['expect']}]", highlight=False, markup=False)
    by = " · ".join(x for x in (line["reason"], line["evidence"], line["approver"]) if x)
    out.print(f"    {by}", highlight=False, markup=False)
