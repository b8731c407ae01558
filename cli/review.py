"""``permu review``: what waits for a person's decision."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.options import Home, Json, MaybeYear, out, say, show_json, warehouse
from ingest import review as queue

app = typer.Typer(no_args_is_help=True, help="The review queue. 待审核。")
_SHOWN = 200


@app.command("list")
def list_items(
    year: MaybeYear = None,
    source: Annotated[str | None, typer.Option(help="Only this source's.")] = None,
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
        out.print(f"{item['id']}  {item['source']} {item['year']}  {item['reason']}  {rows}", highlight=False)
        out.print(f"    {_record(item)}", highlight=False, markup=False)
        for one in item["candidates"]:
            who = " ".join(x for x in (one["uscc"] or one["enterprise_id"], one["name"], one["region_code"]) if x)
            out.print(f"    → {who}", highlight=False, markup=False)
    more = f"（另有 {len(items) - _SHOWN} 项：--json）", f" ({len(items) - _SHOWN} more: --json)"
    rest = say(*more) if len(items) > _SHOWN else ""
    out.print(say(f"共 {len(items)} 项{rest}", f"{len(items)} items{rest}"), highlight=False)


def _record(item: dict[str, Any]) -> str:
    if item["kind"] == "unlinked":
        return f"{item['record_key'] or ''} {item['name'] or ''}".strip()
    return f"{item['value']} {item['name']} · {item['file']} {item['sheet']} {item['row']}".replace("  ", " ")
