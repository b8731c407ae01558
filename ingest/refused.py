"""Refused rows that still wait: which they are, and the workbook in which a person corrects them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from engine.schema.warehouse import Warehouse
from ingest.declared import sources
from ingest.refusals import REFUSED_SCHEMA
from ingest.store import CORRECTIONS

# (key in the hidden first row, title) of the columns before the cells; a row is known again by load, sheet and row.
PLACE = (
    ("source", "来源 source"), ("table", "表 table"), ("load_id", "导入批次 load"), ("file", "文件 file"),
    ("sheet", "工作表 sheet"), ("row", "行号 row"), ("code", "代码 code"), ("column", "列 column"),
    ("zh", "退回原因"), ("en", "why it was refused"),
)  # fmt: skip
WAS, NOW = "was:", "now:"
_ROWS_A_SHEET = 500_000
_LONGEST_CELL = 32_767

CORRECTION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "sheet": pl.String, "row": pl.Int32, "of_load": pl.String, "of_sheet": pl.String, "of_row": pl.Int32,
    "base_load": pl.String, "base_file": pl.String, "base_sheet": pl.String, "base_row": pl.Int32,
    "field": pl.String, "header": pl.String, "was": pl.String, "now": pl.String,
}  # fmt: skip


def live_loads(warehouse: Warehouse, source: str | None = None, year: int | None = None) -> list[dict[str, Any]]:
    """Ledger rows of the loads that count, oldest first."""
    with warehouse.read() as db:
        rows = db.execute(
            "SELECT * FROM loads WHERE superseded_by IS NULL AND (? IS NULL OR source = ?) AND (? IS NULL OR year = ?) "
            "ORDER BY received_at",
            (source, source, year, year),
        ).fetchall()
    return [dict(row) for row in rows]


def corrections(warehouse: Warehouse, loads: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Every corrected cell of the given loads: where it stands (``load_id, sheet, row``), of which row, was and now."""
    files = [(x["load_id"], warehouse.refused / x["source"] / f"{x['load_id']}.{CORRECTIONS}") for x in loads]
    parts = [pl.read_parquet(f, glob=False).with_columns(load_id=pl.lit(i)) for i, f in files if f.is_file()]
    return pl.concat(parts) if parts else pl.DataFrame(schema={**CORRECTION_SCHEMA, "load_id": pl.String})


def open_rows(warehouse: Warehouse, source: str | None = None, year: int | None = None) -> pl.DataFrame:
    """Refused rows (with ``year``) that nobody has corrected yet. One that was corrected and refused again is listed
    once, as the row of the workbook in which it was corrected."""
    loads = live_loads(warehouse, source, year)
    parts = [
        pl.read_parquet(file, glob=False).with_columns(year=pl.lit(load["year"], dtype=pl.Int32))
        for load in loads
        if load["refused"] and (file := warehouse.refused / load["source"] / f"{load['load_id']}.parquet").is_file()
    ]
    if not parts:
        return pl.DataFrame(schema={**REFUSED_SCHEMA, "year": pl.Int32})
    done = corrections(warehouse, loads).select(load_id="of_load", sheet="of_sheet", row="of_row").unique()
    return pl.concat(parts).join(done, on=["load_id", "sheet", "row"], how="anti", maintain_order="left")


# --- export ------------------------------------------------------------------------------------------------------


def export(
    warehouse: Warehouse,
    out: Path,
    source: str | None = None,
    year: int | None = None,
    *,
    only: list[tuple[str, str, int]] | None = None,
) -> dict[str, Any]:
    """Write the open refused rows to a workbook, a sheet per source and table; to a folder, one workbook per source.

    ``only``: these (load, sheet, row). ``{rows, files: [{file, source?, rows}]}``. Beside every cell as it came stands an empty one for its correction.
    """
    rows = open_rows(warehouse.require(), source, year)
    if only is not None:
        kept = pl.DataFrame(only, schema={"load_id": pl.String, "sheet": pl.String, "row": pl.Int32}, orient="row")
        rows = rows.join(kept, on=["load_id", "sheet", "row"], how="semi", nulls_equal=True, maintain_order="left")
    if rows.is_empty():
        return {"rows": 0, "files": []}
    if out.suffix.lower() == ".xlsx":
        parts = {out: rows}
    else:
        parts = {out / f"{name}.xlsx": part for (name,), part in rows.group_by("source", maintain_order=True)}
    for file, part in parts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, part)
    told = [{"file": str(f), "source": sorted(set(p["source"])), "rows": p.height} for f, p in parts.items()]
    return {"rows": rows.height, "files": told}


def _write(file: Path, rows: pl.DataFrame) -> None:
    part = file.with_name(f".{file.name}.part")
    with xlsxwriter.Workbook(str(part), {"constant_memory": True}) as book:
        formats = {
            "text": book.add_format({"num_format": "@"}),
            "head": book.add_format({"bold": True, "bg_color": "#DDDDDD", "text_wrap": True, "valign": "top"}),
            "now": book.add_format({"num_format": "@", "bg_color": "#FFF7CC"}),
        }
        for (source, table), found in rows.group_by("source", "table", maintain_order=True):
            for number, chunk in enumerate(found.iter_slices(_ROWS_A_SHEET)):
                name = f"{source}.{table}"[:28] + (f" {number + 1}" if number else "")
                _sheet(book.add_worksheet(name), chunk, formats)
    part.replace(file)


def _sheet(sheet: Any, rows: pl.DataFrame, formats: dict[str, Any]) -> None:
    raws = [json.loads(raw) for raw in rows["raw"]]
    fields = list(dict.fromkeys(name for raw in raws for name in raw))
    titles = _titles(str(rows["source"][0]), str(rows["table"][0]), fields)
    keys = [*(key for key, _ in PLACE), *(k for f in fields for k in (WAS + f, NOW + f))]
    heads = [*(title for _, title in PLACE), *(t for f in fields for t in (titles[f], f"更正 correction: {titles[f]}"))]
    sheet.freeze_panes(2, 6)
    sheet.set_column(0, len(keys) - 1, 16)
    sheet.set_column(8, 9, 48)
    sheet.set_row(0, None, None, {"hidden": True})
    for at, key in enumerate(keys):
        sheet.write_string(0, at, key)
    for at, head in enumerate(heads):
        sheet.write_string(1, at, head, formats["head"])
    for line, (row, raw) in enumerate(zip(rows.iter_rows(named=True), raws, strict=True), 2):
        for at, (key, _) in enumerate(PLACE):
            sheet.write_string(line, at, _cell(row[key]), formats["text"])
        for at, field in enumerate(fields):
            sheet.write_string(line, len(PLACE) + 2 * at, _cell(raw.get(field)), formats["text"])
            sheet.write_blank(line, len(PLACE) + 2 * at + 1, None, formats["now"])


def _titles(source: str, table: str, fields: list[str]) -> dict[str, str]:
    """A field's first declared header with its name: what an official and a declaration call it."""
    declared = sources().get(source)
    known = declared.tables[table].fields if declared and table in declared.tables else {}
    return {f: f"{known[f].headers[0]} ({f})" if f in known and known[f].headers else f for f in fields}


def _cell(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST_CELL]
