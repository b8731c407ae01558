"""What a warehouse keeps though nothing stands on it any more, and its removal.

Kept always: every release, the merges that releases name (their own and their base year's), the newest merge of each
year, every load that counts, and every load that a kept merge read.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.schema.warehouse import Warehouse, now, who


@dataclass(frozen=True)
class Unused:
    """One thing that may go: its kind (merge | load), id, folders and files, and their bytes."""

    kind: str
    id: str
    year: int
    paths: tuple[Path, ...]
    bytes: int


def unused(warehouse: Warehouse, loads: bool = False) -> list[Unused]:
    """Merges that were followed by a newer one and that no release names; with ``loads``, also replaced files."""
    with warehouse.require().read() as db:
        merges = [dict(r) for r in db.execute("SELECT merge_id, year, loads FROM merges ORDER BY year, created_at")]
        replaced = [
            dict(r)
            for r in db.execute(
                "SELECT load_id, source, year FROM loads WHERE superseded_by IS NOT NULL ORDER BY load_id"
            )
        ]
    named = _named(warehouse) | {m["merge_id"] for m in {m["year"]: m for m in merges}.values()}
    found = [
        _unused("merge", m["merge_id"], m["year"], [warehouse.merged / m["merge_id"]])
        for m in merges
        if m["merge_id"] not in named
    ]
    if loads:
        read = {load for m in merges if m["merge_id"] in named for load in json.loads(m["loads"])}
        found += [_load(warehouse, r) for r in replaced if r["load_id"] not in read]
    return [one for one in found if one.paths or one.kind == "merge"]


def purge(warehouse: Warehouse, loads: bool = False) -> list[Unused]:
    """Remove what is :func:`unused`, ledger first, so that a killed run leaves nothing that looks whole."""
    with warehouse.require().lock("purge"):
        found = unused(warehouse, loads)
        with warehouse.connect() as db:
            for one in found:
                if one.kind == "merge":
                    db.execute("DELETE FROM merges WHERE merge_id = ?", (one.id,))
                detail = json.dumps({"kind": one.kind, "id": one.id, "bytes": one.bytes})
                db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (now(), who(), "purge", detail))
        for one in found:
            for path in one.paths:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return found


def _named(warehouse: Warehouse) -> set[str]:
    """The merges that releases stand on."""
    named = set()
    for file in warehouse.releases.glob("*/manifest.json"):
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        named |= {manifest["merge_id"], manifest["base_merge_id"]}
    return named


def _load(warehouse: Warehouse, row: dict[str, Any]) -> Unused:
    load, source = row["load_id"], row["source"]
    refused = [
        warehouse.refused / source / f"{load}.parquet",
        warehouse.refused / source / f"{load}.corrections.parquet",
    ]
    return _unused("load", load, row["year"], [warehouse.loads / load, warehouse.canonical / source / load, *refused])


def _unused(kind: str, name: str, year: int, paths: list[Path]) -> Unused:
    there = tuple(p for p in paths if p.exists())
    files = [f for p in there for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file()]
    return Unused(kind, name, year, there, sum(f.stat().st_size for f in files))
