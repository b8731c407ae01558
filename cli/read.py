"""``permu rankings``: questions to a release."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.exports.formats import write
from api.exports.provenance import Provenance
from api.exports.table import Sheet, bottom_sheet, ranking_sheet
from cli.options import Home, Json, MaybePolicy, MaybeYear, ReleaseId, hand_over, out, people, plain, say, warehouse
from engine.query import Board, Selection, bottom, select
from engine.query.parameters import read
from engine.releases import find, list_releases
from engine.schema.columns import column
from engine.schema.errors import PermuError, language
from engine.schema.warehouse import Warehouse, who


class Format(StrEnum):
    """Formats of ``permu rankings``."""

    table = "table"
    csv = "csv"
    xlsx = "xlsx"
    json = "json"
    parquet = "parquet"
    arrow = "arrow"


Text = Annotated[str | None, typer.Option()]
_SHOWN = ("rank", "of", "enterprise_id", "name", "industry_code", "region_name", "size", "land_mu", "output_per_mu", "benefit_per_mu", "score", "grade")  # fmt: skip


def rankings(
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    industry: Annotated[str | None, typer.Option(help="1 to 4 characters: C, 26, 261, 2614.")] = None,
    region: Annotated[str | None, typer.Option(help="2, 4, 6 or 9 digits, or a zone's code.")] = None,
    size: Annotated[str | None, typer.Option(help="large, medium, small or micro.")] = None,
    group: Annotated[str, typer.Option(help="above_scale, below_scale, land_3mu_up, land_below_3mu or all.")] = "all",
    grade: Annotated[str | None, typer.Option(help="Show these grades only, e.g. D or C,D.")] = None,
    by: Annotated[str | None, typer.Option(help="The metric (default: the release's own).")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="The best N.")] = None,
    last: Annotated[int | None, typer.Option("--bottom", min=1, help="The worst N, ties at the cut included.")] = None,
    bottom_percent: Annotated[str | None, typer.Option(help="The worst P per cent.")] = None,
    within: Annotated[
        str | None, typer.Option(help="A bottom list of each of these groups: industry, region, size … (commas).")
    ] = None,
    sheets: Annotated[str | None, typer.Option(help="group: in a spreadsheet, one sheet for each bottom list.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How the rows are written.")] = Format.table,
    place: Annotated[Path | None, typer.Option("--out", help="A file; - is stdout.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Rank within a group: best, worst, or all. 查询排名。"""
    cut = _cut(top, last, bottom_percent, within)
    split = read("sheets", sheets) == "group"
    house = warehouse(home).require()
    board = Board(find(house, release, year, policy))
    asked = {"industry": industry, "region": region, "size": size, "group": group, "grade": grade, "by": by}
    selection = Selection.parse(**asked, **({"limit": top} if top else {}))
    question = {
        k: str(v)
        for k, v in (asked | {"top": top, "bottom": last, "bottom_percent": bottom_percent, "within": within}).items()
        if v
    }
    named = place is not None and str(place) != "-"
    if json and form is Format.table:
        form = Format.json
    if named or not json:  # first the file: a refusal is then all that stands on stdout
        _put(_rendered(house, board, selection, cut, form, question, split), place, form)
    if json:
        hand_over(_json(board, selection, cut), None)


def _cut(top: int | None, last: int | None, percent: str | None, within: str | None) -> dict[str, Any]:
    """Which bottom lists are asked; nothing where none is."""
    if sum(x is not None for x in (top, last, percent)) > 1:
        raise PermuError(
            "bad_parameter",
            "--top, --bottom and --bottom-percent exclude each other; give one of them",
            "--top、--bottom、--bottom-percent 不能同时使用；请只用其一",
        )
    if within is not None and last is None and percent is None:
        raise PermuError(
            "bad_parameter",
            "--within is for bottom lists: give --bottom or --bottom-percent too",
            "--within 用于末位名单：请同时给出 --bottom 或 --bottom-percent",
        )
    if last is None and percent is None:
        return {}
    cut = {"count": last} if last is not None else {"percent": _percent(percent)}
    return cut | ({"within": read("within", within)} if within is not None else {})


def _percent(text: str | None) -> Any:
    try:
        return read("percent", text)
    except PermuError as error:
        raise PermuError(
            "bad_parameter",
            f"--bottom-percent {text}: give a number above 0 and up to 100, as 5 or 2.5",
            f"--bottom-percent {text}：应为大于 0、不超过 100 的数，如 5 或 2.5",
        ) from error


def _rendered(
    house: Warehouse,
    board: Board,
    selection: Selection,
    cut: dict[str, Any],
    form: Format,
    question: dict[str, str],
    split: bool,
) -> bytes | Table:
    if form is Format.json:
        return _json(board, selection, cut)
    sheet = bottom_sheet(board, selection, **cut) if cut else ranking_sheet(board, selection)
    if form is Format.table:
        if not sheet.frame.height:
            people.print(
                say(
                    "没有符合条件的企业：请检查区域、行业、规模和等级（sunan-2017 不分等级）",
                    "no enterprise fits: check region, industry, size and grade (sunan-2017 has no grades)",
                )
            )
        return _table(sheet)
    state = next((r["state"] for r in list_releases(house) if r["release_id"] == board.release_id), None)
    return write(form.value, sheet, Provenance.of(board, question, who(), state), language(), split)


def _json(board: Board, selection: Selection, cut: dict[str, Any]) -> bytes:
    head = {"release_id": board.release_id, "year": board.year, "policy": board.policy}
    head |= {"by": board.metric(selection.by)}
    if "within" in cut:
        groups = [{"key": g.key, "of": g.of, "rows": g.rows} for g in bottom(board, selection, **cut)]
        return _dumped(head | {"groups": groups})
    if cut:
        (one,) = bottom(board, selection, **cut)
        rows, of = one.rows, one.of
    else:
        page = select(board, selection)
        rows, of = page.rows, page.of
    return _dumped(head | {"of": of, "rows": rows})


def _dumped(body: dict[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _table(sheet: Sheet) -> Table:
    lang = language()
    names = [n for n in _SHOWN if n in sheet.frame.columns and sheet.frame[n].null_count() < max(1, sheet.frame.height)]
    table = Table()
    for name in names:
        col = column(name)
        unit = f" ({col.unit(lang)})" if col and col.unit(lang) else ""
        title = (col.title(lang) if col else name) + unit
        whole = name == "enterprise_id"  # an id is for copying
        table.add_column(title, justify="left" if col and col.is_text else "right", overflow="fold", no_wrap=whole)
    for row in sheet.frame.select(names).iter_rows():
        table.add_row(*("" if v is None else f"{v:,.2f}" if isinstance(v, float) else str(v) for v in row))
    return table


def _put(result: bytes | Table, place: Path | None, form: Format) -> None:
    if isinstance(result, Table):
        if place is None or str(place) == "-":
            out.print(result)
            return
        result = plain(result)
    if place is None and form in (Format.xlsx, Format.parquet, Format.arrow) and sys.stdout.isatty():
        place = Path(f"rankings.{form.value}")
    hand_over(result, place)
