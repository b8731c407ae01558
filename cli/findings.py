"""``permu findings``: what the land bureau should look at, as a list and as a workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.options import Home, Json, Year, out, say, show_json, warehouse
from engine.schema.errors import language
from ingest import findings_book

app = typer.Typer(no_args_is_help=True, help="Findings about land: idle, overlapping, disputed … 土地核查结果。")
Kind = Annotated[str | None, typer.Option(help="Only this kind (idle_candidate, parcel_overlap …).")]
_SHOWN = 200


@app.command("list")
def list_findings(year: Year, kind: Kind = None, home: Home = None, json: Json = False) -> None:
    """The findings of a year's newest merge with parcel, enterprise, note, file and row. 核查结果列表。"""
    merge_id, rows = findings_book.read(warehouse(home).require(), year, kind)
    if json:
        show_json({"merge_id": merge_id, "year": year, "findings": rows.to_dicts()})
        return
    table = Table()
    for zh, en in (("类型", "kind"), ("宗地", "parcel"), ("企业", "enterprise"), ("说明", "note"), ("来源", "source")):
        table.add_column(say(zh, en), overflow="fold")
    for row in rows.head(_SHOWN).iter_rows(named=True):
        firm = row["name"] or row["enterprise_id"] or row["record_key"]
        place = f"{row['file']} {row['sheet'] or ''} {row['row']}".replace("  ", " ") if row["file"] else ""
        table.add_row(row["kind"], row["parcel_code"] or "", firm or "", row[f"note_{language()}"], place)
    out.print(table)
    more = rows.height - _SHOWN
    if more > 0:
        out.print(say(f"另有 {more} 条（--json 或 export）", f"{more} more (--json, or export)"))


@app.command()
def export(
    year: Year,
    place: Annotated[Path, typer.Option("--out", help="The .xlsx file to write.")],
    kind: Kind = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the findings to a workbook, a sheet a kind. 导出核查结果。"""
    told = findings_book.write(warehouse(home).require(), year, place, kind)
    if json:
        show_json(told)
    else:
        out.print(say(f"{place}：{told['rows']} 条", f"{place}: {told['rows']} findings"), highlight=False)
