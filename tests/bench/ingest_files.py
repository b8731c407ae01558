"""The files that the ingest benchmarks read: seeded state tax payments, twelve months of every enterprise."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import polars as pl

HEADERS = ["纳税人识别号", "纳税人名称", "税款所属期", "增值税（元）", "应税销售收入（元）"]
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_STEP = 100_000


def frames(rows: int) -> Iterator[pl.DataFrame]:
    """The rows in pieces, month after month; ``rows`` is a multiple of twelve or is cut off."""
    enterprises = _enterprises(-(-rows // 12))
    rng, left = np.random.default_rng(1), rows
    for month in range(1, 13):
        for part in enterprises.iter_slices(_STEP):
            part = part.head(left)
            left -= part.height
            yield part.with_columns(
                pl.lit(f"2024-{month:02d}").alias(HEADERS[2]),
                pl.Series(HEADERS[3], (rng.random(part.height) * 1e6).round(2)),
                pl.Series(HEADERS[4], (rng.random(part.height) * 1e8).round(2)),
            )


def _enterprises(count: int) -> pl.DataFrame:
    body = np.char.add("91320583", np.char.zfill(np.arange(count).astype("U9"), 9))
    values = np.array([_ALPHABET.index(chr(c)) if chr(c) in _ALPHABET else 0 for c in range(128)])
    weights = np.array([pow(3, place, 31) for place in range(17)])
    sums = (values[body.astype("S17").view("u1").reshape(-1, 17)] * weights).sum(axis=1)
    check = np.array(list(_ALPHABET))[(31 - sums % 31) % 31]
    numbers = pl.int_range(count, eager=True).cast(pl.String)
    names = pl.Series(["示例测试"]).new_from_index(0, count) + numbers + "有限公司"
    return pl.DataFrame({HEADERS[0]: np.char.add(body, check), HEADERS[1]: names})


def write_csv(folder: Path, rows: int) -> Path:
    """UTF-8, no byte order mark."""
    path = folder / "税收.csv"
    with path.open("wb") as file:
        for i, frame in enumerate(frames(rows)):
            frame.write_csv(file, include_header=i == 0, float_precision=2)
    return path


def write_gb18030(folder: Path, rows: int) -> Path:
    """As departments' systems still write it."""
    path = folder / "税收.csv"
    with path.open("wb") as file:
        for i, frame in enumerate(frames(rows)):
            file.write(frame.write_csv(include_header=i == 0, float_precision=2).encode("gb18030"))
    return path


def write_xlsx(folder: Path, rows: int) -> Path:
    """A workbook as Excel writes it: shared strings, numbers as numbers."""
    path = folder / "税收.xlsx"
    shared: dict[str, int] = {h: i for i, h in enumerate(HEADERS)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in _PARTS.items():
            book.writestr(name, text)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><dimension ref="A1:E{rows + 1}"/><sheetData>'.encode())
            sheet.write(_row(1, "".join(_text_cell(c, 1, i) for i, c in enumerate("ABCDE"))).encode())
            at = 2
            for frame in frames(rows):
                sheet.write(_rows(frame, at, shared).encode())
                at += frame.height
            sheet.write(b"</sheetData></worksheet>")
        items = "".join(f"<si><t>{escape(text)}</t></si>" for text in shared)
        book.writestr("xl/sharedStrings.xml", f'{_XML}<sst xmlns="{_MAIN}" uniqueCount="{len(shared)}">{items}</sst>')
    return path


def _rows(frame: pl.DataFrame, at: int, shared: dict[str, int]) -> str:
    lines = []
    for number, (*texts, vat, sales) in enumerate(frame.iter_rows(), at):
        places = [shared.setdefault(t, len(shared)) for t in texts]
        cells = "".join(_text_cell(c, number, i) for c, i in zip("ABC", places, strict=True))
        lines.append(_row(number, f'{cells}<c r="D{number}"><v>{vat}</v></c><c r="E{number}"><v>{sales}</v></c>'))
    return "".join(lines)


def _row(number: int, cells: str) -> str:
    return f'<row r="{number}">{cells}</row>'


def _text_cell(column: str, row: int, place: int) -> str:
    return f'<c r="{column}{row}" t="s"><v>{place}</v></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="税收" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
}
