"""``permu ingest | sources | status | merge``: from the departments' files to facts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.options import Home, Json, MaybeYear, Year, finish, out, say, show_json, warehouse
from cli.progress import Stages
from ingest import load as loading
from ingest import merge as merging
from ingest import overview
from ingest.load import LoadReport


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders that hold <source>/ folders.")],
    source: Annotated[str | None, typer.Option(help="Every file under PATHS is this source's.")] = None,
    year: MaybeYear = None,
    mapping: Annotated[Path | None, typer.Option(help="A mapping file for headers of your own.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be understood; write nothing.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take in the departments' files. 导入各部门数据。"""
    house = warehouse(home)
    with Stages() as progress:
        reports = loading.ingest(
            house, paths, source=source, year=year, mapping=mapping, dry_run=dry_run, progress=progress
        )
    if json:
        show_json({"loads": [r.as_dict() for r in reports]})
    else:
        _show_loads(reports, dry_run)
    finish(any(r.refused for r in reports))


def _show_loads(reports: list[LoadReport], dry_run: bool) -> None:
    table = Table(title=say("试读结果（未写入）", "what would be loaded (nothing written)") if dry_run else None)
    for zh, en in (("来源", "source"), ("年份", "year"), ("文件", "file")):
        table.add_column(say(zh, en))
    for zh, en in (("行数", "rows"), ("接收", "kept"), ("退回", "refused"), ("非数据行", "furniture")):
        table.add_column(say(zh, en), justify="right")
    table.add_column(say("退回原因", "reasons"))
    for r in reports:
        why = (
            say("重复文件，未再次导入", "the same file again: nothing written") if r.duplicate else _reasons(r.reasons)
        )
        counts = (str(n) for n in (r.rows_in, r.kept, r.refused, r.furniture))
        table.add_row(r.source, str(r.year), r.file, *counts, why)
    out.print(table)
    refused = sum(r.refused for r in reports)
    if refused:
        out.print(
            say(f"共退回 {refused} 行：permu status 查看汇总", f"{refused} rows were refused: see `permu status`"),
            highlight=False,
        )


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{code} {n}" for code, n in sorted(reasons.items(), key=lambda x: -x[1]))


def sources(
    name: Annotated[str | None, typer.Argument(help="One source, with its fields and headers.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the sources that are declared, or one of them with its headers. 数据来源。"""
    declared = overview.sources(name)
    if json:
        show_json({"sources": declared})
        return
    for one in declared:
        out.print(f"[bold]{one['source']}[/] {one['title']['zh']} · {one['title']['en']}")
        for table in one["tables"]:
            out.print(f"  {table['table']}: {', '.join(table['fields'])}", highlight=False)
            for field, headers in table["headers"].items() if name else ():
                out.print(f"    {field}: {' / '.join(headers)}", highlight=False)


def status(year: MaybeYear = None, home: Home = None, json: Json = False) -> None:
    """What the warehouse holds: coverage by source and year, refused rows, unlinked records, disputes. 数据状况。"""
    state = overview.status(warehouse(home).require(), year)
    if json:
        show_json(state)
        return
    table = Table()
    for column in ("source", "year", "loads", "kept", "refused", "months"):
        table.add_column(column, justify="left" if column == "source" else "right")
    for line in state["coverage"]:
        table.add_row(*(str(line[c]) for c in ("source", "year", "loads", "kept", "refused", "months")))
    out.print(table)
    for title, figures in (("refused", state["refused"]), ("review", state["review"]), ("disputes", state["disputes"])):
        out.print(f"{title}: {_flat(figures)}", highlight=False)


def _flat(figures: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in figures.items()) or "0"


def merge(
    year: Year,
    rules: Annotated[Path | None, typer.Option(help="Merge rules of your own (form: ingest/rules.yaml).")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Link the records of a year to enterprises and take facts from them. 合并一年的数据。"""
    with Stages() as progress:
        report = merging.merge(warehouse(home), year, rules, progress)
    if json:
        show_json(
            {"merge_id": report.merge_id, "year": report.year, "counts": report.counts, "seconds": report.seconds}
        )
    else:
        c = report.counts
        out.print(
            say(
                f"{year} 年合并完成：企业 {c['enterprises']}，数据项 {c['facts']}，未关联记录 {c['unlinked_keys']}，"
                f"数据争议 {c['disputed']}，面积争议 {c['area_disputes']}（{report.seconds:.1f} 秒）",
                f"{year} merged: {c['enterprises']} enterprises, {c['facts']} facts, {c['unlinked_keys']} records not "
                f"linked, {c['disputed']} disputed facts, {c['area_disputes']} area disputes ({report.seconds:.1f} s)",
            ),
            highlight=False,
        )
    finish(report.needs_person)
