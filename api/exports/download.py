"""A file of rankings as it is asked for over HTTP: cut by rights, its tables kept by release, rights and question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fastapi import Request

from api.exports.formats import filename, prepared_xlsx, write
from api.exports.provenance import Provenance
from api.exports.table import Sheet
from api.exports.xlsx import Prepared
from api.rights import View
from api.store import Opened

_NOT_ASKED = ("format", "lang", "sheets")


def question_of(request: Request) -> dict[str, str]:
    """The question without how it is to be written."""
    return {k: v for k, v in request.query_params.items() if k not in _NOT_ASKED}


def cut(sheet: Sheet, view: View) -> Sheet:
    """The sheet without the columns and rows that the viewer may not see."""
    frame = view.cut_frame(sheet.frame)
    if view.enterprise is not None and view.rows is not None:
        frame = frame.filter(view.rows)
    return replace(sheet, frame=frame)


def download(
    request: Request, opened: Opened, view: View, form: str, lang: str, make: Callable[[], Sheet], split: bool = False
) -> bytes:
    """The file, whole. A spreadsheet's tables are packed once a release, rights and question; notes are of the moment."""
    question = question_of(request)
    origin = Provenance.of(opened.board, question, view.viewer.name, opened.listed.state)
    if form != "xlsx":
        sheet = cut(make(), view)
        request.state.audit_rows = sheet.frame.height
        return write(form, sheet, origin, lang)
    asked = tuple(sorted(question.items()))
    key = ("xlsx", request.url.path, view.key, opened.listed.state, lang, split, asked)
    made: Prepared = opened.board.cached(key, lambda: prepared_xlsx(cut(make(), view), origin, lang, split), len)
    request.state.audit_rows = made.about.rows
    return made.finish(origin)


def attachment(opened: Opened, form: str, metric: str, kind: str) -> dict[str, str]:
    """Headers of a download; the names hold only ASCII."""
    name = filename(opened.board, metric, kind, form)
    return {"Content-Disposition": f'attachment; filename="{name}"', "X-Permu-Release": opened.board.release_id}
