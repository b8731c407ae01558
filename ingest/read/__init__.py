"""Open a file as it came: its content decides what it is, not its name.

:func:`open_file` gives the sheets of a file. A sheet yields batches of all-String Polars frames with a ``row`` column
(1-based, as a person sees it) and columns ``c0 … cN``; spatial layers add ``geometry`` (WKB, lon/lat, EPSG:4490).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.read import archive, delimited, excel, html, isolated, parquet
from ingest.read.sheet import SAMPLE_ROWS, Sheet, telling, unreadable
from ingest.read.text import check_lines

__all__ = ["SAMPLE_ROWS", "Sheet", "batches", "kind_of", "open_file"]

_MAGIC: list[tuple[bytes, str]] = [
    (b"PK\x03\x04", "excel"), (b"\xd0\xcf\x11\xe0", "old excel"), (b"\x09\x08", "old excel"), (b"PAR1", "parquet"),
    (b"ARROW1", "parquet"), (b"FEA1", "parquet"), (b"SQLite format 3\0", "spatial"), (b"\x00\x00\x27\x0a", "spatial"), (b"fgb", "spatial"),
    (b"%PDF", "PDF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"\x1f\x8b", "gzip"), (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"), (b"GIF8", "GIF"), (b"{\\rtf", "RTF"),
]  # fmt: skip
_READERS: dict[str, Callable[[Path], list[Sheet]]] = {
    "excel": excel.open_sheets, "parquet": parquet.open_sheets, "html": html.open_sheets, "csv": delimited.open_sheets,
}  # fmt: skip


def kind_of(path: Path) -> str:
    """``csv excel html parquet spatial zip``, or the name of a kind that cannot be read (``PDF``, ``empty``)."""
    if path.is_dir():
        return "spatial" if path.suffix.lower() == ".gdb" else "a folder"
    with path.open("rb") as handle:
        head = handle.read(65536)
    if not head.strip(b"\r\n\t \0"):
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return "zip" if magic == b"PK\x03\x04" and archive.holds_files(path) else kind
    if path.suffix.lower() == ".dbf":
        return "spatial"
    return _text_kind(head)


def _text_kind(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    if start.startswith(b"<"):
        return "html" if b"<table" in head.lower() or b"<html" in start[:2000] else "XML"
    if start.startswith(b"{") and b'"type"' in start:
        return "spatial"
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    return "binary" if b"\0" in head and not wide else "csv"


def open_file(path: Path, crs: str | None = None) -> list[Sheet]:
    """The sheets or layers of a file, each with a sample of its first rows; of a .zip, those of every file in it.

    ``crs``: the coordinate system that the source or mapping file declares (``gcj02``, ``EPSG:4549``).

    Raises:
        PermuError: ``unreadable_file``: what it is, why it cannot be read, what to do; ``no_crs``.
    """
    with telling(path):
        kind = kind_of(path)
        if kind == "zip":
            return archive.open_sheets(path, lambda inner: _opened(inner, kind_of(inner), crs))
        return _opened(path, kind, crs)


def _opened(path: Path, kind: str, crs: str | None) -> list[Sheet]:
    if kind in ("spatial", "old excel"):
        return isolated.open_sheets(path, kind, crs)
    if kind == "csv":
        check_lines(path)
    reader = _READERS.get(kind)
    if reader is None:
        raise unreadable(path, f"it is {kind}, not a table", f"内容是 {kind}，不是表格")
    return reader(path)


def batches(sheet: Sheet, path: Path) -> Iterator:
    """All rows of ``sheet``, batch by batch; a parser's failure on the way is ``unreadable_file`` too."""
    with telling(path):
        yield from sheet.read()
