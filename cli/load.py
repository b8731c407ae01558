"""``permu ingest | merge``: from the departments' files to facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.options import Home, Json, MaybeYear, Year, finish, out, say, show_json, warehouse
from cli.progress import Stages
from engine.schema.errors import PermuError, language
from ingest import load as loading
from ingest import merge as merging
from ingest.load import LoadReport
from ingest.match.decide import take_again

_FINDINGS = 20
_FILES = 24  # files that are listed one by one
# What of a merge waits for a person, and the command that shows it.
_WAITING = {
    "unlinked_keys": ("未关联记录", "records without an enterprise", "permu review list"),
    "disputed": ("数据争议", "disputed facts", "permu disputes --year {year}"),
    "area_disputes": ("面积争议", "area disputes", "permu findings list --year {year} --kind area_dispute"),
    "findings": ("用地记录疑点", "doubts about land records", "permu findings list --year {year}"),
    "meter_findings": ("分摊表疑点", "doubts about shared meters", "permu findings list --year {year}"),
}


def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files, or folders that hold <source>/ folders.")] = None,
    source: Annotated[str | None, typer.Option(help="Every file under PATHS is this source's.")] = None,
    year: MaybeYear = None,
    mapping: Annotated[Path | None, typer.Option(help="A mapping file for headers of your own.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be understood; write nothing.")] = False,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Take files that hold over 20 % less than the last of their kind.")
    ] = False,
    url: Annotated[str | None, typer.Option("--from", help="A database: postgresql://user@host/name.")] = None,
    query: Annotated[Path | None, typer.Option(help="The file with the SQL to run there.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait while another command writes to the warehouse.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take in the departments' files. 导入各部门数据。"""
    house = warehouse(home)
    common: dict[str, Any] = {
        "year": year, "mapping": mapping, "dry_run": dry_run, "accept_shrink": accept_shrink, "wait": wait,
    }  # fmt: skip
    with Stages() as progress:
        if url or query:
            reports = _from_database(house, paths, source, url, query, **common, progress=progress)
        else:
            reports = loading.ingest(house, _named(paths), source=source, **common, progress=progress)
        reports += [] if dry_run else take_again(house)
    if json:
        show_json({"loads": [r.as_dict(understood=dry_run) for r in reports]})
    else:
        for report in reports if dry_run else []:
            show_understood(report)
        show_loads(reports, dry_run)
    finish(any(r.needs_person for r in reports))


def _named(paths: list[Path] | None) -> list[Path]:
    if paths:
        return paths
    raise PermuError(
        "no_files",
        "no file or folder was named; run `permu ingest PATH…`, or --from URL --query FILE --source NAME for a database",
        "没有指定文件或目录；请运行 permu ingest 路径，或用 --from URL --query 文件 --source 来源 读取数据库",
    )


def _from_database(
    house: Any, paths: list[Path] | None, source: str | None, url: str | None, query: Path | None, **options: Any
) -> list[LoadReport]:
    if paths or not (source and url and query):
        raise PermuError(
            "wrong_usage",
            "a database needs --from URL, --query FILE and --source NAME together, and no PATHS",
            "读取数据库须同时给出 --from URL、--query 文件、--source 来源，且不能再给路径",
        )
    from ingest.query import ingest_query  # database drivers load only where they are asked for

    return ingest_query(house, source, url, query, **options)


def show_understood(report: LoadReport) -> None:
    """What a dry run understood of one file: ranges, columns, units, sample rows, refused rows."""
    for sheet in report.understood.get("sheets", []):
        out.rule(f"{report.file} {sheet['sheet']}".strip(), align="left")
        first, last = sheet["header_rows"]
        header = (
            say(f"表头第 {first}–{last} 行", f"header rows {first}–{last}")
            if last
            else say("自带列名", "named columns")
        )
        out.print(f"{report.source}.{sheet['table']} {sheet['range']} · {header}", highlight=False, markup=False)
        out.print(" | ".join(h or "–" for h in sheet["header"]), highlight=False, markup=False)
        columns = Table()
        for zh, en in (("列", "column"), ("表头", "header"), ("字段", "field"), ("单位", "unit")):
            columns.add_column(say(zh, en))
        for field, use in sheet["columns"].items():
            columns.add_row(use["column"], use["header"], field, use["unit"])
        for field, value in sheet["constants"].items():
            columns.add_row("=", value, field, "")
        out.print(columns)
        _show_rows(sheet["sample"])
        for note in sheet["notes"]:
            out.print(f"· {note}", highlight=False, markup=False)
    for name in report.understood.get("skipped_sheets", []):
        out.print(say(f"未识别为数据的工作表：{name}", f"sheet without a table: {name}"), highlight=False, markup=False)
    for row in report.understood.get("refused", []):
        out.print(f"✗ {row['code']}: {row[language()]}", highlight=False, markup=False)


