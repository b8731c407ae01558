"""Open a file as it came: what it is decides its content, not its name.

:func:`open_file` gives the sheets of a file. A sheet yields batches of all-String Polars frames with a ``row`` column
(1-based, as a person sees it) and columns ``c0 … cN``; spatial layers add ``geometry`` (WKB, lon/lat, EPSG:4490).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from engine.schema.errors import PermuError
from ingest.read import delimited, excel, html, parquet, spatial
from ingest.read.sheet import SAMPLE_ROWS, Sheet, unreadable

__all__ = ["SAMPLE_ROWS", "Sheet", "kind_of", "open_file"]

_MAGIC: list[tuple[bytes, str]] = [
    (b"PK\x03\x04", "excel"), (b"\xd0\xcf\x11\xe0", "excel"), (b"\x09\x08", "excel"), (b"PAR1", "parquet"),
    (b"ARROW1", "parquet"), (b"SQLite format 3\0", "spatial"), (b"\x00\x00\x27\x0a", "spatial"), (b"fgb", "spatial"),
    (b"%PDF", "PDF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"\x1f\x8b", "gzip"), (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"), (b"GIF8", "GIF"), (b"{\\rtf", "RTF"),
]  # fmt: skip
_READERS: dict[str, Callable[[Path], list[Sheet]]] = {
    "excel": excel.open_sheets, "parquet": parquet.open_sheets, "spatial": spatial.open_sheets,
    "html": html.open_sheets, "csv": delimited.open_sheets,
}  # fmt: skip


def kind_of(path: Path) -> str:
    """``csv excel html parquet spatial``, or the name of a kind that cannot be read (``PDF``, ``empty``)."""
    with path.open("rb") as handle:
        head = handle.read(65536)
    if not head.strip(b"\r\n\t \0"):
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
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


def open_file(path: Path) -> list[Sheet]:
    """The sheets or layers of a file, each with a sample of its first rows.

    Raises:
        PermuError: ``unreadable_file``: what it is, why it cannot be read, what to do.
    """
    try:
        kind = kind_of(path)
        reader = _READERS.get(kind)
        if reader is None:
            raise unreadable(path, f"it is {kind}, not a table", f"内容是 {kind}，不是表格")
        return reader(path)
    except PermuError:
        raise
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), error.strerror or str(error)) from None
    except Exception as error:
        # Readers are other people's parsers fed with broken bytes: whatever they raise, the file is unreadable.
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise unreadable(path, why, why) from error


def batches(sheet: Sheet, path: Path) -> Iterator:
    """All rows of ``sheet``, batch by batch; a parser's failure on the way is ``unreadable_file`` too."""
    try:
        yield from sheet.read()
    except (PermuError, GeneratorExit, OSError, MemoryError):
        raise
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise unreadable(path, why, why) from error
