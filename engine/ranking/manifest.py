"""The manifest of a release: what it was made from, by what, how much fell out and why."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import polars as pl

from engine.policy.packs import Pack
from engine.ranking.merged import Merged
from engine.ranking.ranks import GROUPINGS, value_of
from engine.schema.names import SYNTHETIC_MARK
from engine.schema.warehouse import Warehouse, now

_LEDGER = ("load_id", "source", "year", "file", "sha256", "rows_in", "kept", "refused", "furniture")


def manifest(
    warehouse: Warehouse, pack: Pack, merged: Merged, last: Merged | None, table: pl.DataFrame, sha256: str, engine: str
) -> dict[str, Any]:
    """The manifest as it is written; the release id is the year, the policy and a hash over all that decided."""
    policy = pack.policy
    loads = _loads(warehouse, merged.loads)
    base_loads = _loads(warehouse, last.loads) if last else []
    made_from = {
        "year": merged.year,
        "policy": {"id": policy.id, "sha256": pack.sha256, "status": policy.status, "title": policy.title.model_dump()},
        "loads": loads,
        "base_loads": base_loads,
        "code_version": version("permu"),
        "rankings_sha256": sha256,
    }
    decided = json.dumps(made_from | {"merged": merged.counts}, sort_keys=True)
    return made_from | {
        "release_id": f"{merged.year}-{policy.id}-{hashlib.sha256(decided.encode()).hexdigest()[:8]}",
        "merge_id": merged.merge_id,
        "base_merge_id": last.merge_id if last else None,
        "engine": engine,
        "metrics": policy.metrics,
        "default_metric": policy.metrics[0],
        "groupings": list(GROUPINGS),
        "bottom_percent": policy.bottom_percent,
        "counts": _counts(loads, merged, policy.metrics, table),
        "fell_out": _fell_out(loads, merged, table),
        "synthetic": 2 * table["name"].str.contains(SYNTHETIC_MARK, literal=True).sum() > table.height,
        "created_at": now(),
    }


def _loads(warehouse: Warehouse, ids: list[str]) -> list[dict[str, Any]]:
    with warehouse.read() as db:
        rows = db.execute("SELECT * FROM loads ORDER BY source, file, load_id").fetchall()
    wanted = set(ids)
    return [
        {k: row[k] for k in _LEDGER} | {"reasons": json.loads(row["reasons"])}
        for row in rows
        if row["load_id"] in wanted
    ]


def _counts(loads: list[dict[str, Any]], merged: Merged, metrics: list[str], table: pl.DataFrame) -> dict[str, Any]:
    """Counts at each stage: rows of files, merged records, ranked enterprises by metric."""
    rows = {f"rows_{k.removeprefix('rows_')}": sum(x[k] for x in loads) for k in _LEDGER[5:]}
    return rows | merged.counts | {"ranked": {m: table[value_of(m)].count() for m in metrics}}


def _fell_out(loads: list[dict[str, Any]], merged: Merged, table: pl.DataFrame) -> dict[str, dict[str, int]]:
    """What does not count and why: refused rows and unlinked records by reason, enterprises by flag."""
    refused: dict[str, int] = {}
    for load in loads:
        for reason, count in load["reasons"].items():
            refused[reason] = refused.get(reason, 0) + count
    unlinked = pl.scan_parquet(merged.folder / "unlinked.parquet", glob=False).group_by("reason").len().sort("reason")
    flags = table.select(pl.col("flags").str.split(",").explode()).filter(pl.col("flags") != "")
    by_flag = flags.group_by("flags").len().sort("flags")
    return {
        "refused": refused,
        "unlinked": dict(unlinked.collect().iter_rows()),
        "enterprises": dict(by_flag.iter_rows()),
    }
