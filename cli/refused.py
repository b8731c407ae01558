"""``permu refused``: the refused rows as a workbook to correct, and the corrected workbook taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.load import show_loads
from cli.options import Home, Json, MaybeYear, finish, out, say, show_json, warehouse
from cli.progress import Stages
from ingest import refused as refusals
from ingest import replay as replaying

app = typer.Typer(no_args_is_help=True, help="Refused rows: export them, take them back corrected. 退回的行。")


@app.command()
def export(
    file: Annotated[Path, typer.Option("--out", help="An .xlsx file, or a folder for one file per source.")],
    source: Annotated[str | None, typer.Option(help="Only this source's.")] = None,
    year: MaybeYear = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the refused rows with their reasons and empty columns for corrections. 导出退回的行。"""
    told = refusals.export(warehouse(home).require(), file, source, year)
    if json:
        show_json(told)
        return
    for one in told["files"]:
        out.print(
            say(
                f"{one['file']}：{one['rows']} 行；请在黄色列填写更正值，再运行 permu refused replay {one['file']}",
                f"{one['file']}: {one['rows']} rows; correct them in the yellow columns, then run "
                f"`permu refused replay {one['file']}`",
            ),
            highlight=False,
        )
    if not told["files"]:
        out.print(say("没有待更正的退回行", "no refused row waits"))


@app.command()
def replay(
    workbook: Annotated[Path, typer.Argument(help="The corrected workbook.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait while another command writes.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take corrected rows back; what is still wrong is refused again. 重新导入更正后的行。"""
    with Stages() as progress:
        done = replaying.replay(warehouse(home).require(), workbook, wait, progress)
    if json:
        show_json(done.as_dict())
    else:
        show_loads(done.loads)
        out.print(
            say(
                f"未更正 {done.untouched} 行；此前已处理 {done.already} 行",
                f"{done.untouched} rows without a correction; {done.already} rows taken before",
            ),
            highlight=False,
        )
    finish(any(r.needs_person for r in done.loads))
