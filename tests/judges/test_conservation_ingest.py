"""Every file under ../shared/real that a reader opens: rows in = kept + refused + furniture, and no row of it unread."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.declared import load_mapping, sources
from ingest.load import ingest
from ingest.map import understand
from ingest.read import Sheet, batches, open_file
from ingest.values import SPACES

MAPPINGS = Path(__file__).parent / "mappings"
_PARTS = (".shx", ".dbf", ".prj", ".cpg", ".xml")


def real_files(shared: Path) -> list[Path]:
    return sorted(f for f in (shared / "real").rglob("*") if f.is_file() and f.suffix.lower() not in _PARTS)


def not_empty(sheet: Sheet, path: Path) -> int:
    """Rows with something in them, counted apart from the loader."""
    held = 0
    for cells in batches(sheet, path):
        texts = [pl.col(c).str.strip_chars(SPACES).replace("", None).is_not_null() for c in sheet.columns]
        shapes = [pl.col(c).is_not_null() for c in cells.columns if c == "geometry"]
        held += int(cells.select(pl.any_horizontal([*texts, *shapes]).sum()).item())
    return held


def declaration(path: Path, sheets: list[Sheet]) -> tuple[str, Path | None] | None:
    """The source, or the mapping file of these tests, by which a file is understood; None where nothing fits."""
    ways = [(load_mapping(m), m) for m in sorted(MAPPINGS.glob("*.yaml"))]
    for source, mapping in [*ways, *((s, None) for s in sources().values())]:
        try:
            understand(path, sheets, source, mapping is not None)
        except PermuError:
            continue
        return source.source, mapping
    return None


def test_lebanon_landchina_yearbook_power_boundaries_no_row_is_lost(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: Counter[str] = Counter()
    for number, path in enumerate(real_files(shared)):
        try:
            sheets = open_file(path)
        except PermuError as error:
            seen[f"not opened: {error.code}"] += 1
            continue
        whole = {s.name: not_empty(s, path) for s in sheets}
        way = declaration(path, sheets)
        if way is None:
            seen["read, no declaration fits"] += 1
            assert sum(whole.values()) > 0, path
            continue
        (report,) = ingest(
            Warehouse(tmp_path / str(number)), [path], source=way[0], mapping=way[1], year=2020, dry_run=True
        )
        used = {sheet["sheet"] for sheet in report.understood["sheets"]}  # type: ignore[attr-defined]
        assert report.rows_in == report.kept + report.refused + report.furniture, path
        assert report.rows_in == sum(whole[name] for name in used), path
        seen["conserved"] += 1
    with capsys.disabled():
        print(f"\nreal files: {dict(seen)}")
    assert seen["conserved"] >= 50
    assert seen["conserved"] + seen["read, no declaration fits"] == sum(seen.values())
