"""The review queue: what a person has to decide, with the enterprises that it could mean.

Two kinds of items. ``proposal``: a row that was refused for its identifying code though its name is that of exactly
one enterprise of the register; taking the proposal means taking that enterprise's code. ``unlinked``: records of the
newest merge that no enterprise was found for, with the candidates that the merge put into the ledger's queue. An item's
id depends on its load, sheet and row (or its year, source and key) and stays; who was decided to belong to none is left
out. Deciding: ingest.match.decide.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl

from engine.schema.names import name_key
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.identity import enterprise_ids, identify
from ingest.land_review import land_items
from ingest.match import store
from ingest.refused import open_rows

# Refused for these, a row can be another firm's only by its code: the name may still tell whose it is.
CODES = ("bad_credit_code", "bad_organisation_code", "bad_registration_number", "bad_permit")
REFUSED = "refused:"  # how the key of a decision about a refused code begins
_NAMES = ("name", "holder_name", "lessee_name")


def items(warehouse: Warehouse, year: int | None = None, source: str | None = None) -> list[dict[str, Any]]:
    """Every open item: proposals first, then unlinked records with the most rows first, then what is wrong about land.

    ``{id, kind, year, source, table, load_id, file, sheet, row, record_key, name, field, value, reason, rows,
    candidates: [{enterprise_id, uscc, name, region_code, by, address?, sure_ppb?, why?}], state (open | accepted: applied
    at the next merge), decided}``.
    """
    years = [y for y in _years(warehouse) if year in (None, y)]
    parts = (_proposals, _unlinked, land_items)
    found = [item for y in years for part in parts for item in part(warehouse, y, source)]
    return sorted(found, key=lambda i: (i["kind"] == "land", i["kind"], -i["year"], -i["rows"], i["id"]))


def counts(warehouse: Warehouse, year: int | None = None) -> dict[str, int]:
    """Open proposals by reason: what :func:`items` would list of that kind."""
    told: dict[str, int] = defaultdict(int)
    for item in proposals(warehouse, year):
        told[f"{item['reason']}_proposed"] += 1
    return dict(sorted(told.items()))


def proposals(warehouse: Warehouse, year: int | None = None) -> list[dict[str, Any]]:
    """What :func:`items` lists of that kind alone: refused codes whose name is that of one enterprise."""
    return [item for y in _years(warehouse) if year in (None, y) for item in _proposals(warehouse, y, None)]


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
    with warehouse.read() as db:
        verdicts = {(s, k): (v, e) for s, k, v, e in store.decisions(db).iter_rows() if v != "reject"}
    for row in named.iter_rows(named=True):
        candidates = known.get(row["key"], [])
        if len(candidates) == 1:
            place = (row["load_id"], row["sheet"], row["row"])
            key = refused_key(row["field"], row["value"], row["key"])
            verdict, enterprise = verdicts.get((row["source"], key), ("open", None))
            if verdict == "none":
                continue
            same = (
                verdict == "accept" and enterprise == candidates[0]["enterprise_id"]
            )  # the name may have gone to another
            yield _item("proposal", place) | {
                "year": year, "source": row["source"], "table": row["table"], "load_id": row["load_id"],
                "file": row["file"], "sheet": row["sheet"], "row": row["row"], "record_key": key, "name": row["name"],
                "field": row["field"], "value": row["value"], "reason": row["code"], "rows": 1,
                "candidates": candidates, "state": "accepted" if same else "open", "decided": enterprise if same else None,
            }  # fmt: skip


def refused_key(field: str | None, value: str | None, name: str) -> str:
    """What a decision about a refused code is kept under: the same wrong code beside the same name, in any load."""
    return f"{REFUSED}{field}:{value}:{name}"


def _name(raw: str) -> str | None:
    told = json.loads(raw)
    return next((told[n] for n in _NAMES if told.get(n)), None)


def _item(kind: str, place: tuple[object, ...]) -> dict[str, Any]:
    digest = hashlib.sha256("\0".join(map(str, (kind, *place))).encode()).hexdigest()
    return {"id": f"{kind[0].upper()}{digest[:12]}", "kind": kind}


# --- records of the merge without an enterprise --------------------------------------------------------------------


def _unlinked(warehouse: Warehouse, year: int, source: str | None) -> Iterator[dict[str, Any]]:
    """Records of the newest merge without an enterprise: those in the queue with their candidates, then the rest."""
    with warehouse.read() as db:
        merge = db.execute(
            "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)
        ).fetchone()
        files = dict(db.execute("SELECT load_id, file FROM loads").fetchall())
        candidates, decided = _candidates(db, year), store.decisions(db)
    if merge is None:
        return
    verdicts = {(s, k): (v, e) for s, k, v, e in decided.iter_rows() if v != "reject"}
    rows = pl.read_parquet(warehouse.merged / merge["merge_id"] / "unlinked.parquet", glob=False)
    for row in (rows.filter(pl.col("source") == source) if source else rows).iter_rows(named=True):
        verdict, enterprise = verdicts.get((row["source"], row["record_key"]), ("open", None))
        if verdict == "none":
            continue
        found = store.item_id(year, row["source"], row["record_key"])
        yield {
            "id": found, "kind": "unlinked", "state": "open" if verdict == "open" else "accepted",
            "year": year, "source": row["source"], "table": None, "load_id": row["load_id"],
            "file": files.get(row["load_id"]), "sheet": row["sheet"] or "", "row": row["row"],
            "record_key": row["record_key"], "name": row["name"], "field": None, "value": None,
            "reason": row["reason"], "rows": row["rows"], "candidates": candidates.get(found, []),
            "decided": enterprise,
        }  # fmt: skip


def _candidates(db: sqlite3.Connection, year: int) -> dict[str, list[dict[str, Any]]]:
    """Candidates by item, the surest first."""
    if not store.exists(db):
        return {}
    rows = db.execute(
        "SELECT c.item_id, c.enterprise_id, c.uscc, c.name, c.region_code, c.address, c.sure_ppb, c.why "
        "FROM review_candidates c JOIN review_items i USING (item_id) WHERE i.year = ? ORDER BY c.item_id, c.rank",
        (year,),
    ).fetchall()
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        one = dict(row)
        told[one.pop("item_id")].append(one | {"by": "name"})
    return told


# --- the register --------------------------------------------------------------------------------------------------


def _register(warehouse: Warehouse, year: int, names: pl.Series) -> dict[str | None, list[dict[str, Any]]]:
    """Folded name → the enterprises of the register that bear it, for the names asked."""
    rows = Year(warehouse, year).scan("commerce", "enterprise")
    wanted = names.drop_nulls().unique().to_frame("n").select(name_key(pl.col("n"))).to_series().drop_nulls()
    if rows is None or wanted.is_empty():
        return {}
    bearing = (
        rows.filter(pl.col("record_key").is_not_null())
        .select("origin", "uscc", "name", "region_code", key=name_key(pl.col("name")))
        .filter(pl.col("key").is_in(wanted.implode()))
        .collect()
    )
    same = rows.filter(pl.col("record_key").is_not_null()).join(
        bearing.lazy().select("origin"), on="origin", how="semi"
    )
    ids = enterprise_ids(identify(Year(warehouse, year), same)[0])
    found: dict[str | None, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in bearing.join(ids, on="origin").iter_rows(named=True):
        told = {n: row[n] for n in ("enterprise_id", "uscc", "name", "region_code")} | {"by": "exact_name"}
        found[row["key"]][row["enterprise_id"]] = told
    return {key: [by_id[i] for i in sorted(by_id)] for key, by_id in found.items()}
