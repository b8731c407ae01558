"""A workbook in two parts: its skeleton from xlsxwriter, and the rows of its tables put in where the skeleton stands.

The skeleton's table sheets hold two rows of empty cells below the header: they say which style each column has. What
depends on the table alone is packed first and may be kept (:func:`packed`); who asked and when is added to a copy.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from api.exports.cells import Styles, rows

TYPES = "[Content_Types].xml"  # first in the file: by it the kind of file is told
_LEVEL = 1  # zlib's; 6 takes three times as long for a fifth less
_STYLE = re.compile(rb'<c r="[A-Z]+\d+" s="(\d+)"/>')


def sheet_name(number: int) -> str:
    """Where the sheet ``number`` (1-based) lies in the package."""
    return f"xl/worksheets/sheet{number}.xml"


def packed(skeleton: bytes, tables: Sequence[tuple[int, pl.DataFrame]], first: int) -> bytes:
    """The part of the file that holds the tables (number of the sheet, its table), rows from row ``first`` (1-based)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skeleton)) as given, _writer(out, "w") as package:
        package.writestr(TYPES, given.read(TYPES))
        for number, table in tables:
            with package.open(sheet_name(number), "w", force_zip64=True) as sheet:
                _fill(sheet, given.read(sheet_name(number)), table, first)
    return out.getvalue()


def whole(part: bytes, skeleton: bytes) -> bytes:
    """The file: a copy of what :func:`packed` made, with everything else of the skeleton."""
    out = io.BytesIO(part)
    with zipfile.ZipFile(io.BytesIO(skeleton)) as given, _writer(out, "a") as package:
        held = set(package.namelist())
        for name in given.namelist():
            if name not in held:
                package.writestr(name, given.read(name))
    return out.getvalue()


def _writer(out: io.BytesIO, mode: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(out, mode, zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)  # type: ignore[call-overload]


def _fill(out: zipfile._ZipWriteFile, sheet: bytes, table: pl.DataFrame, first: int) -> None:  # type: ignore[name-defined]
    """The sheet with the table's rows in place of the two that show the styles."""
    plain, armed = (_row(sheet, number) for number in (first, first + 1))
    found = [Styles(int(a), int(b)) for a, b in zip(_STYLE.findall(plain), _STYLE.findall(armed), strict=True)]
    start = sheet.index(plain)
    end = sheet.index(armed) + len(armed)
    out.write(_sized(sheet[:start], table, first))
    for part in rows(table, found, first):
        out.write(part)
    out.write(sheet[end:])


def _row(sheet: bytes, number: int) -> bytes:
    found = re.search(rb'<row r="%d"[^>]*>.*?</row>' % number, sheet, re.DOTALL)
    assert found, f"the skeleton has no row {number}"
    return found.group()


def _sized(head: bytes, table: pl.DataFrame, first: int) -> bytes:
    """``<dimension>`` as the filled sheet has it: readers that stream believe it."""
    last = f"{xl_col_to_name(table.width - 1)}{max(first - 1, first - 1 + table.height)}"
    return re.sub(rb'<dimension ref="[^"]*"/>', f'<dimension ref="A1:{last}"/>'.encode(), head, count=1)
