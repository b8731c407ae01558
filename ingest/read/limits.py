"""Workbooks that would burst before they are read: what they unpack to, and cells so far apart that only emptiness is between.

A reader of workbooks holds a sheet as a full rectangle: one stray value in XFD1048576 makes 17 billion cells of it. The
rectangle is measured first, on the cells that hold something.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import olefile

from engine.schema.errors import PermuError
from ingest.read.sheet import unreadable

MAX_COLUMNS = 4096
_MAX_CELLS, _BYTES_PER_CELL = 8 << 20, 4
_MAX_BYTES, _MAX_RATIO, _RATIO_FROM = 6 << 30, 200, 64 << 20
_CHUNK, _SCANNED, _HEAD, _REFERENCE = 1 << 20, 2 << 20, 4096, 21
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,8})(\d{1,8})"[^>]*(?<!/)>')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s+ref="(?:[A-Z]+\d+:)?([A-Z]+)(\d+)"')
_REPEATED = re.compile(rb'number-(columns|rows)-repeated="(\d+)"')
_SHEET = re.compile(r"^xl/worksheets/[^/]+\.xml$", re.IGNORECASE)
_BIFF_CELLS = {0x0006, 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD, 0x00BD, 0x00D6}


def check(path: Path, data: bytes | None = None) -> None:
    """Refuse a workbook that cannot be held; ``data`` is its content where it was decrypted.

    Raises:
        PermuError: ``unreadable_file``.
    """
    with path.open("rb") as handle:
        start = data[:4] if data is not None else handle.read(4)
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path if data is None else io.BytesIO(data)) as packed:
            _check_zip(path, packed)
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        _check_ole(path, data)


def _check_zip(path: Path, packed: zipfile.ZipFile) -> None:
    entries = packed.infolist()
    total, small = sum(m.file_size for m in entries), sum(m.compress_size for m in entries)
    if total > _MAX_BYTES or (total > _RATIO_FROM and total > _MAX_RATIO * max(small, 1)):
        raise unreadable(path, f"it unpacks to {total >> 20} MB", f"解开后达 {total >> 20} MB")
    for entry in entries:
        if _SHEET.match(entry.filename):
            _check_rectangle(path, *_extent(packed, entry), entry.file_size)
        elif entry.filename == "content.xml":
            _check_repeats(path, packed, entry)


def _extent(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """(rows, columns) of a sheet: of a large one that is packed as data usually is, its beginning and what it states."""
    stated, most = None, entry.file_size
    rows = columns = 0
    with packed.open(entry) as part:
        rest = part.read(_HEAD)
        if entry.file_size > _SCANNED and entry.file_size < 100 * max(entry.compress_size, 1):
            stated = _DIMENSION.search(rest)
            most = _SCANNED if stated else most
        read = 0
        while read < most and (chunk := part.read(_CHUNK)):
            rows, columns, rest = _scan(rest + chunk, rows, columns)
            read += len(chunk)
    rows, columns, _ = _scan(rest, rows, columns)
    return (max(rows, int(stated[2])), max(columns, _column(stated[1]))) if stated else (rows, columns)


def _scan(text: bytes, rows: int, columns: int) -> tuple[int, int, bytes]:
    # Looking at each cell takes longer than reading the workbook: only where an empty or quoted one may not count.
    most_rows, most_columns = _bound(np.frombuffer(text, np.uint8))
    harmless = most_columns <= MAX_COLUMNS and max(rows, most_rows) * max(columns, most_columns) <= _MAX_CELLS
    if harmless:
        rows, columns = max(rows, most_rows), max(columns, most_columns)
    elif found := _CELL.findall(text):
        letters, numbers = zip(*found, strict=True)
        rows = max(rows, *map(int, numbers))
        columns = max(columns, *map(_column, set(letters)))
    return rows, columns, text[text.rfind(b"<") :][-_CHUNK:]


def _bound(text: np.ndarray) -> tuple[int, int]:
    """(rows, columns) that no cell of the text lies beyond: the largest of all that is written as ``r="B12"``."""
    text = np.concatenate([text, np.zeros(_REFERENCE, np.uint8)])
    marks = (text[:-2] == ord("r")) & (text[1:-1] == ord("=")) & (text[2:] == ord('"'))
    at = np.flatnonzero(marks) + 3
    row, column = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for _ in range(_REFERENCE - 4):
        sign = text[at].astype(np.int64)
        letter, digit = (sign >= ord("A")) & (sign <= ord("Z")) & (row == 0), (sign >= ord("0")) & (sign <= ord("9"))
        column = np.where(letter, column * 26 + sign - 64, column)
        row = np.where(digit, row * 10 + sign - 48, row)
        at = np.where(letter | digit, at + 1, at)
    return int(row.max(initial=0)), int(column.max(initial=0))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_rectangle(path: Path, rows: int, columns: int, size: int) -> None:
    if columns > MAX_COLUMNS:
        raise unreadable(path, f"{columns} columns; delete the empty ones", f"有 {columns} 列；请删除空列")
    if rows * columns > max(_MAX_CELLS, size // _BYTES_PER_CELL):
        raise _far(path, rows, columns)


def _far(path: Path, rows: int, columns: int) -> PermuError:
    return unreadable(
        path,
        f"{rows} rows × {columns} columns, nearly all empty; delete the stray cells",
        f"{rows} 行 × {columns} 列，几乎全空；请删除零散单元格",
    )


def _check_repeats(path: Path, packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """OpenDocument repeats cells by number."""
    bounds = {b"columns": 16_384, b"rows": 1_048_576}
    with packed.open(entry) as part:
        rest = b""
        while chunk := part.read(_CHUNK):
            text = rest + chunk
            for kind, number in _REPEATED.findall(text):
                if len(number) > 7 or int(number) > bounds[kind]:
                    raise unreadable(
                        path, f"a cell repeated {number.decode()[:20]} times", f"单元格重复 {number.decode()[:20]} 次"
                    )
            rest = text[-200:]


def _check_ole(path: Path, data: bytes | None) -> None:
    """.xls: a row and column number beyond what the format has would make a rectangle of billions."""
    source = io.BytesIO(data) if data is not None else str(path)
    with olefile.OleFileIO(source) as ole:
        name = next((n for n in ("Workbook", "Book") if ole.exists(n)), None)
        if name is None:
            return
        rows, columns = _biff_extent(ole.openstream(name).read())
    if columns > 256 and rows * columns > _MAX_CELLS:
        raise _far(path, rows, columns)


def _biff_extent(stream: bytes) -> tuple[int, int]:
    at, end, rows, columns = 0, len(stream) - 8, 0, 0
    unpack = struct.Struct("<HHHH").unpack_from
    while at <= end:
        kind, size, row, column = unpack(stream, at)
        if kind in _BIFF_CELLS and size >= 4:
            last = (
                struct.unpack_from("<H", stream, at + 2 + size)[0]
                if kind == 0xBD and at + 4 + size <= len(stream)
                else 0
            )
            rows, columns = max(rows, row + 1), max(columns, column + 1, last + 1)
        at += 4 + size
    return rows, columns
