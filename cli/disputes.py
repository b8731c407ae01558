"""``permu disputes``: figures on which departments disagree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from api.exports.formats import BOM, disarmed
from cli.options import Home, Json, MaybeYear, finish, out, say, show_json, warehouse
from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from ingest import disputes as listed

_SHOWN = 100


def disputes(
    year: MaybeYear = None,
    field: Annotated[str | None, typer.Option(help="Only this fact, e.g. employees.")] = None,
    place: Annotated[Path | None, typer.Option("--out", help="Write the list to a .csv or .xlsx file.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the figures on which departments disagree, with what each says. 数据争议清单。"""
    if field is not None and field not in FACTS:
        raise PermuError(
            "bad_parameter",
            f"--field {field}: no such fact; facts are {', '.join(FACTS)}",
            f"--field {field}：没有该数据项；可用：{'、'.join(FACTS)}",
        )
    table = listed.disputes(warehouse(home).require(), year, field)
    figures = listed.nested(table)
    if place is not None:
        _write(table, place)
    if json:
        show_json({"disputes": figures, "out": str(place) if place else None})
    else:
        for one in figures[:_SHOWN] if place is None else ():
            fact = FACTS[one["field"]]
            said = "; ".join(f"{c['source']} {c['value']} [{c['file']} {c['row']}]" for c in one["claims"])
            out.print(
                f"{one['year']} {one['name']} {say(fact.zh, fact.en)}: {said} {one['unit']}",
                markup=False,
                highlight=False,
            )
        where = say(f"，已写入 {place}", f", written to {place}") if place else ""
        rest = (
            say(f"（列出前 {_SHOWN} 项：--out）", f" (the first {_SHOWN}: --out)")
            if not place and len(figures) > _SHOWN
            else ""
        )
        out.print(
            say(f"共 {len(figures)} 项争议{where}{rest}", f"{len(figures)} disputes{where}{rest}"), highlight=False
        )
    finish(bool(figures))


def _write(table: pl.DataFrame, place: Path) -> None:
    if place.suffix not in (".csv", ".xlsx"):
        raise PermuError(
            "bad_parameter", f"--out {place}: name a .csv or an .xlsx file", f"--out {place}：请指定 .csv 或 .xlsx 文件"
        )
    if place.suffix == ".csv":
        place.write_bytes(BOM + disarmed(table).write_csv(line_terminator="\r\n").encode())
    else:
        table.write_excel(str(place), worksheet=say("数据争议", "disputes"), autofit=True)
