"""The spreadsheet that an official hands on: title, origin, units, frozen header, filter, formats, notes.

xlsxwriter makes everything but the tables' rows, which :mod:`api.exports.cells` writes a column at a time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from api.exports.notes import About, Notes, about, notes
from api.exports.package import packed, whole
from api.exports.provenance import Provenance
from api.exports.sheets import Page, pages, titles
from api.exports.table import Sheet
from engine.schema.columns import column

GRADE_COLOURS = {"A": "#D5EBDD", "B": "#DCE8F5", "C": "#FBEFD0", "D": "#F6D9D5", "T": "#E7E7E7"}
HEADER_ROW = 4  # 0-based: title, origin, (empty), a line on units, titles, units
FIRST_ROW = HEADER_ROW + 2
_CENTRED = ("grade", "grade_initial", "size", "scale_group", "grade_before", "grade_after", "grade_a", "grade_b")
_WIDTHS = {
    "name": 32,
    "uscc": 20,
    "enterprise_id": 20,
    "industry_name": 22,
    "region_name": 13,
    "flags": 16,
    "release_id": 26,
}
_NARROW = ("rank", "of", "percentile", "industry_code", "region_code", "zone_code", "size", "scale_group", "grade")
_A3, _A4 = 8, 9
_LINE = 15  # height of a line, points
_READABLE = 330  # widths of columns that A3 across still shows in 6 points
# text stays text: nothing is turned into a formula, a link or a number
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
    "nan_inf_to_errors": False,
}


@dataclass(frozen=True)
class Prepared:
    """A workbook's tables, packed; who asks and when is added by :meth:`finish`. Depends on the question alone."""

    pages: tuple[Page, ...]
    about: About
    lang: str
    part: bytes

    def finish(self, origin: Provenance) -> bytes:
        """The whole file for one export."""
        return whole(self.part, _skeleton(self.pages, notes(self.about, origin, self.lang), self.lang))

    def __len__(self) -> int:
        return len(self.part)


def prepare(sheet: Sheet, origin: Provenance, lang: str, split: bool = False) -> Prepared:
    """The sheet's tables, packed; of ``origin`` only what does not change from one export to the next is in it."""
    found = pages(sheet, lang, split)
    told, listed = about(sheet, lang), tuple(page for page, _ in found)
    skeleton = _skeleton(listed, notes(told, origin, lang), lang)
    first = 2 if len(found) > 1 else 1  # before several sheets stands their list
    part = packed(skeleton, [(n, frame) for n, (_, frame) in enumerate(found, first)], FIRST_ROW + 1)
    return Prepared(listed, told, lang, part)


