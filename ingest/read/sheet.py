"""A sheet: what every reader gives."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from engine.schema.errors import PermuError

SAMPLE_ROWS = 2000
BATCH_ROWS = 131_072


@dataclass
class Sheet:
    """One table of cells: a CSV file, a worksheet, an HTML table, a layer.

    ``read()`` yields batches with ``row`` (Int32) and String columns ``c0 … cN``; ``sample`` is the first of them, at
    most SAMPLE_ROWS high. ``header`` is set where the format itself names the columns (layers, Parquet); ``first``
    is the spreadsheet column of ``c0`` (0 = A); ``about`` guesses the rows where ``rows`` is not known, for progress only. ``cut_headers`` says that names may have been cut off (.dbf).
    """

    name: str
    kind: str
    sample: pl.DataFrame
    read: Callable[[], Iterator[pl.DataFrame]]
    header: list[str] | None = None
    first: int = 0
    rows: int | None = None
    about: int = 0
    cut_headers: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        return [c for c in self.sample.columns if c not in ("row", "geometry")]

    def letter(self, index: int) -> str:
        """The column as a spreadsheet names it: A … Z, AA …"""
        number, letters = self.first + index + 1, ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


def unreadable(path: Path, en: str, zh: str) -> PermuError:
    """``unreadable_file``: what it is and what to do."""
    return PermuError(
        "unreadable_file",
        f"{path}: not readable: {en}; open it, save it as .xlsx or UTF-8 .csv, and run this again",
        f"{path}：无法读取：{zh}；请打开后另存为 .xlsx 或 UTF-8 的 .csv 再试",
        path=str(path),
    )


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """Whatever a reader raises becomes ``unreadable_file``: readers are other people's parsers fed with broken bytes."""
    try:
        yield
    except (PermuError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except OSError as error:
        # Without a file name it is the parser's complaint about the content, not the disk's.
        if error.errno is not None and error.filename is not None and str(error.filename) != str(path):
            raise
        raise unreadable(path, error.strerror or str(error), error.strerror or str(error)) from None
    except MemoryError:
        raise unreadable(path, "it needs more memory than there is", "所需内存超出可用内存") from None
    except BaseException as error:
        # A panic of a Rust reader is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise unreadable(path, why, why) from error


def holding(sheets: list[Sheet], folder: object) -> list[Sheet]:
    """Sheets that read from a temporary ``folder``: it is kept for as long as one of them is."""

    def held(read: Callable[[], Iterator[pl.DataFrame]]) -> Callable[[], Iterator[pl.DataFrame]]:
        def again() -> Iterator[pl.DataFrame]:
            yield from read()
            assert folder is not None

        return again

    for sheet in sheets:
        sheet.read = held(sheet.read)
    return sheets


_HELD_LIMIT = 512 << 20
_held = 0


def in_memory(
    name: str, kind: str, cells: pl.DataFrame, first: int = 0, again: Callable[[], pl.DataFrame] | None = None
) -> Sheet:
    """A sheet whose cells are all at hand (String columns in order); row 1 is the frame's first.

    With ``again`` the cells are kept only while all held sheets stay below 512 MB, else read a second time.
    """
    frame = _numbered(cells)
    size = int(frame.estimated_size())
    held: pl.DataFrame | None = frame if again is None or _hold(size) else None

    def read() -> Iterator[pl.DataFrame]:
        yield from (held if held is not None else _numbered(again())).iter_slices(BATCH_ROWS)  # type: ignore[misc]

    sheet = Sheet(name, kind, frame.head(SAMPLE_ROWS), read, first=first, rows=frame.height)
    if again is not None and held is not None:
        weakref.finalize(sheet, _release, size)
    return sheet


def _numbered(cells: pl.DataFrame) -> pl.DataFrame:
    named = cells.rename({old: f"c{i}" for i, old in enumerate(cells.columns)})
    return named.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))


def _hold(size: int) -> bool:
    global _held
    if _held + size > _HELD_LIMIT:
        return False
    _held += size
    return True


def _release(size: int) -> None:
    global _held
    _held -= size


def from_rows(name: str, kind: str, rows: list[list[str | None]]) -> Sheet:
    """A sheet from a list of rows of any width."""
    width = max((len(r) for r in rows), default=0)
    columns = {f"c{i}": [r[i] if i < len(r) else None for r in rows] for i in range(width)}
    return in_memory(name, kind, pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))
