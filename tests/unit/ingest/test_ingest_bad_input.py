"""Files that were made to break a reader: each is refused in one line that says why."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import msoffcrypto
import pytest

from engine.schema.errors import PermuError
from ingest.read import batches, open_file
from tests.fuzzing import Opener
from tests.unit.ingest import seeds

MEGABYTE = 1 << 20


def why(path: Path) -> str:
    with pytest.raises(PermuError) as error:
        for sheet in open_file(path):
            list(batches(sheet, path))
    assert error.value.code == "unreadable_file"
    assert "\n" not in error.value.en
    return error.value.en


def workbook(path: Path, rows: str, dimension: str = "A1") -> Path:
    """The smallest workbook that Excel opens, with ``rows`` as its sheet's XML."""
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    office, package = (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://schemas.openxmlformats.org/package/2006/",
    )
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet {main}><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return path


def letters(index: int) -> str:
    out = ""
    while index >= 0:
        index, rest = divmod(index, 26)
        out, index = chr(65 + rest) + out, index - 1
    return out


def test_a_million_empty_columns_cost_nothing(tmp_path: Path) -> None:
    empty = "".join(f'<c r="{letters(i)}1" s="3"/>' for i in range(1_000_000))
    path = workbook(tmp_path / "a.xlsx", f'<row r="1">{empty}</row><row r="2"><c r="A2"><v>1</v></c></row>')
    with Opener(30) as opener:
        verdict = opener.open(path)
    assert verdict.what == "ok"
    assert verdict.peak_mb < 1000


def test_a_million_columns_of_empty_text(tmp_path: Path) -> None:
    cells = "".join(f'<c r="{letters(i)}1" t="inlineStr"><is><t></t></is></c>' for i in range(1_000_000))
    assert "columns" in why(workbook(tmp_path / "a.xlsx", f'<row r="1">{cells}</row>'))


FAR = [
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c><c r="BDWGN1"><v>2</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c t="str" r="ABC1048576"><v>2</v></c></row>',
]


@pytest.mark.parametrize("rows", FAR)
def test_cells_far_apart(tmp_path: Path, rows: str) -> None:
    assert "columns" in why(workbook(tmp_path / "a.xlsx", rows))


def test_a_sheet_that_overstates_its_size_is_read(tmp_path: Path) -> None:
    (sheet,) = open_file(workbook(tmp_path / "a.xlsx", '<row r="1"><c r="B2"><v>1</v></c></row>', "A1:XFD1048576"))
    assert sheet.rows is not None
    assert sheet.rows <= 2


def test_a_workbook_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", "")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed, packed.open("xl/sharedStrings.xml", "w") as out:
        for _ in range(100):
            out.write(b" " * MEGABYTE)
    assert "unpacks to" in why(path)


@pytest.mark.parametrize(("password", "read"), [("VelvetSweatshop", True), ("another", False)])
def test_encrypted_workbooks(tmp_path: Path, password: str, read: bool) -> None:
    plain = io.BytesIO()
    seeds.usage().write_excel(plain)
    plain.seek(0)
    path = tmp_path / "a.xlsx"
    with path.open("wb") as out:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt(password, out)
    if read:
        assert [s.rows for s in open_file(path)] == [seeds.ROWS + 1]
    else:
        assert "password" in why(path)


def test_yearbook_an_old_workbook_with_another_password(shared: Path, tmp_path: Path) -> None:
    data = bytearray((shared / "real" / "yearbook" / "raw-01-operation" / "raw-2010.xls").read_bytes())
    at = data.index(b"\x2f\x00\x36\x00")  # the record that holds salt and verifier
    data[at + 10] ^= 0xFF
    (tmp_path / "a.xls").write_bytes(data)
    assert "password" in why(tmp_path / "a.xls")


KINDS = [
    ("a.csv", b"%PDF-1.7\n1 0 obj", "PDF"),
    ("a.xlsx", b"%PDF-1.7\n1 0 obj", "PDF"),
    ("a.csv", b"\x1f\x8b\x08\0\0\0", "gzip"),
    ("a.csv", b"Rar!\x1a\x07", "RAR"),
    ("a.csv", b"\0" * 100, "empty"),
    ("a.csv", b"a,b\0\0\n", "binary"),
    ("a.xls", b"<?xml version='1.0'?><a/>", "XML"),
    ("a.zip", b"PK\x05\x06" + b"\0" * 18, "binary"),
    ("a.feather", b"FEA1\0\0\0\0", "Feather"),
]


@pytest.mark.parametrize(("name", "content", "word"), KINDS)
def test_what_it_is_not(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert word in why(tmp_path / name)


def test_a_page_whose_cells_span_everything(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_text("<html><table>" + "<tr><td rowspan=1000 colspan=1000>1</td></tr>" * 50, "utf-8")
    assert "two million cells" in why(tmp_path / "a.xls")


ENDLESS = {
    "one line.csv": (b"", b"x"),
    "second line.csv": ("户号,户名,月份,用电量\n1,".encode(), b"x"),
    "commas.csv": ("户号,户名,月份,用电量\n".encode(), b"1,"),
    "gbk.csv": ("户号,户名,月份,用电量\n1,".encode("gbk"), "中".encode("gbk")),
    "utf-16.csv": (b"\xff\xfe", "中".encode("utf-16-le")),
    "quoted.csv": ('户号,户名\n1,"'.encode(), b"x,\n"),
    "page.xls": (b"<html><table>", b"<tr><td>1</td><td>2</td></tr>"),
    "a.geojson": (b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":"', b"x"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_two_hundred_megabytes_without_an_end(tmp_path: Path, name: str) -> None:
    start, piece = ENDLESS[name]
    path = tmp_path / name
    with path.open("wb") as out:
        out.write(start)
        for _ in range(200):
            out.write(piece * (MEGABYTE // len(piece)))
    with Opener(60) as opener:
        verdict = opener.open(path)
    path.unlink()
    assert verdict.what == "unreadable_file"
    assert verdict.peak_mb < 600
    assert verdict.seconds < 30
