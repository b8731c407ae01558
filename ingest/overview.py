"""What is declared and what was loaded: the answers of ``permu sources`` and ``permu status``."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import polars as pl

from engine.schema.warehouse import Warehouse
from ingest import declarations


def sources(name: str | None = None) -> list[dict[str, Any]]:
    """Every declared source, or one: its tables with their fields and headers."""
    found = [declarations.find_source(name)] if name else list(declarations.sources().values())
    return [
        {
            "source": one.source,
            "title": one.title,
            "tables": [
                {
                    "table": table,
                    "fields": list(declared.fields),
                    "headers": {f: field.headers for f, field in declared.fields.items()},
                }
                for table, declared in one.tables.items()
            ],
        }
        for one in found
    ]


def status(warehouse: Warehouse, year: int | None = None) -> dict[str, Any]:
    """``coverage`` by source and year (loads, rows, months held), ``refused`` by reason, ``review`` (records that no
    enterprise was found for, by reason) and ``disputes`` of each year's newest merge."""
    with warehouse.read() as db:
        loads = db.execute(
            "SELECT * FROM loads WHERE superseded_by IS NULL AND (? IS NULL OR year = ?) ORDER BY source, year, load_id",
            (year, year),
        ).fetchall()
        merges = db.execute(
            "SELECT year, merge_id, counts, MAX(created_at) FROM merges WHERE (? IS NULL OR year = ?) GROUP BY year",
            (year, year),
        ).fetchall()
    refused: dict[str, int] = {}
    for load in loads:
        for reason, count in json.loads(load["reasons"]).items():
            refused[reason] = refused.get(reason, 0) + count
    return {
        "coverage": _coverage(warehouse, loads),
        "refused": refused,
        "review": _review(warehouse, merges),
        "disputes": _disputes(merges),
    }


def _coverage(warehouse: Warehouse, loads: list[sqlite3.Row]) -> list[dict[str, Any]]:
    lines: dict[tuple[str, int], dict[str, Any]] = {}
    for load in loads:
        key = (load["source"], load["year"])
        line = lines.setdefault(
            key, {"source": key[0], "year": key[1], "loads": 0, "rows_in": 0, "kept": 0, "refused": 0, "months": set()}
        )
        line["loads"] += 1
        for count in ("rows_in", "kept", "refused"):
            line[count] += load[count]
        line["months"] |= _months(warehouse, load)
    return [line | {"months": len(line["months"])} for line in lines.values()]


def _months(warehouse: Warehouse, load: sqlite3.Row) -> set[int]:
    months: set[int] = set()
    for file in (warehouse.canonical / load["source"] / load["load_id"]).glob("*.parquet"):
        if "period" in pl.read_parquet_schema(file):
            held = pl.scan_parquet(file, glob=False).select(pl.col("period").unique()).collect()["period"]
            months |= {m for m in held if m is not None and m > 9999}
    return months


def _review(warehouse: Warehouse, merges: list[sqlite3.Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for merge in merges:
        reasons = pl.scan_parquet(warehouse.merged / merge["merge_id"] / "unlinked.parquet").group_by("reason").len()
        for reason, count in reasons.collect().iter_rows():
            found[reason] = found.get(reason, 0) + count
    return dict(sorted(found.items()))


def _disputes(merges: list[sqlite3.Row]) -> dict[str, int]:
    kinds = {"facts": "disputed", "areas": "area_disputes", "land_findings": "findings"}
    totals = dict.fromkeys(kinds, 0)
    for merge in merges:
        counts = json.loads(merge["counts"])
        for kind, name in kinds.items():
            totals[kind] += counts[name]
    return {k: n for k, n in totals.items() if n}
