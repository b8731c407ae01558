"""Documents to sign and file: an enterprise's check-up sheet, a bureau's yearly report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.documents.sheets import DOCUMENT_MEDIA, check_up_file, report_file
from api.exports.download import question_of
from api.exports.provenance import Provenance
from api.query import CheckUpQuery, ReportQuery, StoreDep
from api.respond import answer
from api.rights import View, view_of
from api.rights.view import forbidden
from api.store import Opened
from engine.query import Selection
from engine.query.parameters import refuse

router = APIRouter(tags=["documents"])


def _form(text: str | None, allowed: tuple[str, ...]) -> str:
    if text not in (None, *allowed):
        refuse("format", text, f"here one of {', '.join(allowed)}", f"此处取值 {'、'.join(allowed)}")
    return text or allowed[0]


def _viewed(request: Request, opened: Opened, action: str) -> View:
    """The view of who asks; both documents rest on figures that statistics state of single firms."""
    view = view_of(request, opened)
    view.need(action)
    if not view.statistics:
        raise forbidden(
            "statistics_figures",
            "this document rests on statistics figures, which are switched off",
            "该文件含有统计数据，而统计数据开关已关闭",
            view.viewer,
        )
    return view


def _origin(request: Request, opened: Opened, view: View) -> Provenance:
    return Provenance.of(opened.board, question_of(request), view.viewer.name, opened.listed.state)


def _named(name: str, form: str, opened: Opened) -> dict[str, str]:
    file = f"permu-{opened.board.year}-{opened.board.policy}-{name}.{form}"
    return {"Content-Disposition": f'attachment; filename="{file}"', "X-Permu-Release": opened.board.release_id}


@router.get(
    "/enterprises/{enterprise_id}/checkup",
    summary="An enterprise's check-up sheet: a spreadsheet that computes, or PDF",
)
def check_up_sheet(
    request: Request, enterprise_id: str, asked: Annotated[CheckUpQuery, Query()], store: StoreDep
) -> Response:
    """By enterprise id or credit code. In the spreadsheet the score is live formulas over the facts and bases."""
    opened = asked.opened(store)
    form, lang = _form(asked.format, ("xlsx", "pdf")), asked.value("lang") or "zh"
    view = _viewed(request, opened, "check_up")
    own = str(opened.board.table["enterprise_id"][view.find(opened.board, enterprise_id)])
    return answer(
        request,
        opened.listed,
        lambda: check_up_file(opened.release, own, form, _origin(request, opened, view), lang),
        DOCUMENT_MEDIA[form],
        _named(f"checkup-{own}", form, opened),
        key=view.key,
    )


@router.get("/report", summary="The yearly report as PDF")
def yearly_report(request: Request, asked: Annotated[ReportQuery, Query()], store: StoreDep) -> Response:
    """Of the release, or of a region in it: distributions, quadrant, indicators against bases, groups, grades, what
    fell out. The last of the bottom lists are named to those who may export them."""
    opened = asked.opened(store)
    form = _form(asked.format, ("pdf",))
    view = _viewed(request, opened, "report")
    selection = view.narrow(Selection.parse(region=asked.region) if asked.region else Selection.parse(), opened.board)
    named = view.viewer.can("export_bottom")
    return answer(
        request,
        opened.listed,
        lambda: report_file(opened.board, selection, _origin(request, opened, view), named),
        DOCUMENT_MEDIA[form],
        _named("report", form, opened),
        key=view.key,
    )
