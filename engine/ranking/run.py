"""Rank a year under a policy and make the release: complete in a staging folder before it becomes visible."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import polars as pl

from engine.fingerprint import table_sha256
from engine.policy.packs import Pack, load_pack
from engine.ranking.pipeline import YearTables, rankings
from engine.ranking.ranks import GROUPINGS
from engine.releases import Release
from engine.schema.errors import PermuError
from engine.schema.names import SYNTHETIC_MARK
from engine.schema.warehouse import Warehouse, now, settle, who

Progress = Callable[[str], None]
_EVIDENCE = ("facts", "claims", "enterprises", "links", "land_use", "parcels", "parcel_holders", "area_disputes")


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


@dataclass(frozen=True)
class Merged:
    """The newest merge of a year."""

    year: int
    merge_id: str
    folder: Path
    loads: list[str]
    counts: dict[str, Any]
    seconds: float

    def tables(self) -> YearTables:
        """Its tables as lazy frames."""
        return YearTables(self.year, self._scan("enterprises"), self._scan("facts"))

    def _scan(self, name: str) -> nw.LazyFrame:
        return nw.from_native(pl.scan_parquet(self.folder / f"{name}.parquet", glob=False))


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
    last = _base_year(warehouse, year, pack) if needs_last else None
    with warehouse.lock(f"rank {year} {pack.policy.id}"), warehouse.staging() as folder:
        begun = time.monotonic()
        say("rank")
        table = compute(pack, merged, last)
        sha256 = table_sha256(table)
        ranked = time.monotonic()
        say("publish")
        manifest = _manifest(warehouse, pack, merged, last, table, sha256, engine)
        _write(folder, table, pack, merged, manifest)
        release_id = manifest["release_id"]
        if not (warehouse.releases / release_id / "manifest.json").is_file():
            settle(folder, warehouse.releases / release_id)
        _record(warehouse, manifest)
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


def latest_merge(warehouse: Warehouse, year: int) -> Merged:
    """The newest merge of ``year``, which must cover every file that counts now."""
    with warehouse.require().read() as db:
        row = db.execute("SELECT * FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)).fetchone()
        loads = db.execute("SELECT load_id FROM loads WHERE year = ? AND superseded_by IS NULL", (year,)).fetchall()
    if row is None:
        what = "its files are loaded but not merged" if loads else "no file was loaded for it"
        todo = f"permu merge --year {year}" if loads else f"permu ingest PATH --year {year}"
        raise PermuError(
            "no_merge",
            f"{year}: nothing to rank: {what}; run `{todo}` first",
            f"{year} 年没有可排名的数据：{'已导入但尚未合并' if loads else '尚未导入'}；请先运行 {todo}",
        )
    merged = Merged(
        year,
        row["merge_id"],
        warehouse.merged / row["merge_id"],
        json.loads(row["loads"]),
        json.loads(row["counts"]),
        row["seconds"],
    )
    newer = {x["load_id"] for x in loads} ^ set(merged.loads)
    if newer:
        raise PermuError(
            "stale_merge",
            f"{year}: {len(newer)} file(s) changed since the last merge; run `permu merge --year {year}` first",
            f"{year} 年：上次合并之后有 {len(newer)} 个文件发生变化；请先运行 permu merge --year {year}",
        )
    return merged


def _base_year(warehouse: Warehouse, year: int, pack: Pack) -> Merged:
    try:
        return latest_merge(warehouse, year - 1)
    except PermuError as error:
        if error.code not in ("no_merge", "stale_merge"):
            raise
        raise PermuError(
            "no_base_year",
            f"policy {pack.policy.id} takes its bases from {year - 1}, the year before: {error.en}",
            f"政策 {pack.policy.id} 的基准值取自上一年（{year - 1} 年）：{error.zh}",
        ) from error


def _manifest(
    warehouse: Warehouse,
    pack: Pack,
    merged: Merged,
    last: Merged | None,
    table: pl.DataFrame,
    sha256: str,
    engine: str,
) -> dict[str, Any]:
    policy = pack.policy
    loads = _loads(warehouse, merged.loads + (last.loads if last else []))
    core = {
        "year": merged.year,
        "policy": {"id": policy.id, "sha256": pack.sha256, "status": policy.status, "title": policy.title.model_dump()},
        "loads": loads,
        "code_version": version("permu"),
        "rankings_sha256": sha256,
    }
    mark = hashlib.sha256(json.dumps(core, sort_keys=True).encode()).hexdigest()[:8]
    fell_out = table.select(pl.col("flags").str.split(",").explode()).filter(pl.col("flags") != "")
    return core | {
        "release_id": f"{merged.year}-{policy.id}-{mark}",
        "merge_id": merged.merge_id,
        "base_merge_id": last.merge_id if last else None,
        "engine": engine,
        "metrics": policy.metrics,
        "default_metric": policy.metrics[0],
        "groupings": list(GROUPINGS),
        "bottom_percent": policy.bottom_percent,
        "counts": merged.counts | {"ranked": {m: int(table[f"of__{m}__all"].max() or 0) for m in policy.metrics}},
        "fell_out": dict(fell_out.group_by("flags").len().sort("flags").iter_rows()),
        "synthetic": (table["name"].str.contains(SYNTHETIC_MARK, literal=True).mean() or 0) > 0.5,
        "created_at": now(),
    }


def _loads(warehouse: Warehouse, ids: list[str]) -> list[dict[str, Any]]:
    with warehouse.read() as db:
        rows = db.execute(
            "SELECT load_id, source, year, file, sha256, received_at FROM loads ORDER BY load_id"
        ).fetchall()
    return [
        {k: row[k] for k in ("load_id", "source", "year", "file", "sha256")} for row in rows if row["load_id"] in ids
    ]


def _write(folder: Path, table: pl.DataFrame, pack: Pack, merged: Merged, manifest: dict[str, Any]) -> None:
    table.write_parquet(folder / "rankings.parquet", compression="zstd")
    for name in _EVIDENCE:
        file = merged.folder / f"{name}.parquet"
        if file.is_file():
            _link(file, folder / file.name)
    (folder / "policy.yaml").write_text(pack.text, encoding="utf-8")
    with duckdb.connect(str(folder / "release.duckdb")) as db:
        db.execute("CREATE TABLE rankings AS SELECT * FROM read_parquet(?)", [str(folder / "rankings.parquet")])
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")


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
