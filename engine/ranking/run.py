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

import polars as pl

from engine.fingerprint import table_sha256
from engine.policy.packs import Pack, usable_pack
from engine.ranking import spark
from engine.ranking.manifest import manifest
from engine.ranking.merged import LISTS, Merged, base_year, latest_merge
from engine.ranking.pipeline import rankings
from engine.releases import Release, open_release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, settle, who

Progress = Callable[[str], None]
_EVIDENCE = (
    "enterprises", "identity_events", "links", "claims", "facts", "facts_wide", "corrections", "coverage", "shared_meters",
    "land_use", "parcels", "area_disputes", "regions", "findings", "events", "relations",
)  # fmt: skip
# What a ranking reads of the year before: kept in the release under _BASE, so that a replay needs no merge.
_READ = ("enterprises", "facts_wide", *LISTS)
_BASE = "base"


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
    warehouse: Warehouse,
    year: int,
    policy: str,
    *,
    engine: str = "polars",
    remote: str | None = None,
    progress: Progress | None = None,
) -> RankReport:
    """Rank ``year`` under ``policy`` (an id or a YAML file) and write the release as a draft.

    ``engine`` is ``polars`` or ``spark``, with ``remote`` the address of a Spark Connect server. The same inputs give the
    same release id on either. Raises no_merge, stale_merge, no_base_year, unknown_policy, bad_policy,
    policy_partial, policy_expired, policy_claims, no_spark, no_java,
    spark_failed.
    """
    say = progress or (lambda _: None)
    pack = usable_pack(policy, year, warehouse.home)
    with warehouse.require().lock(f"rank {year} {pack.policy.id}"), warehouse.staging() as folder:
        merged = latest_merge(warehouse, year)
        needs_last = pack.policy.score is not None and pack.policy.score.last_year
        last = base_year(warehouse, year, pack) if needs_last else None
        begun = time.monotonic()
        say("rank")
        if engine == "spark":
            with warehouse.staging() as place:
                table = spark.compute(pack, merged, last, place, remote)
        else:
            table = compute(pack, merged, last)
        ranked = time.monotonic()
        say("publish")
        sha256 = _write(folder, table, pack, merged, last)
        written = manifest(warehouse, pack, merged, last, table, sha256, engine)
        (folder / "manifest.json").write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
        release_id = written["release_id"]
        if not _stands(warehouse.releases / release_id, sha256):
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

    PermuError base_gone where neither it nor the merge that it names holds its base year.
    """
    return table_sha256(compute(release.pack, own_year(release), own_base_year(warehouse, release)))


def stored_sha256(release: Release) -> str | None:
    """The hash of the rankings as the release holds and serves them; None where they cannot be read."""
    try:
        return table_sha256(release.rankings)
    except (PermuError, pl.exceptions.PolarsError):
        return None


def _stands(folder: Path, sha256: str) -> bool:
    """Whether the release is there and whole: what is damaged is written again."""
    try:
        return stored_sha256(open_release(folder)) == sha256
    except PermuError:
        return False


def own_year(release: Release) -> Merged:
    """The merged tables that a release holds."""
    return Merged(release.manifest["year"], release.manifest["merge_id"], release.folder, [], {}, 0.0)


def own_base_year(warehouse: Warehouse, release: Release) -> Merged | None:
    """The year before as a release's bases were taken from it; None where they were not.

    A release holds it under ``base/``; one made before that was so names a merge, which may be purged: base_gone.
    """
    merge_id = release.manifest["base_merge_id"]
    if not merge_id:
        return None
    places = (release.folder / _BASE, warehouse.merged / merge_id)
    folder = next((p for p in places if p.is_dir()), None)
    if folder is None:
        raise PermuError(
            "base_gone",
            f"release {release.id} took its bases from merge {merge_id}, which is no longer there; "
            f"merge {release.manifest['year'] - 1} and rank again",
            f"发布 {release.id} 的基准值取自合并 {merge_id}，该数据已不存在；"
            f"请重新合并 {release.manifest['year'] - 1} 年数据并重新排名",
        )
    return Merged(release.manifest["year"] - 1, merge_id, folder, [], {}, 0.0)


def _write(folder: Path, table: pl.DataFrame, pack: Pack, merged: Merged, last: Merged | None) -> str:
    """The release's files but its manifest; the hash of the rankings, taken while the DuckDB file is made."""
    import duckdb  # a server imports this module and never comes here

    table.write_parquet(folder / "rankings.parquet", compression="zstd", compression_level=1)
    with ThreadPoolExecutor(1, "permu-hash") as beside:
        sha256 = beside.submit(table_sha256, table)
        _keep(merged, _EVIDENCE, folder)
        if last is not None:
            (folder / _BASE).mkdir()
            _keep(last, _READ, folder / _BASE)
        (folder / "policy.yaml").write_text(pack.text, encoding="utf-8")
        with duckdb.connect(str(folder / "release.duckdb")) as db:
            db.execute("CREATE TABLE rankings AS SELECT * FROM read_parquet(?)", [str(folder / "rankings.parquet")])
        return sha256.result()


def _keep(merged: Merged, names: tuple[str, ...], folder: Path) -> None:
    for name in names:
        file = merged.folder / f"{name}.parquet"
        if file.is_file():
            _link(file, folder / file.name)


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
        db.execute("INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, m["rankings_sha256"]))
        known = db.execute("SELECT 1 FROM release_events WHERE release_id = ?", (m["release_id"],)).fetchone()
        if not known:
            event = (m["release_id"], m["created_at"], who(), "draft", "ranked")
            db.execute("INSERT INTO release_events VALUES (?, ?, ?, ?, ?)", event)
