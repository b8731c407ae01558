"""What a new file does to older loads of the same source and year, by the rule that its tables declare.

Nothing old is deleted: an older load that is replaced whole is marked in the ledger, single rows are listed beside
their table with the load that took their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.schema.errors import PermuError
from ingest.declarations import Table
from ingest.loading import Loading
from ingest.store import SUPERSEDED_SCHEMA, superseded
from ingest.unique import Keys, against, common_rows

# A load may hold this share less than the last one of its kind before a person is asked.
_SHRINK_PERCENT = 20
# Keys in common from which a file without regions counts as a new delivery of the older one's firms.
_SAME_FIRMS_PERCENT = 90
_ENOUGH_ROWS = 50


@dataclass(frozen=True)
class Shrunk:
    """A table that holds fewer rows than the last load of its kind: that load, its file, and both counts."""

    table: str
    load_id: str
    file: str
    before: int
    now: int


class Replacing:
    """One new load against the older loads (ledger rows, oldest first) of its source and year that still count.

    ``beside`` names those of the same command: files that came together do not replace each other whole.
    """

    def __init__(self, loading: Loading, older: list[dict[str, Any]], beside: set[str]) -> None:
        self.loading, self.older = loading, older
        self._before = [o for o in older if o["load_id"] not in beside]
        self.whole: list[str] = []
        self._declared: dict[str, Table] = {name: keys.table for (name, _), keys in loading.keys.items()}

    def settle(self) -> None:
        """Older loads that are replaced whole, then row by row what the tables' rules say."""
        self.whole = [str(o["load_id"]) for o in self._before if self._replaced_by_name(o)]
        self.whole += [str(o["load_id"]) for o in self.older if _replayed(o) in self.whole]
        rest = [o for o in self.older if o["load_id"] not in self.whole]
        live = {str(o["load_id"]) for o in rest}
        for name, amounts, keys in [(n, a, k) for (n, a), k in self.loading.keys.items()]:
            for load in rest:
                if self._comparable(load, name, amounts):
                    self._settle_one(load, name, keys, live)

    def shrunk(self) -> list[Shrunk]:
        """Tables of the last load of this one's kind of which more than 20 % of the rows are missing now."""
        found = []
        for name, (load, before) in self._last_of_kind().items():
            now = self.loading.delivered.get(name, 0)
            if (before - now) * 100 > before * _SHRINK_PERCENT:
                found.append(Shrunk(name, str(load["load_id"]), str(load["file"]), before, now))
        return found

    # --- which loads -----------------------------------------------------------------------------------------

    def _last_of_kind(self) -> dict[str, tuple[dict[str, Any], int]]:
        last: dict[str, tuple[dict[str, Any], int]] = {}
        for load in self._before:
            for name, told in _told(load).items():
                if _replayed(load) is None and self._same_kind(load, name, told):
                    last[name] = (load, int(told.get("delivered", told["rows"])))
        return last

    def _same_kind(self, load: dict[str, Any], name: str, told: dict[str, Any]) -> bool:
        mine = self.loading.counties.get(name, set())
        theirs = set(told.get("counties", []))
        if load["file"] == self.loading.job.drop.label:
            return (
                name not in self._declared or bool(mine & theirs) or (not (mine and theirs) and self._meets(load, name))
            )
        if name not in self._declared or told["periods"] != self.loading.periods(name):
            return False
        if set(told["amounts"]) != set(self.loading.amounts(name)):
            return False
        return mine == theirs if mine or theirs else self._same_firms(load, name, told)

    def _same_firms(self, load: dict[str, Any], name: str, told: dict[str, Any]) -> bool:
        """Whether a file without counties is a new delivery of the older one's firms; a short list is a supplement."""
        before, now = int(told.get("delivered", told["rows"])), self.loading.delivered[name]
        if before < _ENOUGH_ROWS or now * 2 < before:
            return False
        return self._common(load, name) * 100 >= _SAME_FIRMS_PERCENT * now

    def _replaced_by_name(self, load: dict[str, Any]) -> bool:
        """A file of the same name, whose tables declare no rule, that covers what the older one held."""
        if load["file"] != self.loading.job.drop.label:
            return False
        tables = {n: t for n, t in _told(load).items() if n in self._declared}
        ruled = any(self._declared[n].on_new for n in tables)
        return bool(tables) and not ruled and all(self._covers(load, n, told) for n, told in tables.items())

    def _covers(self, load: dict[str, Any], name: str, told: dict[str, Any]) -> bool:
        mine, theirs = self.loading.periods(name), told["periods"]
        if mine and theirs and not (mine[0] <= theirs[0] and theirs[1] <= mine[1]):
            return False
        counties = set(told.get("counties", []))
        here = self.loading.counties.get(name, set())
        return counties <= here if counties and here else self._meets(load, name)

    def _meets(self, load: dict[str, Any], name: str) -> bool:
        """Whether any key of the older table recurs (a table without a key, or without rows, always meets)."""
        empty = not _told(load)[name]["rows"] or not self.loading.delivered[name]
        return empty or not self._declared[name].unique or self._common(load, name) > 0

    def _common(self, load: dict[str, Any], name: str) -> int:
        """How many rows of the new table have a key of the older one."""
        table = self._declared[name]
        if not table.unique:
            return 0
        return common_rows(self.loading.tables[name].path, self._path(load, name), table, self.loading.daily(name))

    def _comparable(self, load: dict[str, Any], name: str, amounts: frozenset[str]) -> bool:
        """Whether an older load could hold the same rows: same table, common amounts, overlapping periods."""
        theirs = _told(load).get(name)
        if theirs is None:
            return False
        disjoint = bool(amounts) and bool(theirs["amounts"]) and amounts.isdisjoint(theirs["amounts"])
        mine = self.loading.periods(name)
        apart = bool(mine and theirs["periods"]) and (mine[0] > theirs["periods"][1] or mine[1] < theirs["periods"][0])
        return not disjoint and not apart

    # --- rows ------------------------------------------------------------------------------------------------

    def _settle_one(self, load: dict[str, Any], name: str, keys: Keys, live: set[str]) -> None:
        table = self._declared[name]
        rule = table.on_new or ("upsert" if table.unique else "append")
        if "replay_of" in self.loading.job.extra and rule == "replace":
            rule = "upsert" if table.unique else "append"  # single corrected rows are no new delivery
        if rule == "append":
            return
        path = self._path(load, name)
        gone = superseded(self.loading.warehouse, self.loading.source, str(load["load_id"]), name, live)
        if rule == "replace":
            replaced = self._in_scope(path, gone, table, name)
        else:
            stream = self.loading.tables[name]
            pairs = against(stream.path, path, gone, keys.table, keys, self.loading.daily(name))
            for same, again in pairs:
                self.loading.refuse(name, same.with_columns(pl.lit("duplicate_row").alias("code")))
                if again.height:
                    self._supersede(str(load["load_id"]), name, gone, again)
            return
        if replaced.height:
            self._supersede(str(load["load_id"]), name, gone, replaced)

    def _in_scope(self, path: Path, gone: pl.DataFrame, table: Table, name: str) -> pl.DataFrame:
        """Rows (row, sheet) of the older table of counties and periods that the new one holds too."""
        old = pl.scan_parquet(path, glob=False)
        new = pl.scan_parquet(self.loading.tables[name].path, glob=False)
        for column, held in ((table.period, pl.col), (table.region, lambda c: pl.col(c).str.slice(0, 6))):
            values = new.select(held(column)).unique().collect().to_series() if column else None
            if column and values is not None and values.drop_nulls().len():
                old = old.filter(held(column).is_in(values.implode()) | pl.col(column).is_null())
        return old.select("row", "sheet").collect().join(gone.select("row", "sheet"), on=["row", "sheet"], how="anti")

    def _supersede(self, old_id: str, name: str, gone: pl.DataFrame, replaced: pl.DataFrame) -> None:
        self.loading.replaced += replaced.height
        folder = self.loading.staged / "superseded" / old_id
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"{name}.superseded.parquet"
        before = [pl.read_parquet(place, glob=False)] if place.is_file() else [gone]
        mine = replaced.with_columns(pl.lit(self.loading.job.load_id).alias("by")).select(list(SUPERSEDED_SCHEMA))
        pl.concat([*before, mine]).unique(["row", "sheet"], maintain_order=True).write_parquet(place)

    def _path(self, load: dict[str, Any], name: str) -> Path:
        return self.loading.warehouse.canonical / self.loading.source / str(load["load_id"]) / f"{name}.parquet"


def _told(load: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = load["understood"].get("tables", {})
    return tables


def _replayed(load: dict[str, Any]) -> str | None:
    """The load whose refused rows this one corrects; None for a department's file."""
    replay = load["understood"].get("replay_of")
    return None if replay is None else str(replay)


def load_shrinks(file: str, shrunk: list[Shrunk]) -> PermuError:
    """The refusal that names both counts."""
    en = "; ".join(f"{s.table} has {s.now:,} rows, the last one ({s.file}) had {s.before:,}" for s in shrunk)
    zh = "；".join(f"{s.table} 有 {s.now:,} 行，而上一次（{s.file}）有 {s.before:,} 行" for s in shrunk)
    return PermuError(
        "load_shrinks",
        f"{file}: not loaded: it shrinks by more than {_SHRINK_PERCENT} %: {en}; ask the department whether rows are "
        "missing, or pass --accept-shrink",
        f"{file}：未导入：减少超过 {_SHRINK_PERCENT} %：{zh}；请向报送单位核实是否缺行，确认无误则加 --accept-shrink",
        tables=[{"table": s.table, "load_id": s.load_id, "before": s.before, "now": s.now} for s in shrunk],
    )
