"""The documents as files: what HTTP and the command line hand over."""

from __future__ import annotations

from api.documents.checkup import check_up
from api.documents.checkup_pdf import checkup_pdf
from api.documents.checkup_xlsx import workbook
from api.documents.year import year_pdf
from api.exports.formats import MEDIA
from api.exports.notes import origin_lines
from api.exports.provenance import Provenance
from engine.query import Board, Selection
from engine.releases import Release
from engine.schema.errors import PermuError

DOCUMENT_MEDIA = {"xlsx": MEDIA["xlsx"], "pdf": "application/pdf"}


def check_up_file(release: Release, enterprise: str, form: str, origin: Provenance, lang: str = "zh") -> bytes:
    """An enterprise's check-up sheet as ``xlsx`` or ``pdf``; PermuError unknown_enterprise, no_font."""
    found, lines = check_up(release, enterprise, lang), origin_lines(origin, lang)
    return workbook(found, origin, lines) if form == "xlsx" else checkup_pdf(found, origin, lines)


def report_file(board: Board, selection: Selection, origin: Provenance, named: bool = True) -> bytes:
    """The yearly report as PDF, with the names of the last enterprises or without; PermuError no_font, nobody."""
    if not len(board.members(selection.members)):
        raise PermuError(
            "nobody",
            f"release {board.release_id} holds no enterprise of region {selection.region}: see /api/v1/regions",
            f"版本 {board.release_id} 中没有区划 {selection.region} 的企业：见 /api/v1/regions",
            parameter="region",
            allowed="a region of the release",
        )
    return year_pdf(board, selection, origin, named)
