"""Workbooks: .xlsx .xlsm .xlsb .xls .ods by calamine; .xls and .xlsx encrypted with Excel's default password."""

from __future__ import annotations

import io
from pathlib import Path

import fastexcel
import msoffcrypto

from engine.schema.errors import PermuError
from ingest.read import limits
from ingest.read.sheet import Sheet, in_memory, unreadable

# Excel opens a workbook that carries this password without asking; offices produce them unknowingly.
_DEFAULT_PASSWORD = "VelvetSweatshop"


def open_sheets(path: Path) -> list[Sheet]:
    """Every visible worksheet that has cells, with the row and column numbers a person sees.

    Raises:
        PermuError: ``unreadable_file``: protected with a password, damaged, or too large a rectangle.
    """
    try:
        book = _open(path)
    except fastexcel.FastExcelError as error:
        why = " ".join(str(error).split("Context")[0].split())
        raise unreadable(path, why, why) from None
    sheets = [_sheet(path, book, name) for name in book.sheet_names]
    return [s for s in sheets if s is not None]


def _open(path: Path) -> fastexcel.ExcelReader:
    plain = _decrypted(path)
    limits.check(path, plain)
    if plain is not None:
        return fastexcel.read_excel(plain)
    try:
        return fastexcel.read_excel(path)
    except fastexcel.FastExcelError:
        # It goes by the file's name: a .xls that is an .xlsx inside is known by its bytes alone.
        return fastexcel.read_excel(path.read_bytes())


def _decrypted(path: Path) -> bytes | None:
    """The workbook without its default password; None where it is not encrypted."""
    out = io.BytesIO()
    with path.open("rb") as handle:
        try:
            office = msoffcrypto.OfficeFile(handle)
            if not office.is_encrypted():
                return None
        except Exception:
            return None
        try:
            office.load_key(password=_DEFAULT_PASSWORD)
            office.decrypt(out)
        except Exception:
            raise _protected(path) from None
    return out.getvalue()


def _protected(path: Path) -> PermuError:
    return unreadable(path, "it is protected with a password", "文件有密码保护")


def _sheet(path: Path, book: fastexcel.ExcelReader, name: str) -> Sheet | None:
    loaded = _loaded(book, name)
    if loaded.width == 0 or loaded.visible != "visible":
        return None
    first = loaded.available_columns()[0].absolute_index
    return in_memory(name, "excel", loaded.to_polars(), first, lambda: _loaded(_open(path), name).to_polars())


def _loaded(book: fastexcel.ExcelReader, name: str) -> fastexcel.ExcelSheet:
    # skip_rows=0 keeps leading empty rows, so that row numbers are those of the sheet.
    return book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
