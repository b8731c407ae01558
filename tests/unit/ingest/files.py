"""What the tests of ingest share: files as departments write them, loads, and the rows that they gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from engine.schema.warehouse import Warehouse
from ingest.load import LoadReport, ingest

A, B, C = "91110108551385082Q", "91110000600037341L", "91310112087994932F"


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """A text file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    """An .xlsx file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


def one(warehouse: Warehouse, path: Path, source: str, **options: Any) -> LoadReport:
    """Load one file; no row may be lost."""
    (report,) = ingest(warehouse, [path], source=source, **options)
    assert report.rows_in == report.kept + report.refused + report.furniture
    return report


def kept(warehouse: Warehouse, report: LoadReport, table: str) -> pl.DataFrame:
    """The canonical rows of a load."""
    return pl.read_parquet(warehouse.canonical / report.source / report.load_id / f"{table}.parquet", glob=False)


def refused(warehouse: Warehouse, report: LoadReport) -> pl.DataFrame:
    """The refused rows of a load."""
    return pl.read_parquet(warehouse.refused / report.source / f"{report.load_id}.parquet", glob=False)


def counting(warehouse: Warehouse, source: str, table: str, year: int = 2024) -> pl.DataFrame:
    """The rows of a year that count now, as the merge reads them."""
    from ingest.canonical import Year

    rows = Year(warehouse, year).scan(source, table)
    assert rows is not None
    return rows.collect()


def ledger(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """load_id → its ledger row."""
    with warehouse.read() as db:
        rows = [dict(r) for r in db.execute("SELECT * FROM loads ORDER BY received_at")]
    return {r["load_id"]: r | {"understood": json.loads(r["understood"])} for r in rows}
