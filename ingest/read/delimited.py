"""CSV and TSV: encoding and delimiter sniffed, read in a stream.

UTF-8 goes straight to Polars; other encodings are rewritten as UTF-8 in a temporary file first. A file whose quotes
Polars cannot follow is read by the standard library: slower, and it takes whatever a spreadsheet takes.
"""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from ingest.read.sheet import BATCH_ROWS, SAMPLE_ROWS, Sheet, unreadable
from ingest.read.text import decoded, sniff
from ingest.read.transcode import as_utf8

_DELIMITERS = ",\t;|"
_SNIFFED_CHARS = 1 << 18
_MAX_COLUMNS = 4096
_CHUNK, _LONGEST_LINE = 1 << 20, 16 << 20


def open_sheets(path: Path) -> list[Sheet]:
    """The one sheet of a delimited file; nothing but its head is read before ``read()``."""
    encoding = sniff(path)
    head = _head(path, encoding)
    delimiter = _delimiter(head)
    rows = list(itertools.islice(csv.reader(io.StringIO(head), delimiter=delimiter), SAMPLE_ROWS))
    width = max((len(r) for r in csv.reader(io.StringIO(head), delimiter=delimiter)), default=0)
    if width > _MAX_COLUMNS:
        raise unreadable(path, f"{width} columns", f"有 {width} 列")
    # One column more than the header: a row that is too long shows itself there instead of being cut off.
    columns = [f"c{i}" for i in range(width + 1)]

    def read() -> Iterator[pl.DataFrame]:
        return _read(path, encoding, delimiter, columns)

    notes = [] if encoding == "utf-8" else [f"encoding {encoding}"]
    return [
        Sheet("", "csv", _frame(enumerate(rows, 1), columns), read, notes=notes, about=_about(path, head, encoding))
    ]


def _read(path: Path, encoding: str, delimiter: str, columns: list[str]) -> Iterator[pl.DataFrame]:
    with tempfile.TemporaryDirectory(prefix="permu-") as folder:
        quoted = _has_quotes(path)
        source = [path] if encoding == "utf-8" else as_utf8(path, encoding, Path(folder), whole=quoted)
        if quoted and not _follows(source, delimiter, columns):
            yield from _careful(path, encoding, delimiter, columns)
        else:
            lazy = _scan(source, delimiter, columns, '"' if quoted else None)
            yield from lazy.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)


def _head(path: Path, encoding: str) -> str:
    """The first lines, whole."""
    pieces, size = [], 0
    for piece in decoded(path, encoding):
        pieces.append(piece)
        size += len(piece)
        if size >= _SNIFFED_CHARS:
            text = "".join(pieces)[:_SNIFFED_CHARS].lstrip("\ufeff")
            return text[: text.rfind("\n") + 1] or text
    return "".join(pieces).lstrip("\ufeff")


def _about(path: Path, head: str, encoding: str) -> int:
    """How many lines the file has if they are as long as its first ones."""
    return path.stat().st_size * head.count("\n") // max(1, len(head.encode(encoding, "replace")))


def _delimiter(head: str) -> str:
    """The character that splits most lines into the same number of cells, more than one."""
    # not splitlines: a form feed in a cell ends no line
    lines = [line for line in itertools.islice(io.StringIO(head), 200) if line.strip()]

    def agreement(delimiter: str) -> tuple[int, int]:
        widths = [len(r) for r in csv.reader(lines, delimiter=delimiter) if len(r) > 1]
        common = max(set(widths), key=widths.count, default=0)
        return widths.count(common), common

    return max(_DELIMITERS, key=agreement)


def _has_quotes(path: Path) -> bool:
    """Whether a cell may be quoted. No encoding read here has a quote's or a newline's byte inside another character.

    Raises:
        PermuError: ``unreadable_file`` where a line is too long to be one: it would have to be held whole.
    """
    found, line = False, 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            found = found or b'"' in chunk
            line = 0 if b"\n" in chunk else line + len(chunk)
            if line > _LONGEST_LINE:
                mb = _LONGEST_LINE >> 20
                raise unreadable(path, f"a line is longer than {mb} MB", f"有一行超过 {mb} MB")
    return found


def _scan(paths: list[Path], delimiter: str, columns: list[str], quote: str | None) -> pl.LazyFrame:
    return pl.scan_csv(
        paths,
        has_header=False,
        separator=delimiter,
        quote_char=quote,
        schema=dict.fromkeys(columns, pl.String),
        missing_columns="insert",
        extra_columns="ignore",
        encoding="utf8-lossy",
        row_index_name="row",
        row_index_offset=1,
        glob=False,
    ).with_columns(pl.col("row").cast(pl.Int32))


def _follows(paths: list[Path], delimiter: str, columns: list[str]) -> bool:
    """Whether Polars can follow the file's quotes to its end."""
    try:
        _scan(paths, delimiter, columns, '"').select(pl.col("c0").null_count()).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return False
    return True


def _careful(path: Path, encoding: str, delimiter: str, columns: list[str]) -> Iterator[pl.DataFrame]:
    with path.open(encoding=encoding, errors="replace", newline="") as handle:
        numbered = enumerate(csv.reader(_without_bom(handle), delimiter=delimiter), 1)
        while part := list(itertools.islice(numbered, BATCH_ROWS)):
            yield _frame(part, columns)


def _frame(rows: Iterable[tuple[int, list[str]]], columns: list[str]) -> pl.DataFrame:
    """Numbered rows of any width as ``row``, ``c0 …``; what is beyond the last column is cut off."""
    schema = {"row": pl.Int32, **dict.fromkeys(columns, pl.String)}
    width = len(columns)
    padded = [[number, *(c or None for c in cells[:width]), *[None] * (width - len(cells))] for number, cells in rows]
    return pl.DataFrame(padded, schema=schema, orient="row")


def _without_bom(lines: Iterable[str]) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield line.lstrip("\ufeff") if i == 0 else line
