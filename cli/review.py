"""``permu review``: what waits for a person's decision, and taking the decision."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import Home, Json, MaybeYear, out, say, show_json, warehouse
from ingest import review as queue
from ingest.match import book
from ingest.match.decide import Decision, decide, enterprise_of, find_item

app = typer.Typer(no_args_is_help=True, help="The review queue. 待审核。")
_SHOWN = 200
_Item = Annotated[str, typer.Argument(metavar="ITEM", help="An item of permu review list.")]
_Source = Annotated[str | None, typer.Option(help="Only this source's.")]
_Reason = Annotated[str | None, typer.Option(help="Why; kept with the decision.")]


@app.command("list")
def list_items(
    year: MaybeYear = None,
    source: _Source = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Records without an enterprise, and refused codes whose firm is known by name, with candidates. 待审核列表。"""
    items = queue.items(warehouse(home).require(), year, source)
    if json:
        show_json({"items": items})
        return
    for item in items[:_SHOWN]:
        rows = say(f"{item['rows']} 行", f"{item['rows']} rows")
        state = "" if item["state"] == "open" else say("  已接受，待合并", "  accepted, at the next merge")
        out.print(f"{item['id']}  {item['source']} {item['year']}  {item['reason']}  {rows}{state}", highlight=False)
        out.print(f"    {_record(item)}", highlight=False, markup=False)
        for number, one in enumerate(item["candidates"], 1):
            out.print(f"    {number} → {_candidate(one)}", highlight=False, markup=False)
    more = f"（另有 {len(items) - _SHOWN} 项：--json）", f" ({len(items) - _SHOWN} more: --json)"
    rest = say(*more) if len(items) > _SHOWN else ""
    parts = _by_kind(items)
    out.print(say(f"共 {len(items)} 项{parts}{rest}", f"{len(items)} items{parts}{rest}"), highlight=False)


_KINDS = {
    "unlinked": ("无企业的记录", "records without an enterprise"), "proposal": ("退回的代码", "refused codes"),
    "land": ("用地疑点", "doubts about land"),
}  # fmt: skip


def _by_kind(items: list[dict[str, Any]]) -> str:
    """What the items are, for who compares them with ``permu status``: records and codes there, land apart."""
    counts = Counter(item["kind"] for item in items)
    told = [f"{n} {say(*_KINDS.get(kind, (kind, kind)))}" for kind, n in counts.most_common()]
    return say("：", ": ") + say("，", ", ").join(told) if told else ""


@app.command()
def accept(
    item: _Item,
    enterprise: Annotated[
        str | None,
        typer.Argument(metavar="[ENTERPRISE]", help="Id, credit code or number of a candidate (else the first)."),
    ] = None,
    reason: _Reason = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """This record belongs to this enterprise: linked at the next merge, now and in later years. 接受候选。"""
    house = warehouse(home).require()
    found = find_item(house, item)
    _decided(house, Decision(found, "accept", enterprise_of(house, found, enterprise), reason), json)


@app.command()
def reject(
    item: _Item,
    enterprise: Annotated[
        str | None, typer.Argument(metavar="[ENTERPRISE]", help="Only this candidate is wrong; without it, all are.")
    ] = None,
    reason: _Reason = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """This record belongs to none of the register, or not to this candidate. 否定候选。"""
    house = warehouse(home).require()
    found = find_item(house, item)
    one = None if enterprise is None else enterprise_of(house, found, enterprise)
    _decided(house, Decision(found, "none" if one is None else "reject", one, reason), json)


@app.command()
def reopen(item: _Item, reason: _Reason = None, home: Home = None, json: Json = False) -> None:
    """Take earlier decisions on an item back; they stay on record. 撤销决定，重新待审。"""
    house = warehouse(home).require()
    _decided(house, Decision(find_item(house, item), "open", None, reason), json)


@app.command()
def export(
    file: Annotated[Path, typer.Option("--out", help="An .xlsx file.")],
    year: MaybeYear = None,
    source: _Source = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the queue as a workbook: records and candidates side by side, one column to decide in. 导出待审核。"""
    told = book.export(warehouse(home), file, year, source)
    if json:
        show_json(told)
        return
    out.print(
        say(
            f"{told['file']}：{told['items']} 项（待审 {told['waiting']} 项中有候选企业者）；"
            f"请填写黄色列，再运行 permu review import {told['file']}",
            f"{told['file']}: {told['items']} items, those with candidates of {told['waiting']} that wait; "
            f"fill the yellow column, then run `permu review import {told['file']}`",
        ),
        highlight=False,
    )


@app.command("import")
def take(
    workbook: Annotated[Path, typer.Argument(help="The filled workbook.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it only.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a filled workbook back, wholly or not at all. 导入审核决定。"""
    told = book.take(warehouse(home), workbook, dry_run)
    if json:
        show_json(told)
        return
    if dry_run:
        out.print(say(f"可导入 {told['would_decide']} 项决定", f"{told['would_decide']} decisions would be taken"))
    else:
        _say(told)


def _decided(house: Any, decision: Decision, json: bool) -> None:
    told = decide(house, [decision])
    if json:
        show_json(
            {"item": decision.item["id"], "verdict": decision.verdict, "enterprise_id": decision.enterprise_id, **told}
        )
    else:
        _say(told)


def _say(told: dict[str, Any]) -> None:
    out.print(
        say(
            f"已记录 {told['decided']} 项决定，{told['unchanged']} 项此前已定，更正 {told['corrected']} 行；"
            "请运行 permu merge 使其生效",
            f"{told['decided']} decisions kept, {told['unchanged']} held already, {told['corrected']} rows corrected; "
            "run `permu merge` to apply them",
        ),
        highlight=False,
    )


def _record(item: dict[str, Any]) -> str:
    if item["kind"] == "unlinked":
        return f"{item['record_key'] or ''} {item['name'] or ''}".strip()
    return f"{item['value']} {item['name']} · {item['file']} {item['sheet']} {item['row']}".replace("  ", " ")


def _candidate(one: dict[str, Any]) -> str:
    sure = f"{one['sure_ppb'] / 10**7:.1f} %" if one.get("sure_ppb") is not None else None
    shown = (
        one["uscc"] or one["enterprise_id"],
        one["name"],
        one["region_code"],
        one.get("address"),
        sure,
        one.get("why"),
    )
    return " ".join(x for x in shown if x)
