"""Rows of a spreadsheet as the XML that a sheet holds (ECMA-376 part 1, 18.3.1.73), a slice of a table at a time.

The one place where cells are written without a library: every library asks Python once a cell (xlsxwriter 5.6 s for
50,000 × 25), this writes a column at a time (docs/decisions/0031-exports.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from engine.schema.errors import PermuError

ROWS_AT_ONCE = 5_000
LONGEST_TEXT = 32_767  # what a cell holds
# A cell that begins with one of these is read as a formula by some spreadsheet that opens text; full-width ones too,
# which Chinese, Japanese and Korean editions fold.
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
# What XML cannot hold or would change is written as _xHHHH_ (ECMA-376 part 1, 22.9.2.19), and so is that form itself.
_CONTROLS = {chr(c): f"_x{c:04X}_" for c in [*range(9), 11, 12, *range(13, 32), 0xFFFE, 0xFFFF]}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "_x": "_x005F_x"} | _CONTROLS


@dataclass(frozen=True)
class Styles:
    """A column's styles as the workbook numbers them: of its cells, and of text that looks like a formula."""

    plain: int
    armed: int


def rows(frame: pl.DataFrame, styles: list[Styles], first: int) -> Iterator[memoryview]:
    """The table's rows as XML from row ``first`` (1-based) on; the next slice is made while one is taken.

    Missing and infinite values are empty cells. PermuError cell_too_long where a text does not fit one.
    """
    _refuse_long(frame)
    coming: Future[memoryview] | None = None
    with ThreadPoolExecutor(1) as ahead:
        for start in range(0, frame.height, ROWS_AT_ONCE):
            part = frame[start : start + ROWS_AT_ONCE]
            before, coming = coming, ahead.submit(_written, part, styles, first + start)
            if before is not None:
                yield before.result()
        if coming is not None:
            yield coming.result()


def _written(part: pl.DataFrame, styles: list[Styles], first: int) -> memoryview:
    return _text(_lines(part, styles, first))


def _refuse_long(frame: pl.DataFrame) -> None:
    for name in (n for n, t in frame.schema.items() if t == pl.String):
        longest = frame.select(pl.col(name).str.len_chars().max().fill_null(0)).item()
        if longest > LONGEST_TEXT:
            raise PermuError(
                "cell_too_long",
                f"a text of {longest} characters in {name} does not fit a cell ({LONGEST_TEXT}): ask for csv or parquet",
                f"{name} 列有 {longest} 个字符的文本，超出单元格上限（{LONGEST_TEXT}）：请改用 csv 或 parquet",
                parameter="format",
                allowed="csv, parquet, arrow",
            )


def _lines(part: pl.DataFrame, styles: list[Styles], first: int) -> pl.Series:
    number = pl.int_range(first, first + part.height, dtype=pl.UInt32, eager=True).cast(pl.String)
    cells = [
        _cell(column, xl_col_to_name(place), style)
        for place, (column, style) in enumerate(zip(part, styles, strict=True))
    ]
    line = pl.concat_str(pl.lit('<row r="'), "__row", pl.lit('">'), *cells, pl.lit("</row>"))
    return part.with_columns(__row=number).select(line=line)["line"]


def _cell(column: pl.Series, letters: str, style: Styles) -> pl.Expr:
    """A cell; without a value it is empty and keeps its style."""
    start, blank = f'<c r="{letters}', pl.lit(f'" s="{style.plain}"/>')
    return pl.coalesce(_valued(column, pl.lit(start), style), pl.concat_str(pl.lit(start), "__row", blank))


def _valued(column: pl.Series, opening: pl.Expr, style: Styles) -> pl.Expr:
    """A cell with its value, null where there is none."""
    value = pl.col(column.name)
    if column.dtype == pl.String:
        begin = f'" s="{style.plain}" t="inlineStr"><is><t xml:space="preserve">'
        armed = value.str.contains(FORMULA)
        value = pl.when(value != "").then(value)
        start = pl.lit(begin)
        if column.str.contains(FORMULA).any():
            start = pl.when(armed).then(pl.lit(begin.replace(f'"{style.plain}"', f'"{style.armed}"'))).otherwise(start)
        return pl.concat_str(opening, "__row", start, _escaped(column, value), pl.lit("</t></is></c>"))
    if column.dtype.is_float():
        value = pl.when(value.is_finite()).then(value)
    return pl.concat_str(
        opening, "__row", pl.lit(f'" s="{style.plain}"><v>'), value.cast(pl.String), pl.lit("</v></c>")
    )


def _escaped(column: pl.Series, value: pl.Expr) -> pl.Expr:
    if not column.str.contains_any(list(_ESCAPES)).any():
        return value
    return value.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def _text(lines: pl.Series) -> memoryview:
    """The lines one after the other in UTF-8, as Arrow holds them, without a copy."""
    _, _, data = lines.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
    return memoryview(data)
