"""Rank a year under a policy and make the release: complete in a staging folder before it becomes visible."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from engine.fingerprint import table_sha256
from engine.policy.packs import Pack, load_pack
from engine.ranking.manifest import manifest
from engine.ranking.merged import Merged, base_year, latest_merge
from engine.ranking.pipeline import rankings
from engine.releases import Release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, settle, who

Progress = Callable[[str], None]
_EVIDENCE = (
    "facts",
    "facts_wide",
    "claims",
    "corrections",
    "coverage",
    "shared_meters",
    "enterprises",
    "links",
    "land_use",
    "parcels",
    "area_disputes",
    "regions",
    "findings",
)


@dataclass(frozen=True)
class RankReport:
    """What a ranking made: the contract's JSON of ``permu rank``."""

    release_id: str
    year: int
    policy: str
    engine: str
    rows: int
    rankings_sha256: str
    seconds: dict[str, float]


def rank(
    warehouse: Warehouse, year: int, policy: str, *, engine: str = "polars", progress: Progress | None = None
) -> RankReport:
    """Rank ``year`` under ``policy`` (an id or a YAML file) and write the release as a draft.

    Raises no_merge, stale_merge, no_base_year, unknown_policy, bad_policy. The same inputs give the same release id.
    """
    say = progress or (lambda _: None)
    pack = load_pack(policy)
    merged = latest_merge(warehouse, year)
    needs_last = pack.policy.score is not None and pack.policy.score.last_year
    last = base_year(warehouse, year, pack) if needs_last else None
    with warehouse.lock(f"rank {year} {pack.policy.id}"), warehouse.staging() as folder:
        begun = time.monotonic()
        say("rank")
        table = compute(pack, merged, last)
        ranked = time.monotonic()
        say("publish")
        sha256 = _write(folder, table, pack, merged)
        written = manifest(warehouse, pack, merged, last, table, sha256, engine)
        (folder / "manifest.json").write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
        release_id = written["release_id"]
        if not (warehouse.releases / release_id / "manifest.json").is_file():
            settle(folder, warehouse.releases / release_id)
        _record(warehouse, written)
        seconds = {"merge": merged.seconds, "rank": ranked - begun, "publish": time.monotonic() - ranked}
    return RankReport(release_id, year, pack.policy.id, engine, table.height, sha256, seconds)


def compute(pack: Pack, merged: Merged, last: Merged | None) -> pl.DataFrame:
    """The rankings table of a policy over merged tables."""
    lazy = rankings(pack.policy, merged.tables(), last.tables() if last else None)
    return lazy.to_native().collect(engine="streaming")


def replayed_sha256(warehouse: Warehouse, release: Release) -> str:
    """The hash of the ranking computed again from the release's own facts and policy.

    A base year is read from the merge that the release names; PermuError base_gone where it was purged.
    """
    m = release.manifest
    this = Merged(m["year"], m["merge_id"], release.folder, [], {}, 0.0)
    last = None
    if m["base_merge_id"]:
        folder = warehouse.merged / m["base_merge_id"]
        if not folder.is_dir():
            raise PermuError(
                "base_gone",
                f"release {release.id} took its bases from merge {m['base_merge_id']}, which is no longer there",
                f"发布 {release.id} 的基准值取自合并 {m['base_merge_id']}，该数据已不存在",
            )
        last = Merged(m["year"] - 1, m["base_merge_id"], folder, [], {}, 0.0)
    return table_sha256(compute(release.pack, this, last))


def _write(folder: Path, table: pl.DataFrame, pack: Pack, merged: Merged) -> str:
    """The release's files but its manifest; the hash of the rankings, taken while the DuckDB file is made."""
    table.write_parquet(folder / "rankings.parquet", compression="zstd", compression_level=1)
    with ThreadPoolExecutor(1, "permu-hash") as beside:
        sha256 = beside.submit(table_sha256, table)
        for name in _EVIDENCE:
            file = merged.folder / f"{name}.parquet"
            if file.is_file():
                _link(file, folder / file.name)
        (folder / "policy.yaml").write_text(pack.text, encoding="utf-8")
        with duckdb.connect(str(folder / "release.duckdb")) as db:
            db.execute("CREATE TABLE rankings AS SELECT * FROM read_parquet(?)", [str(folder / "rankings.parquet")])
        return sha256.result()


def _link(file: Path, place: Path) -> None:
    """A hard link (merged tables never change), or a copy where the disk has none."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


def _record(warehouse: Warehouse, m: dict[str, Any]) -> None:
    rows = m["counts"]["enterprises"]
    with warehouse.connect() as db:
        row = (m["release_id"], m["year"], m["policy"]["id"], m["created_at"], m["merge_id"], m["engine"], rows)
        db.execute("INSERT OR REPLACE INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, m["rankings_sha256"]))
        known = db.execute("SELECT 1 FROM release_events WHERE release_id = ?", (m["release_id"],)).fetchone()
        if not known:
            event = (m["release_id"], m["created_at"], who(), "draft", "ranked")
            db.execute("INSERT INTO release_events VALUES (?, ?, ?, ?, ?)", event)
