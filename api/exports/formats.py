"""One sheet in each file format. Every writer returns the whole file or raises."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from api.exports.cells import FORMULA
from api.exports.provenance import Provenance
from api.exports.table import Sheet
from api.exports.xlsx import Prepared, prepare
from engine.query import Board
from engine.schema.errors import PermuError

BOM = b"\xef\xbb\xbf"
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}
FORMATS = tuple(MEDIA)
XLSX_ROWS = 1_048_576 - 10


def disarmed(frame: pl.DataFrame) -> pl.DataFrame:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay as they are."""
    text = [n for n, t in frame.schema.items() if t == pl.String]
    return frame.with_columns(pl.col(text).str.replace(f"({FORMULA})", "'${1}"))


def _csv(out: BinaryIO, frames: Iterable[pl.DataFrame], origin: Provenance, rows: int) -> None:
    """UTF-8 with a BOM, headers by column name; the origin stands in columns of every row, so that nothing but
    data has to be skipped and a row that is cut out keeps it."""
    out.write(BOM)
    for n, frame in enumerate(frames):
        stamped = frame.with_columns(
            policy=pl.lit(origin.policy),
            year=pl.lit(origin.year),
            loads_digest=pl.lit(origin.loads_digest),
            exported_at=pl.lit(origin.exported_at),
            exported_by=pl.lit(origin.who),
            exported_rows=pl.lit(rows),
        )
        out.write(disarmed(stamped).write_csv(line_terminator="\r\n", include_header=n == 0).encode())


def _stamped(frame: pl.DataFrame, origin: Provenance, rows: int) -> pa.Table:
    """The table with its origin as ``permu`` in the schema's metadata."""
    return frame.to_arrow().replace_schema_metadata({"permu": origin.as_json(rows)})


def _parquet(out: BinaryIO, frames: Iterable[pl.DataFrame], origin: Provenance, rows: int) -> None:
    _batches(out, frames, origin, rows, lambda schema: pa.parquet.ParquetWriter(out, schema, compression="zstd"))


def _arrow(out: BinaryIO, frames: Iterable[pl.DataFrame], origin: Provenance, rows: int) -> None:
    _batches(out, frames, origin, rows, lambda schema: pa.ipc.new_file(out, schema))


def _batches(
    out: BinaryIO, frames: Iterable[pl.DataFrame], origin: Provenance, rows: int, open_: Callable[[pa.Schema], Any]
) -> None:
    with ExitStack() as opened:
        writer = None
        for frame in frames:
            part = _stamped(frame, origin, rows)
            writer = writer or opened.enter_context(open_(part.schema))
            writer.write_table(part)


def prepared_xlsx(sheet: Sheet, origin: Provenance, lang: str, split: bool = False) -> Prepared:
    """The workbook but for who asks and when; PermuError too_many_rows where a sheet does not hold the rows."""
    if sheet.frame.height > XLSX_ROWS:
        raise PermuError(
            "too_many_rows",
            f"{sheet.frame.height} rows do not fit a spreadsheet (at most {XLSX_ROWS}): narrow the question, or ask "
            "for csv or parquet",
            f"{sheet.frame.height} 行超出电子表格上限（{XLSX_ROWS} 行）：请缩小范围，或改用 csv、parquet",
            parameter="format",
            allowed="csv, parquet, arrow",
        )
    return prepare(sheet, origin, lang, split)


def _xlsx(sheet: Sheet, origin: Provenance, lang: str, split: bool = False) -> bytes:
    return prepared_xlsx(sheet, origin, lang, split).finish(origin)


_WRITERS = {"csv": _csv, "parquet": _parquet, "arrow": _arrow}


def write(form: str, sheet: Sheet, origin: Provenance, lang: str = "zh", split: bool = False) -> bytes:
    """The whole file in one of :data:`FORMATS`; ``split``: a spreadsheet has one sheet for each bottom list."""
    if form == "xlsx":
        return _xlsx(sheet, origin, lang, split)
    out = io.BytesIO()
    _WRITERS[form](out, [sheet.frame], origin, sheet.frame.height)
    return out.getvalue()


def write_slices(form: str, out: BinaryIO, frames: Iterable[pl.DataFrame], origin: Provenance, rows: int) -> None:
    """The same of a table that comes in slices (``csv``, ``parquet``, ``arrow``), at least one; ``rows`` in all."""
    _WRITERS[form](out, frames, origin, rows)


def filename(board: Board, metric: str, kind: str, form: str) -> str:
    """An ASCII name that says what the file holds."""
    return f"permu-{board.year}-{board.policy}-{metric}-{kind}.{form}"
