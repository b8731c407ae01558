"""``permu report``: documents to sign and file, as the server gives them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.documents.sheets import check_up_file, report_file
from api.exports.provenance import Provenance
from cli.options import Home, Json, MaybePolicy, MaybeYear, ReleaseId, hand_over, people, say, show_json, warehouse
from engine.query import Board, Selection
from engine.releases import Release, find, list_releases
from engine.schema.errors import language
from engine.schema.warehouse import Warehouse, who

app = typer.Typer(
    help="Documents to sign and file: check-up sheets, the yearly report. 体检表与年度报告。", no_args_is_help=True
)
Out = Annotated[
    Path | None, typer.Option("--out", help="The file (default: a name that says what it holds); - is stdout.")
]


class Form(StrEnum):
    """Formats of a check-up sheet."""

    xlsx = "xlsx"
    pdf = "pdf"


def _origin(house: Warehouse, board: Board, question: dict[str, str]) -> Provenance:
    state = next((r["state"] for r in list_releases(house) if r["release_id"] == board.release_id), None)
    return Provenance.of(board, question, who(), state)


def _done(data: bytes, place: Path, release: Release, json: bool) -> None:
    hand_over(data, place)
    if json and str(place) != "-":
        show_json({"file": str(place), "bytes": len(data), "release_id": release.id})
    else:
        people.print(say(f"已写入 {place}（{len(data):,} 字节）", f"{place}: {len(data):,} bytes"), markup=False)


@app.command("enterprise")
def enterprise(
    key: Annotated[str, typer.Argument(metavar="ENTERPRISE", help="An enterprise id or a credit code.")],
    form: Annotated[Form, typer.Option("--format", help="xlsx computes its score; pdf is for paper.")] = Form.xlsx,
    place: Out = None,
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """An enterprise's check-up sheet: facts, indicators, score, grade, ranks. 企业体检表。"""
    house = warehouse(home).require()
    found = find(house, release, year, policy)
    own = str(found.enterprise(key)["enterprise_id"])
    data = check_up_file(found, own, form.value, _origin(house, Board(found), {"enterprise": own}), language())
    _done(data, place or Path(f"checkup-{own}.{form.value}"), found, json)


@app.command("year")
def year_report(
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    region: Annotated[str | None, typer.Option(help="2, 4, 6 or 9 digits, or a zone's code (default: all).")] = None,
    place: Out = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """The bureau's yearly report as PDF. 年度报告。"""
    house = warehouse(home).require()
    found = find(house, release, year, policy)
    board, question = Board(found), {"region": region} if region else {}
    data = report_file(board, Selection.parse(**question), _origin(house, board, question))
    _done(data, place or Path(f"report-{found.id}.pdf"), found, json)
