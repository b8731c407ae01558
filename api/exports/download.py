"""A file of rankings as it is asked for over HTTP: cut by rights, whole before its first byte, never cut short."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import BinaryIO

import polars as pl
import zstandard
from fastapi import Request
from isal import igzip
from starlette.responses import Response, StreamingResponse

from api.exports.formats import MEDIA, filename, prepared_xlsx, write_slices
from api.exports.provenance import Provenance
from api.exports.table import Rows, Sheet
from api.exports.xlsx import Prepared
from api.respond import VARY, answer, encoding_of, etag, is_fresh
from api.rights import View
from api.store import Opened

SLICE = 50_000  # rows whose columns are held at once
KEPT_ROWS = 100_000  # about 27 MB of a packed spreadsheet; larger ones are made anew
_PIECE = 1 << 20
_NOT_ASKED = ("format", "lang", "sheets")


def question_of(request: Request) -> dict[str, str]:
    """The question without how it is to be written."""
    return {k: v for k, v in request.query_params.items() if k not in _NOT_ASKED}


def exported(
    request: Request, opened: Opened, view: View, form: str, lang: str, make: Callable[[], Rows], kind: str, metric: str,
    split: bool = False,
) -> Response:  # fmt: skip
    """The answer with the file. A spreadsheet's tables are packed once a release, rights and question; notes are of the
    moment. Other formats are written to a temporary file, a slice of rows at a time, before anything goes out."""
    headers = attachment(opened, form, metric, kind)
    origin = Provenance.of(opened.board, question_of(request), view.viewer.name, opened.listed.state)
    if form == "xlsx":
        made = lambda: _workbook(request, opened, view, lang, make, split, origin)  # noqa: E731
        return answer(request, opened.listed, made, MEDIA[form], headers, key=view.key)
    tag = etag(request, opened.listed, MEDIA[form], view.key)
    sent = {**VARY, **headers, "ETag": tag}
    if is_fresh(request, tag):
        return Response(status_code=304, headers=sent)
    rows = make()
    request.state.audit_rows = len(rows)
    encoding = encoding_of(request.headers.get("accept-encoding", "")) if form == "csv" else None
    file = spooled(form, rows, lambda frame: _cut(frame, view), origin, encoding)
    sent |= {"Content-Length": str(file.tell())} | ({"Content-Encoding": encoding} if encoding else {})
    return StreamingResponse(_pieces(file), headers=sent, media_type=MEDIA[form])


def _workbook(
    request: Request, opened: Opened, view: View, lang: str, make: Callable[[], Rows], split: bool, origin: Provenance
) -> bytes:
    asked = tuple(sorted(origin.question.items()))
    key = ("xlsx", request.url.path, view.key, opened.listed.state, lang, split, asked)

    rows: Rows = opened.board.cached((*key, "rows"), make, lambda found: found.nbytes)
    request.state.audit_rows = len(rows)

    def prepare() -> Prepared:
        sheet: Sheet = rows.sheet()
        return prepared_xlsx(replace(sheet, frame=_cut(sheet.frame, view)), origin, lang, split)

    kept: Prepared = opened.board.cached(key, prepare, len) if len(rows) <= KEPT_ROWS else prepare()
    return kept.finish(origin)


def _cut(frame: pl.DataFrame, view: View) -> pl.DataFrame:
    """Without the columns and rows that the viewer may not see (rows were narrowed in the question already)."""
    if view.enterprise is not None and view.rows is not None:
        frame = frame.filter(view.rows)
    return view.cut_frame(frame)


def spooled(
    form: str, rows: Rows, cut: Callable[[pl.DataFrame], pl.DataFrame], origin: Provenance, encoding: str | None = None
) -> BinaryIO:
    """The file as a temporary one without a name, whole, at its end; packed by ``encoding`` (gzip, zstd) on the way."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
    frames = (cut(rows.frame(start, start + SLICE)) for start in range(0, max(len(rows), 1), SLICE))
    try:
        with _packer(file, encoding) as out:
            write_slices(form, out, frames, origin, len(rows))
    except BaseException:
        file.close()
        raise
    file.seek(0, 2)
    return file


def _packer(file: BinaryIO, encoding: str | None) -> AbstractContextManager[BinaryIO]:
    if encoding == "gzip":
        return igzip.IGzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0)  # type: ignore[return-value]
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False)
    return nullcontext(file)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    with file:
        while piece := file.read(_PIECE):
            yield piece


def attachment(opened: Opened, form: str, metric: str, kind: str) -> dict[str, str]:
    """Headers of a download; the names hold only ASCII."""
    name = filename(opened.board, metric, kind, form)
    return {"Content-Disposition": f'attachment; filename="{name}"', "X-Permu-Release": opened.board.release_id}
