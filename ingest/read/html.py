"""HTML saved under the name .xls, as web systems export it: every outermost table is a sheet."""

from __future__ import annotations

from pathlib import Path

from lxml import etree
from lxml import html as lxml_html

from ingest.read.sheet import Sheet, from_rows, unreadable
from ingest.read.text import decoded, sniff

_MAX_SPAN = 1000
# A page is held as a tree, a table as a grid.
_MAX_BYTES, _MAX_CELLS = 24 << 20, 2_000_000


def open_sheets(path: Path) -> list[Sheet]:
    """One sheet a table; spanned cells hold their text in the first cell, as a spreadsheet's merged cells do."""
    if (size := path.stat().st_size) > _MAX_BYTES:
        raise unreadable(path, f"a page of {size >> 20} MB (limit 24)", f"网页有 {size >> 20} MB（上限 24）")
    text = "".join(decoded(path, sniff(path))).lstrip("\ufeff \r\n\t")
    # lxml refuses text that declares an encoding: it is already decoded.
    if text.startswith("<?xml"):
        text = text.split("?>", 1)[-1]
    try:
        tree = lxml_html.document_fromstring(text)
    except etree.ParserError as error:
        raise unreadable(path, str(error), str(error)) from None
    try:
        tables = [_cells(t) for t in tree.iter("table") if next(t.iterancestors("table"), None) is None]
    except OverflowError:
        raise unreadable(path, "a table of more than two million cells", "表格超过两百万个单元格") from None
    found = [rows for rows in tables if any(any(r) for r in rows)]
    return [from_rows(f"table{i}" if len(found) > 1 else "", "html", rows) for i, rows in enumerate(found, 1)]


def _cells(table: lxml_html.HtmlElement) -> list[list[str | None]]:
    spanned = set(table.xpath(".//*[@rowspan or @colspan]/.."))
    grid: list[dict[int, str | None]] = []
    placed = 0
    for at, row in enumerate(_rows(table)):
        while len(grid) <= at:
            grid.append({})
        cells = row.iterchildren("td", "th")
        if grid[at] or row in spanned:
            placed += sum(_place(grid, at, cell) for cell in cells)
        else:
            grid[at] = dict(enumerate(map(_text, cells)))
            placed += len(grid[at])
        if placed > _MAX_CELLS:
            raise OverflowError
    return [[r.get(i) for i in range(max(r, default=-1) + 1)] for r in grid]


def _rows(table: lxml_html.HtmlElement) -> list[lxml_html.HtmlElement]:
    """The rows of this table, not of tables inside it."""
    return [r for r in table.iter("tr") if next(r.iterancestors("table")) is table]


def _place(grid: list[dict[int, str | None]], at: int, cell: lxml_html.HtmlElement) -> int:
    """Put a cell where its row has room; how many places it takes."""
    column = 0
    while column in grid[at]:
        column += 1
    text = _text(cell)
    rows, columns = _span(cell, "rowspan"), _span(cell, "colspan")
    for down in range(rows):
        while len(grid) <= at + down:
            grid.append({})
        for right in range(columns):
            grid[at + down][column + right] = text if down == right == 0 else None
    return rows * columns


def _text(cell: lxml_html.HtmlElement) -> str | None:
    text = cell.text_content() if len(cell) else cell.text or ""
    return " ".join(text.split()) or None


def _span(cell: lxml_html.HtmlElement, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), _MAX_SPAN) if value.isdigit() else 1