def _show_rows(rows: list[dict[str, Any]]) -> None:
    if rows:
        sample = Table(title=say("前几行（最小单位）", "first rows (in smallest units)"), title_justify="left")
        for name in rows[0]:
            sample.add_column(name)
        for row in rows:
            sample.add_row(*("" if v is None else str(v) for v in row.values()))
        out.print(sample)


def show_loads(reports: list[LoadReport], dry_run: bool = False) -> None:
    """One line a file, what does not add up, and what to do about refused rows."""
    table = Table(title=say("试读结果（未写入）", "what would be loaded (nothing written)") if dry_run else None)
    for zh, en in (("来源", "source"), ("年份", "year"), ("文件", "file")):
        table.add_column(say(zh, en))
    for zh, en in (("行数", "rows"), ("接收", "kept"), ("退回", "refused"), ("非数据行", "furniture")):
        table.add_column(say(zh, en), justify="right")
    table.add_column(say("退回原因", "reasons"))
    for line in _a_line_each(reports) if len(reports) <= _FILES else _by_source(reports):
        table.add_row(*line)
    out.print(table)
    if len(reports) > _FILES:
        out.print(say("（逐个文件见 --json）", "(file by file: --json)"), highlight=False)
    _show_findings(reports)
    refused = sum(r.refused for r in reports)
    if refused:
        out.print(
            say(
                f"共退回 {refused} 行：permu refused export --out 退回.xlsx 导出更正，permu review list 查看待审核",
                f"{refused} rows were refused: `permu refused export --out refused.xlsx` to correct them, "
                "`permu review list` for those whose firm is known by name",
            ),
            highlight=False,
        )


def _a_line_each(reports: list[LoadReport]) -> Iterator[list[str]]:
    for r in reports:
        again = say("重复文件，未再次导入", "the same file again: nothing written")
        counts = (str(n) for n in (r.rows_in, r.kept, r.refused, r.furniture))
        yield [r.source, str(r.year), r.file, *counts, again if r.duplicate else _reasons(r.reasons)]


def _by_source(reports: list[LoadReport]) -> Iterator[list[str]]:
    """A line a source and year, where a line a file would be pages long."""
    groups: dict[tuple[str, int], list[LoadReport]] = {}
    for r in reports:
        groups.setdefault((r.source, r.year), []).append(r)
    for (source, year), files in sorted(groups.items()):
        again = sum(r.duplicate for r in files)
        told = say(f"{len(files)} 个文件", f"{len(files)} files")
        if again:
            told += say(f"（{again} 个重复）", f" ({again} the same again)")
        counts = (str(sum(getattr(r, n) for r in files)) for n in ("rows_in", "kept", "refused", "furniture"))
        reasons = sum((Counter(r.reasons) for r in files if not r.duplicate), Counter[str]())
        yield [source, str(year), told, *counts, _reasons(reasons)]


def _show_findings(reports: list[LoadReport]) -> None:
    found = [(r.file, f) for r in reports for f in r.findings]
    for file, finding in found[:_FINDINGS]:
        text = finding[language()]
        out.print(f"! {text if text.startswith(file) else f'{file}: {text}'}", highlight=False, markup=False)
    if len(found) > _FINDINGS:
        rest = len(found) - _FINDINGS
        out.print(say(f"! 另有 {rest} 处（--json）", f"! {rest} more (--json)"), highlight=False)


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{code} {n}" for code, n in sorted(reasons.items(), key=lambda x: -x[1]))


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
                f"{year} 年合并完成：企业 {c['enterprises']}，数据项 {c['facts']}（{report.seconds:.1f} 秒）"
                + ("；有待人工处理：" if report.needs_person else ""),
                f"{year} merged: {c['enterprises']} enterprises, {c['facts']} facts ({report.seconds:.1f} s)"
                + ("; for a person to look at:" if report.needs_person else ""),
            ),
            highlight=False,
        )
        _show_corrections(c["corrections"])
        for name, (zh, en, command) in _WAITING.items():
            if c[name]:
                out.print(f"  {say(zh, en)} {c[name]}: {command.format(year=year)}", highlight=False)
    finish(report.needs_person)


def _show_corrections(counts: dict[str, Any]) -> None:
    if counts["applied"]:
        out.print(
            say(f"已应用更正 {counts['applied']} 项", f"{counts['applied']} corrections applied"), highlight=False
        )
    for one in counts["ended"]:
        out.print(
            say(
                f"! 更正 {one} 已到期，未应用；请撤回或延长",
                f"! correction {one} has ended and was not applied; withdraw it or give it a new end",
            ),
            highlight=False,
        )