def _skeleton(listed: tuple[Page, ...], told: Notes, lang: str) -> bytes:
    """Every sheet without the tables' rows; the table sheets first, so that their strings do not depend on the notes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    if len(listed) > 1:
        _contents(book, book.add_worksheet("目录" if lang == "zh" else "Contents"), listed, told, lang)
    for page in listed:
        _fill(book, book.add_worksheet(page.name), page, told, lang)
    _notes(book, book.add_worksheet("说明" if lang == "zh" else "Notes"), told)
    book.set_properties({"title": told.heading[0], "comments": told.heading[1], "author": "permu"})
    book.close()
    return out.getvalue()


def _contents(book: xlsxwriter.Workbook, sheet: Worksheet, listed: tuple[Page, ...], told: Notes, lang: str) -> None:
    """The list of the sheets, each a link, with how many are listed and of how many."""
    heads = ("分组", "名单行数", "参评数") if lang == "zh" else ("Group", "Listed", "Of")
    head, link = _header_formats(book)[0], book.add_format({"font_color": "#1F4E79", "underline": 1})
    count = book.add_format({"num_format": "#,##0"})
    _heading(book, sheet, told.heading)
    sheet.write_row(HEADER_ROW, 0, heads, head)
    for row, page in enumerate(listed, HEADER_ROW + 1):
        sheet.write_url(row, 0, f"internal:'{page.name.replace(chr(39), chr(39) * 2)}'!A1", link, page.group)
        sheet.write_number(row, 1, page.rows, count)
        sheet.write_number(row, 2, page.of or 0, count)
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 2, 12)
    sheet.freeze_panes(HEADER_ROW + 1, 0)
    _paper(sheet, _A4, 1, (HEADER_ROW, HEADER_ROW))


def _heading(book: xlsxwriter.Workbook, sheet: Worksheet, lines: tuple[str, str]) -> None:
    sheet.write_string(0, 0, lines[0], book.add_format({"bold": True, "font_size": 15}))
    sheet.write_string(1, 0, lines[1], book.add_format({"font_color": "#555555"}))


def _fill(book: xlsxwriter.Workbook, sheet: Worksheet, page: Page, told: Notes, lang: str) -> None:
    title, second = told.heading
    _heading(book, sheet, (f"{title}（{page.group}）" if page.group else title, second))
    _header(book, sheet, page, lang)
    for place, (name, text) in enumerate(zip(page.columns, page.text, strict=True)):
        _column(book, sheet, place, name, text)
    last = FIRST_ROW + max(page.rows - 1, 0)
    if "grade" in page.columns:
        _grades(book, sheet, page.columns.index("grade"), last)
    sheet.autofilter(HEADER_ROW + 1, 0, last, len(page.columns) - 1)
    frozen = page.columns.index("name") + 1 if "name" in page.columns else 0
    sheet.freeze_panes(FIRST_ROW, frozen)
    wide = sum(_width(n, t) for n, t in zip(page.columns, page.text, strict=True))
    _paper(sheet, _A3, 1 if wide <= _READABLE else 2, (HEADER_ROW, HEADER_ROW + 1))


def _header_formats(book: xlsxwriter.Workbook) -> tuple[Format, Format]:
    base = {"bg_color": "#EEF1F4", "text_wrap": True, "valign": "vcenter", "align": "center"}
    bold, light = {**base, "bold": True, "top": 1}, {**base, "font_color": "#555555", "bottom": 1}
    return book.add_format(bold), book.add_format(light)


def _header(book: xlsxwriter.Workbook, sheet: Worksheet, page: Page, lang: str) -> None:
    """Titles in the asked language over titles in the other one with the unit: the filter sits on the unit row."""
    bold, light = _header_formats(book)
    sheet.write_string(
        HEADER_ROW - 1, 0, "单位见表头第二行" if lang == "zh" else "units stand in the second header row"
    )
    lines = 1
    for place, (title, unit) in enumerate(titles(page, lang)):
        sheet.write_string(HEADER_ROW, place, title, bold)
        sheet.write_string(HEADER_ROW + 1, place, unit, light)
        lines = max(lines, -(-len(unit) // _width(page.columns[place], page.text[place])))
    sheet.set_row(HEADER_ROW, 48)
    sheet.set_row(HEADER_ROW + 1, _LINE * lines)  # a unit in English wraps


def _column(book: xlsxwriter.Workbook, sheet: Worksheet, place: int, name: str, text: bool) -> None:
    """A column's width, and two empty cells that show its styles: as it is, and for text that looks like a formula."""
    style: dict[str, Any] = {
        "border": 1,
        "border_color": "#D5DADF",
        "num_format": "@" if text else column(name).number_format,
    }
    if name in _CENTRED:
        style["align"] = "center"
    elif text:
        style["indent"] = 1
    sheet.set_column(place, place, _width(name, text))
    sheet.write_blank(FIRST_ROW, place, None, book.add_format(style))
    sheet.write_blank(FIRST_ROW + 1, place, None, book.add_format(style | ({"quote_prefix": True} if text else {})))


def _width(name: str, text: bool) -> int:
    return _WIDTHS.get(name, 10 if name in _NARROW else 14 if text or "__" in name else 12)


def _grades(book: xlsxwriter.Workbook, sheet: Worksheet, place: int, last: int) -> None:
    for grade, colour in GRADE_COLOURS.items():
        colours = book.add_format({"bg_color": colour})
        rule = {"type": "cell", "criteria": "==", "value": f'"{grade}"', "format": colours}
        sheet.conditional_format(FIRST_ROW, place, last, place, rule)


def _paper(sheet: Worksheet, paper: int, across: int, repeated: tuple[int, int]) -> None:
    """Landscape, so many pages wide and as long as it gets, the header on every page."""
    sheet.set_landscape()
    sheet.set_paper(paper)
    sheet.set_margins(0.4, 0.4, 0.6, 0.6)
    sheet.fit_to_pages(across, 0)
    sheet.repeat_rows(*repeated)
    sheet.set_footer("&L&A&C&P / &N")


def _notes(book: xlsxwriter.Workbook, sheet: Worksheet, told: Notes) -> None:
    sheet.set_column(0, 0, 30, book.add_format({"bold": True, "valign": "top"}))
    sheet.set_column(1, 1, 90, book.add_format({"text_wrap": True, "valign": "top"}))
    for row, (name, value) in enumerate(told.lines):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
