"""One sheet in each file format. Every writer returns the whole file or raises."""

from __future__ import annotations

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


def _csv(sheet: Sheet, origin: Provenance, lang: str) -> bytes:
    """UTF-8 with a BOM, headers by column name; the origin stands in columns of every row, so that nothing but
    data has to be skipped and a row that is cut out keeps it."""
    frame = sheet.frame.with_columns(
        policy=pl.lit(origin.policy),
        year=pl.lit(origin.year),
        loads_digest=pl.lit(origin.loads_digest),
        exported_at=pl.lit(origin.exported_at),
        exported_by=pl.lit(origin.who),
        exported_rows=pl.lit(sheet.frame.height),
    )
    return BOM + disarmed(frame).write_csv(line_terminator="\r\n").encode()


def _stamped(sheet: Sheet, origin: Provenance) -> pa.Table:
    """The table with its origin as ``permu`` in the schema's metadata."""
    data = sheet.frame.to_arrow()
    return data.replace_schema_metadata({"permu": origin.as_json(sheet.frame.height)})


def _parquet(sheet: Sheet, origin: Provenance, lang: str) -> bytes:
    out = pa.BufferOutputStream()
    pa.parquet.write_table(_stamped(sheet, origin), out, compression="zstd")
    return bytes(out.getvalue())


def _arrow(sheet: Sheet, origin: Provenance, lang: str) -> bytes:
    data, out = _stamped(sheet, origin), pa.BufferOutputStream()
    with pa.ipc.new_file(out, data.schema) as writer:
        writer.write_table(data)
    return bytes(out.getvalue())


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
    return _WRITERS[form](sheet, origin, lang)


def filename(board: Board, metric: str, kind: str, form: str) -> str:
    """An ASCII name that says what the file holds."""
    return f"permu-{board.year}-{board.policy}-{metric}-{kind}.{form}"
