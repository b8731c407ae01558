"""The spreadsheet that an official hands on: title, origin, units, frozen header, filter, formats, notes."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from api.exports.notes import notes
from api.exports.provenance import Provenance
from api.exports.table import Sheet
from engine.schema.columns import ROW, SCALE_GROUPS, SIZES, Column, column

GRADE_COLOURS = {"A": "#D5EBDD", "B": "#DCE8F5", "C": "#FBEFD0", "D": "#F6D9D5", "T": "#E7E7E7"}
HEADER_ROW = 4  # 0-based: title, origin, (empty), titles zh, titles en, units
FIRST_ROW = HEADER_ROW + 2
_IN_GROUPINGS = ("industry_2", "region_county", "size", "industry_region_size")
_WIDTHS = {
    "name": 34,
    "uscc": 21,
    "enterprise_id": 22,
    "industry_name": 24,
    "region_name": 14,
    "flags": 18,
    "release_id": 28,
}


def shown(sheet: Sheet) -> list[str]:
    """The columns of the spreadsheet: the row, the indicators, and the asked metric's rank in four groupings."""
    names = sheet.frame.columns
    ranks = [f"{k}__{sheet.metric}__{g}" for g in _IN_GROUPINGS for k in ("rank", "of")]
    plain = [n for n in names if not n.startswith(("rank__", "of__")) and n not in ("flags", "release_id")]
    empty = [n for n in ("score", "grade") if n in plain and sheet.frame[n].null_count() == sheet.frame.height]
    return [
        *(n for n in plain if n not in empty),
        *(n for n in (*ranks, "flags", "release_id") if n in names),
    ]


def write_xlsx(sheet: Sheet, origin: Provenance, lang: str) -> bytes:
    """The workbook as bytes: the table, and a sheet of notes that says where it comes from."""
    out = io.BytesIO()
    # text stays text: nothing is turned into a formula, a link or a number
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {**options, "in_memory": True, "nan_inf_to_errors": False})
    titles = ("排名", "说明") if lang == "zh" else ("Ranking", "Notes")
    _fill(book, book.add_worksheet(titles[0]), sheet, origin, lang)
    _notes(book, book.add_worksheet(titles[1]), sheet, origin, lang)
    book.close()
    return out.getvalue()


def _fill(book: xlsxwriter.Workbook, page: Worksheet, sheet: Sheet, origin: Provenance, lang: str) -> None:
    columns = [column(n) for n in shown(sheet)]
    first, second = notes(sheet, origin, lang).heading
    page.write_string(0, 0, first, book.add_format({"bold": True, "font_size": 15}))
    page.write_string(1, 0, second, book.add_format({"font_color": "#555555"}))
    _header(book, page, columns, lang)
    for place, col in enumerate(columns):
        _column(book, page, place, col, _worded(sheet.frame[col.name], lang))
    last = FIRST_ROW + max(sheet.frame.height - 1, 0)
    page.autofilter(HEADER_ROW + 1, 0, last, len(columns) - 1)
    frozen = next((i + 1 for i, c in enumerate(columns) if c.name == "name"), 0)
    page.freeze_panes(FIRST_ROW, frozen)
    _paper(page, len(columns))


def _worded(values: pl.Series, lang: str) -> pl.Series:
    """Size and scale group in the reader's words; a Chinese sheet does not say ``small``."""
    words = {"size": SIZES, "scale_group": SCALE_GROUPS}.get(values.name)
    if words is None or lang != "zh":
        return values
    return values.replace({code: zh for code, (zh, _) in words.items()})


def _header(book: xlsxwriter.Workbook, page: Worksheet, columns: list[Column], lang: str) -> None:
    """Titles in the asked language over titles in the other one with the unit: the filter sits on the unit row."""
    other = "en" if lang == "zh" else "zh"
    base = {"bg_color": "#EEF1F4", "text_wrap": True, "valign": "vcenter", "align": "center"}
    bold, light = (
        book.add_format({**base, "bold": True}),
        book.add_format({**base, "font_color": "#555555", "bottom": 1}),
    )
    for place, col in enumerate(columns):
        title = f"{col.title(lang)}\n{col.title(other)}"
        unit = col.unit(lang) or "–"
        page.write_string(HEADER_ROW, place, title, bold)
        page.write_string(HEADER_ROW + 1, place, unit, light)
    page.write_string(HEADER_ROW - 1, 0, "单位见表头第二行" if lang == "zh" else "units stand in the second header row")
    page.set_row(HEADER_ROW, 48)


def _column(book: xlsxwriter.Workbook, page: Worksheet, place: int, col: Column, values: pl.Series) -> None:
    """One column: width and format once, then the cells; missing stays empty, never 0."""
    text = values.dtype == pl.String
    style: dict[str, Any] = {"num_format": "@" if text else col.number_format}
    if col.name in ("grade", "size", "scale_group"):
        style["align"] = "center"
    plain = book.add_format(style)
    page.set_column(place, place, _WIDTHS.get(col.name, 15 if text or "__" in col.name else 13), plain)
    if text:
        armed = book.add_format({**style, "quote_prefix": True})
        _text(page, place, values, plain, armed)
    else:
        for row, value in enumerate(values, FIRST_ROW):
            if value is not None and value == value and abs(value) != float("inf"):
                page.write_number(row, place, value, plain)
    if col.name == "grade":
        _grades(book, page, place, len(values))


def _text(page: Worksheet, place: int, values: pl.Series, plain: Format, armed: Format) -> None:
    for row, value in enumerate(values, FIRST_ROW):
        if value is not None:
            page.write_string(row, place, value, armed if value.startswith(("=", "+", "-", "@", "\t", "\r")) else plain)


def _grades(book: xlsxwriter.Workbook, page: Worksheet, place: int, rows: int) -> None:
    for grade, colour in GRADE_COLOURS.items():
        rule = {
            "type": "cell",
            "criteria": "==",
            "value": f'"{grade}"',
            "format": book.add_format({"bg_color": colour}),
        }
        page.conditional_format(FIRST_ROW, place, FIRST_ROW + max(rows, 1) - 1, place, rule)


def _paper(page: Worksheet, columns: int) -> None:
    """A4 landscape, one page wide up to what can be read, the header on every page."""
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1 if columns <= len(ROW) + 8 else 2, 0)
    page.repeat_rows(HEADER_ROW, HEADER_ROW + 1)
    page.set_footer("&C&P / &N")


def _notes(book: xlsxwriter.Workbook, page: Worksheet, sheet: Sheet, origin: Provenance, lang: str) -> None:
    page.set_column(0, 0, 30, book.add_format({"bold": True, "valign": "top"}))
    page.set_column(1, 1, 90, book.add_format({"text_wrap": True, "valign": "top"}))
    for row, (name, value) in enumerate(notes(sheet, origin, lang).lines):
        page.write_string(row, 0, name)
        page.write_string(row, 1, value)
