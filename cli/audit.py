"""``permu audit``: who saw and exported what, and whether the log is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.operations import chain as log
from cli.options import Home, Json, finish, hand_over, out, say, show_json, warehouse
from engine.schema.errors import PermuError

app = typer.Typer(no_args_is_help=True, help="The log of views and exports. 审计日志。")


@app.command()
def export(
    start: Annotated[str | None, typer.Option("--from", help="First day, as 2025-01-01 (UTC).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day, as 2025-12-31 (UTC).")] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    place: Annotated[Path | None, typer.Option("--out", help="A file, or - for stdout.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the log of some days. 导出审计日志。"""
    if form not in ("csv", "jsonl"):
        raise PermuError("bad_format", f"--format {form}: csv or jsonl", f"--format {form}：可选 csv 或 jsonl")
    found = list(log.rows(warehouse(home), start, end))
    if json:
        show_json({"rows": found})
        return
    hand_over(log.text(found, form).encode(), place)


@app.command()
def check(
    head: Annotated[str | None, typer.Option(help="A head noted earlier: it must still be in the log.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Whether no row was changed or taken out; note the head somewhere else. 校验审计日志。"""
    told = log.check(warehouse(home), head)
    wrong = told.broken_at is not None or told.head_known is False
    if json:
        show_json({"rows": told.rows, "head": told.head, "broken_at": told.broken_at, "head_known": told.head_known})
    elif told.broken_at is not None:
        out.print(
            say(f"第 {told.broken_at} 行与前一行不符", f"row {told.broken_at} does not follow from the one before")
        )
    elif wrong:
        out.print(say("日志末尾缺失：未找到所给校验值", "the end is missing: the head is not in the log"))
    else:
        out.print(say(f"完整，共 {told.rows} 行", f"whole, {told.rows} rows"), told.head, highlight=False)
    finish(wrong)
