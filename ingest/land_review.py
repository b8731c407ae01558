"""The findings about land and shared meters that a person has to settle, as items of the review queue.

What is wrong stands in the records of rights, leases and shares or in the drawing: the item names parcel (or account),
file and row, and goes away when corrected data were merged. One that is right as it stands is settled by rejecting it (nobody is meant).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import polars as pl

from engine.schema.errors import language
from engine.schema.warehouse import Warehouse
from ingest.findings import REVIEW
from ingest.match import store

SOURCE = "land"
_METER_SHARES = "meter_shares_"  # findings of ingest.meters: the shares of a meter do not sum to 1


def land_items(warehouse: Warehouse, year: int, source: str | None = None) -> Iterator[dict[str, Any]]:
    """Findings of :data:`ingest.findings.REVIEW`, and shares of meters that do not sum to 1, in the newest merge of
    ``year`` that nobody settled, as ``kind`` land: ``reason`` is the finding, ``value`` the parcel or account, ``name``
    the note, ``record_key`` what a decision is kept under."""
    if source not in (None, SOURCE):
        return
    with warehouse.read() as db:
        merge = db.execute(
            "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)
        ).fetchone()
        files = dict(db.execute("SELECT load_id, file FROM loads").fetchall())
        settled = set(store.decisions(db).filter(verdict="none", source=SOURCE)["record_key"])
    place = warehouse.merged / merge["merge_id"] / "findings.parquet" if merge else None
    if place is None or not place.is_file():
        return
    asked = pl.col("kind").is_in(REVIEW) | pl.col("kind").str.starts_with(_METER_SHARES)
    rows = pl.read_parquet(place, glob=False).filter(asked)
    for row in rows.iter_rows(named=True):
        key = finding_key(row)
        if key in settled:
            continue
        yield {
            "id": "L" + hashlib.sha256(f"{year}\0{key}".encode()).hexdigest()[:12], "kind": "land", "state": "open",
            "year": year, "source": SOURCE, "table": None, "load_id": row["load_id"], "file": files.get(row["load_id"]),
            "sheet": row["sheet"], "row": row["row"], "record_key": key, "name": row[f"note_{language()}"],
            "field": None, "value": row["parcel_code"] or row["enterprise_id"] or row["record_key"], "reason": row["kind"], "rows": 1,
            "candidates": [], "decided": None,
        }  # fmt: skip


def finding_key(row: dict[str, Any]) -> str:
    """A finding's own name over merges: its kind, parcel and parties; it changes with what was found, not with files."""
    parties = (row["parcel_code"], row["enterprise_id"] or row["record_key"], row["other"], row["value"])
    return ":".join(["finding", row["kind"], *("" if p is None else str(p) for p in parties)])
