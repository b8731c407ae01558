"""Every page of the PDF documents compared with pictures that were looked at: nothing is lost, moved or set over another.

PERMU_WRITE_GOLDEN=1 writes the pictures anew; look at them before they are committed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageChops

from api.documents.checkup import check_up
from api.documents.checkup_pdf import checkup_pages
from api.documents.year import year_pages
from api.exports.notes import origin_lines
from api.exports.provenance import Provenance
from engine.query import Board, Selection
from engine.releases import find
from engine.schema.warehouse import Warehouse

GOLDEN = Path(__file__).parents[2] / "golden"
PPI, ABREAST, CELL = 45, 4, 8  # a cell is 4.5 mm wide
A4 = 297 / 25.4  # its height, inches
# Of 255. Seen: 1 and 0.1 between the fonts of Debian 12 and 13, 9 and 1.1 between two runs, whose ids and times differ.
CELLS_APART, ROWS_APART = 15.0, 2.0
Pages = Callable[[Warehouse], list[bytes]]


def _origin(board: Board) -> Provenance:
    """Of one day, whoever asks."""
    return replace(Provenance.of(board, {}, "test", "draft"), exported_at="2026-01-02T00:00:00+00:00")


def _report(home: Warehouse) -> list[bytes]:
    board = Board(find(home, None, 2024, "huaian-2024"))
    return year_pages(board, Selection.parse(), _origin(board), PPI)


def _check_up(home: Warehouse) -> list[bytes]:
    """Of the first enterprise of grade B by its id."""
    release = find(home, None, 2024, "huaian-2024")
    origin, graded = _origin(Board(release)), release.rankings.filter(pl.col("grade") == "B")
    found = check_up(release, graded["enterprise_id"].sort()[0])
    return checkup_pages(found, origin, origin_lines(origin, "zh"), PPI)


DOCUMENTS: dict[str, Pages] = {"report-pages": _report, "check-up-pages": _check_up}


def sheet(pages: list[bytes]) -> Image.Image:
    """All pages as one grey picture, four abreast."""
    shown = [Image.open(io.BytesIO(page)).convert("L") for page in pages]
    width, height = shown[0].size
    whole = Image.new("L", (width * ABREAST, height * -(-len(shown) // ABREAST)), 255)
    for at, page in enumerate(shown):
        whole.paste(page, (at % ABREAST * width, at // ABREAST * height))
    return whole


def apart(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """How far two pictures are from each other: the greatest difference of a cell, and of a page's row of cells."""
    between = abs(np.subtract(*(np.asarray(picture.reduce(CELL), dtype=float) for picture in (one, other))))
    pages = np.array_split(between, ABREAST, axis=1)
    return float(between.max()), float(max(page.mean(axis=1).max() for page in pages))


def same(one: Image.Image, other: Image.Image) -> bool:
    """Whether nothing but ids, times and the font's version tells two pictures apart."""
    cell, row = apart(one, other)
    return one.size == other.size and cell <= CELLS_APART and row <= ROWS_APART


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pages_look_as_they_did(demo_home: Warehouse, name: str, tmp_path: Path) -> None:
    made, place = sheet(DOCUMENTS[name](demo_home)), GOLDEN / f"{name}.png"
    if os.environ.get("PERMU_WRITE_GOLDEN"):
        made.save(place, optimize=True)
    made.save(tmp_path / place.name)
    golden = Image.open(place)
    assert made.size == golden.size, "another count of pages"
    assert same(made, golden), f"{apart(made, golden)}: look at {tmp_path / place.name} beside {place}"


def _without(picture: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    found = picture.copy()
    found.paste(255, box)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_tolerance_lets_no_fault_pass(name: str) -> None:
    """A line lost from any page, or everything a pixel to the side or lower: each is seen."""
    golden = Image.open(GOLDEN / f"{name}.png")
    width, height = golden.width // ABREAST, round(PPI * A4)
    inked = np.asarray(golden) < 160
    lines = 0
    for top in range(0, golden.height, height):
        for left in range(0, golden.width, width):
            shown = inked[top : top + height, left : left + width].sum(axis=1)
            rows = [y for y in range(30, height - 60) if shown[y] > 12]
            lines += len(rows[::15])
            for y in rows[::15]:
                lost = (left, top + y - 4, left + width, top + y + 5)
                assert not same(golden, _without(golden, lost)), lost
    assert lines > 10
    assert not same(golden, ImageChops.offset(golden, 0, 1)) and not same(golden, ImageChops.offset(golden, 1, 0))
    assert same(golden, golden)
