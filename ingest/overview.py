"""What is declared and what was loaded: the answers of ``permu sources`` and ``permu status``."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import polars as pl

from engine.schema.codes import region_name
from engine.schema.warehouse import Warehouse
from ingest import declared, review
from ingest.coverage import WITHOUT_PLACE, covered


def sources(name: str | None = None) -> list[dict[str, Any]]:
    """Every declared source, or one: its tables with their fields and headers."""
    found = [declared.find_source(name)] if name else list(declared.sources().values())
    return [
        {
            "source": one.source,
            "title": one.title,
            "tables": [
                {
                    "table": table,
                    "fields": list(told.fields),
                    "headers": {f: field.headers for f, field in told.fields.items()},
                }
                for table, told in one.tables.items()
            ],
        }
        for one in found
    ]


def status(warehouse: Warehouse, year: int | None = None) -> dict[str, Any]:
    """``coverage`` by source and year (loads, rows, months held, counties, holes), ``refused`` by reason, ``findings``
    (totals that do not add up), ``review`` (records that no enterprise was found for, by reason, and proposals) and
    ``disputes`` and ``land`` (findings by kind) of each year's newest merge; ``missing_sources`` by year."""
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
    coverage = _coverage(warehouse, loads)
    return {
        "coverage": coverage,
        "missing_sources": _missing(coverage),
        "refused": refused,
        "refused_open": review.open_count(warehouse, year),
        "findings": sum(len(json.loads(load["understood"]).get("findings", [])) for load in loads),
        "review": _review(warehouse, merges) | review.counts(warehouse, year),
        "disputes": _disputes(merges),
        "land": _land(merges),
    }


def _coverage(warehouse: Warehouse, loads: list[sqlite3.Row]) -> list[dict[str, Any]]:
    lines: dict[tuple[str, int], dict[str, Any]] = {}
    for load in loads:
        key = (load["source"], load["year"])
        line = lines.setdefault(
            key, {"source": key[0], "year": key[1], "loads": 0, "rows_in": 0, "kept": 0, "refused": 0, "months": 0}
        )
        line["loads"] += 1
        for count in ("rows_in", "kept", "refused"):
            line[count] += load[count]
    for year in sorted({year for _, year in lines}):
        sources, counties = covered(warehouse, year)
        for source, found in sources.items():
            held = [
                {"county": c, "name": region_name(c), "months": sorted(m - {0})} for c, m in found.months.items() if c
            ]
            lines[source, year] |= {
                "months": len(found.held), "months_held": found.held, "holes": found.holes(counties),
                "counties": sorted(held, key=lambda x: str(x["county"])),
            }  # fmt: skip
    return [{"months_held": [], "holes": [], "counties": []} | line for line in lines.values()]


def _missing(coverage: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Departments of which a year that others supplied has nothing."""
    years = sorted({line["year"] for line in coverage})
    held = {(line["source"], line["year"]) for line in coverage}
    departments = [s for s in declared.sources() if s not in WITHOUT_PLACE]
    found = [{"year": y, "sources": [s for s in departments if (s, y) not in held]} for y in years]
    return [line for line in found if line["sources"]]


def _review(warehouse: Warehouse, merges: list[sqlite3.Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for merge in merges:
        reasons = (
            pl.scan_parquet(warehouse.merged / merge["merge_id"] / "unlinked.parquet", glob=False)
            .group_by("reason")
            .len()
        )
        for reason, count in reasons.collect().iter_rows():
            found[reason] = found.get(reason, 0) + count
    return dict(sorted(found.items()))


def _land(merges: list[sqlite3.Row]) -> dict[str, int]:
    """The land bureau's findings by kind."""
    totals: dict[str, int] = {}
    for merge in merges:
        for kind, count in json.loads(merge["counts"]).get("findings_by_kind", {}).items():
            totals[kind] = totals.get(kind, 0) + count
    return dict(sorted(totals.items()))


def _disputes(merges: list[sqlite3.Row]) -> dict[str, int]:
    kinds = {"facts": "disputed", "areas": "area_disputes", "land_findings": "findings"}
    totals = dict.fromkeys(kinds, 0)
    for merge in merges:
        counts = json.loads(merge["counts"])
        for kind, name in kinds.items():
            totals[kind] += counts[name]
    return {k: n for k, n in totals.items() if n}
