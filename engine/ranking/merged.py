"""The newest merge of a year: what a ranking reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from engine.policy.packs import Pack
from engine.ranking.base_facts import without_data
from engine.ranking.pipeline import Hold, YearTables, as_it_is
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

# Read where they are: a year without the bureau's lists has none.
LISTS = ("events", "relations", "land_use")
Scan = Callable[[Path], nw.LazyFrame]


def scan_polars(file: Path) -> nw.LazyFrame:
    """A Parquet file as a lazy frame of Polars."""
    return nw.from_native(pl.scan_parquet(file, glob=False))


@dataclass(frozen=True)
class Merged:
    """The newest merge of a year."""

    year: int
    merge_id: str
    folder: Path
    loads: list[str]
    counts: dict[str, Any]
    seconds: float

    def tables(self, scan: Scan = scan_polars, hold: Hold = as_it_is) -> YearTables:
        """Its tables as lazy frames of the engine that ``scan`` reads them with."""
        enterprises, facts = (scan(self.folder / f"{name}.parquet") for name in ("enterprises", "facts_wide"))
        files = {name: self.folder / f"{name}.parquet" for name in LISTS}
        lists = {n: scan(f) for n, f in files.items() if f.is_file()}
        return YearTables(self.year, enterprises, facts, **lists, hold=hold)


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
    _refuse_uncorrected(warehouse, year, row["created_at"])
    _refuse_ended(merged)
    return merged


def _refuse_uncorrected(warehouse: Warehouse, year: int, merged_at: str) -> None:
    """PermuError stale_merge where a figure of the year was corrected (or a correction withdrawn) after the merge."""
    with warehouse.read() as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'corrections'").fetchone():
            return
        since = db.execute("SELECT COUNT(*) FROM corrections WHERE year = ? AND at > ?", (year, merged_at)).fetchone()
    if since[0]:
        raise PermuError(
            "stale_merge",
            f"{year}: {since[0]} correction(s) since the last merge; run `permu merge --year {year}` first",
            f"{year} 年：上次合并之后新增 {since[0]} 项更正；请先运行 permu merge --year {year}",
        )


def _refuse_ended(merged: Merged) -> None:
    """PermuError stale_merge where the merge applied a correction whose last day has passed: a merge of today leaves it out."""
    file = merged.folder / "corrections.parquet"
    if not file.is_file():
        return
    ended = pl.scan_parquet(file, glob=False).filter(pl.col("until") < date.today()).select(pl.len()).collect().item()
    if ended:
        year = merged.year
        raise PermuError(
            "stale_merge",
            f"{year}: {ended} correction(s) that the last merge applied have ended; run `permu merge --year {year}` first",
            f"{year} 年：上次合并所用的更正有 {ended} 项已到期；请先运行 permu merge --year {year}",
        )


def base_year(warehouse: Warehouse, year: int, pack: Pack) -> Merged:
    """The merge of the year before, from which the pack takes its bases; PermuError no_base_year.

    A merge in which no department states what an item is an average of is no base year either.
    """
    try:
        last = latest_merge(warehouse, year - 1)
    except PermuError as error:
        if error.code not in ("no_merge", "stale_merge"):
            raise
        raise PermuError(
            "no_base_year",
            f"policy {pack.policy.id} takes its bases from {year - 1}, the year before: {error.en}",
            f"政策 {pack.policy.id} 的基准值取自上一年（{year - 1} 年）：{error.zh}",
        ) from error
    for name, facts in without_data(pack.policy, last.folder).items():
        stated = ", ".join(facts)
        raise PermuError(
            "no_base_year",
            f"policy {pack.policy.id} takes the base of {name} from {year - 1}, the year before, for which no department "
            f"states any of {stated}: ingest them with --year {year - 1} and run `permu merge --year {year - 1}`",
            f"政策 {pack.policy.id} 中 {name} 的基准值取自上一年（{year - 1} 年），但该年没有 {stated} 的数据："
            f"请用 --year {year - 1} 导入后运行 permu merge --year {year - 1}",
        )
    return last
