"""The review queue: what a person has to decide, with the enterprises that it could mean.

Two kinds of items. ``proposal``: a row that was refused for its identifying code though its name is that of exactly
one enterprise of the register; taking the proposal means taking that enterprise's code. ``unlinked``: records of the
newest merge that no enterprise was found for. The queue is derived from refused rows, register and merge, so it is
never older than they are; an item's id depends on its load, sheet and row (or its source and key) and stays.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import duckdb
import polars as pl

from engine.schema.names import name_key
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.refused import open_rows
from sql import statement

# Refused for these, a row can be another firm's only by its code: the name may still tell whose it is.
CODES = ("bad_credit_code", "bad_organisation_code", "bad_registration_number", "bad_permit")
_CANDIDATES = 10
_NAMES = ("name", "holder_name", "lessee_name")


def items(warehouse: Warehouse, year: int | None = None, source: str | None = None) -> list[dict[str, Any]]:
    """Every open item: proposals first, then unlinked records with the most rows first.

    ``{id, kind, year, source, table, load_id, file, sheet, row, record_key, name, field, value, reason, rows,
    candidates: [{enterprise_id, uscc, name, region_code, by}], state}``.
    """
    years = [y for y in _years(warehouse) if year in (None, y)]
    found = [item for y in years for item in (*_proposals(warehouse, y, source), *_unlinked(warehouse, y, source))]
    return sorted(found, key=lambda i: (i["kind"], -i["year"], -i["rows"], i["id"]))


def counts(warehouse: Warehouse, year: int | None = None) -> dict[str, int]:
    """Open proposals by reason: what :func:`items` would list of that kind."""
    told: dict[str, int] = defaultdict(int)
    for y in _years(warehouse):
        for item in _proposals(warehouse, y, None) if year in (None, y) else ():
            told[f"{item['reason']}_proposed"] += 1
    return dict(sorted(told.items()))


def open_count(warehouse: Warehouse, year: int | None = None) -> int:
    """Refused rows that nobody has corrected yet."""
    return open_rows(warehouse, None, year).height


def _years(warehouse: Warehouse) -> list[int]:
    with warehouse.read() as db:
        rows = db.execute("SELECT DISTINCT year FROM loads WHERE superseded_by IS NULL ORDER BY year").fetchall()
    return [row["year"] for row in rows]


# --- refused codes whose name is known ---------------------------------------------------------------------------


def _proposals(warehouse: Warehouse, year: int, source: str | None) -> Iterator[dict[str, Any]]:
    rows = open_rows(warehouse, source, year).filter(pl.col("code").is_in(CODES))
    if rows.is_empty():
        return
    names = pl.Series([_name(raw) for raw in rows["raw"]], dtype=pl.String)
    named = rows.with_columns(name=names).with_columns(key=name_key(pl.col("name")))
    known = _register(warehouse, year, named["name"])
    for row in named.iter_rows(named=True):
        candidates = known.get(row["key"], [])
        if len(candidates) == 1:
            yield _item("proposal", (row["load_id"], row["sheet"], row["row"])) | {
                "year": year, "source": row["source"], "table": row["table"], "load_id": row["load_id"],
                "file": row["file"], "sheet": row["sheet"], "row": row["row"], "record_key": None, "name": row["name"],
                "field": row["field"], "value": row["value"], "reason": row["code"], "rows": 1,
                "candidates": candidates,
            }  # fmt: skip


def _name(raw: str) -> str | None:
    told = json.loads(raw)
    return next((told[n] for n in _NAMES if told.get(n)), None)


def _item(kind: str, place: tuple[object, ...]) -> dict[str, Any]:
    digest = hashlib.sha256("\0".join(map(str, (kind, *place))).encode()).hexdigest()
    return {"id": f"{kind[0].upper()}{digest[:12]}", "kind": kind, "state": "open"}


# --- records of the merge without an enterprise --------------------------------------------------------------------


def _unlinked(warehouse: Warehouse, year: int, source: str | None) -> Iterator[dict[str, Any]]:
    with warehouse.read() as db:
        merge = db.execute(
            "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)
        ).fetchone()
        files = dict(db.execute("SELECT load_id, file FROM loads").fetchall())
    if merge is None:
        return
    rows = pl.read_parquet(warehouse.merged / merge["merge_id"] / "unlinked.parquet", glob=False)
    rows = rows.filter(pl.col("source") == source) if source else rows
    told = pl.coalesce("name", pl.col("record_key").str.strip_prefix("name:"))
    shown = rows.with_columns(told=told).with_columns(key=name_key(pl.col("told")))
    known = _register(warehouse, year, shown["told"])
    for row in shown.iter_rows(named=True):
        yield _item("unlinked", (year, row["source"], row["record_key"])) | {
            "year": year, "source": row["source"], "table": None, "load_id": row["load_id"],
            "file": files.get(row["load_id"]), "sheet": row["sheet"] or "", "row": row["row"],
            "record_key": row["record_key"], "name": row["name"], "field": None, "value": None,
            "reason": row["reason"], "rows": row["rows"], "candidates": known.get(row["key"], [])[:_CANDIDATES],
        }  # fmt: skip


# --- the register --------------------------------------------------------------------------------------------------


def _register(warehouse: Warehouse, year: int, names: pl.Series) -> dict[str | None, list[dict[str, Any]]]:
    """Folded name → the enterprises of the register that bear it, for the names asked."""
    rows = Year(warehouse, year).scan("commerce", "enterprise")
    wanted = names.drop_nulls().unique().to_frame("n").select(name_key(pl.col("n"))).to_series().drop_nulls()
    if rows is None or wanted.is_empty():
        return {}
    bearing = (
        rows.filter(pl.col("record_key").is_not_null())
        .select("origin", "record_key", "uscc", "name", "region_code", key=name_key(pl.col("name")))
        .filter(pl.col("key").is_in(wanted.implode()))
        .collect()
    )
    with duckdb.connect() as db:
        db.register("register", bearing.select("origin", "record_key").to_arrow())
        ids = db.sql(statement("merge/enterprises")).pl()
    found: dict[str | None, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in bearing.join(ids, on="origin").iter_rows(named=True):
        told = {n: row[n] for n in ("enterprise_id", "uscc", "name", "region_code")} | {"by": "exact_name"}
        found[row["key"]][row["enterprise_id"]] = told
    return {key: [by_id[i] for i in sorted(by_id)] for key, by_id in found.items()}
