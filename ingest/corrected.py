"""The corrections of a warehouse: kept as versions, and tried against the newest merge.

Nothing is edited in place: another value, and a withdrawal, are new versions of the same correction; the newest counts.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from engine.schema.warehouse import Warehouse, now, who
from ingest.corrections import Correction, CorrectionFile, Whose
from ingest.evidence import unit_of

_TABLE = """CREATE TABLE IF NOT EXISTS corrections (
  correction_id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, enterprise_id TEXT NOT NULL,
  field TEXT NOT NULL, year INTEGER NOT NULL, value INTEGER, entry TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL,
  PRIMARY KEY (correction_id, version))"""


@dataclass(frozen=True)
class Version:
    """One version of a correction; ``state`` is active or withdrawn, ``entry`` what the file said."""

    correction_id: str
    version: int
    state: str
    enterprise_id: str
    entry: Whose
    at: str
    who: str

    def ended(self, today: date) -> bool:
        """Whether its last day has passed."""
        last = self.entry.last_day if isinstance(self.entry, Correction) else None
        return last is not None and last < today

    def standing(self, today: date) -> str:
        """active, ended or withdrawn."""
        return "ended" if self.state == "active" and self.ended(today) else self.state


# --- the store ----------------------------------------------------------------------------------------------------


def versions(warehouse: Warehouse, year: int | None = None) -> list[Version]:
    """Every version of every correction, newest last."""
    with warehouse.read() as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'corrections'").fetchone():
            return []
        rows = db.execute(
            "SELECT * FROM corrections WHERE ? IS NULL OR year = ? ORDER BY year, enterprise_id, field, version",
            (year, year),
        ).fetchall()
    return [_version(row) for row in rows]


def _version(row: sqlite3.Row) -> Version:
    kind = Correction if row["state"] == "active" else Whose
    entry = kind.model_validate_json(row["entry"])
    key, number, state, firm, at, by = (
        row[k] for k in ("correction_id", "version", "state", "enterprise_id", "at", "who")
    )
    return Version(key, number, state, firm, entry, at, by)


def newest(every: Iterable[Version]) -> list[Version]:
    """The version of each correction that counts."""
    return list({v.correction_id: v for v in every}.values())


def correction_id(enterprise_id: str, field: str, year: int) -> str:
    """One id for a figure: C and 12 hex digits, the same whenever it is corrected again."""
    return "C" + hashlib.sha256(f"{enterprise_id}/{field}/{year}".encode()).hexdigest()[:12].upper()


# --- a file of corrections ----------------------------------------------------------------------------------------


def take(warehouse: Warehouse, file: CorrectionFile, dry_run: bool = False) -> list[dict[str, Any]]:
    """Store what the file says unless ``dry_run``; a line each: what it is about, before, after, what is new.

    Raises no_merge, unknown_enterprise, bad_corrections, correction_guard, no_correction; then nothing is stored.
    """
    merges = _Merges(warehouse)
    known = {v.correction_id: v for v in newest(versions(warehouse))}
    lines, new, seen = [], [], set[str]()
    for entry in (*file.corrections, *file.withdraw):
        one = merges.enterprise(entry)
        key = correction_id(one["enterprise_id"], entry.field, entry.year)
        if key in seen:
            raise _twice(entry)
        seen.add(key)
        old, before = known.get(key), merges.uncorrected(one["enterprise_id"], entry)
        state, change = _change(entry, old, before)
        number = (old.version if old else 0) + (change != "unchanged")
        about = {"correction_id": key, "version": number, "state": state} | one
        value = entry.smallest(entry.value) if isinstance(entry, Correction) else None
        if change != "unchanged":
            new.append(
                (
                    key,
                    number,
                    state,
                    one["enterprise_id"],
                    entry.field,
                    entry.year,
                    value,
                    entry.model_dump_json(),
                )
            )
        lines.append(about | told(entry, before) | {"after": before if value is None else value, "change": change})
    if new and not dry_run:
        with warehouse.connect() as db:
            db.execute(_TABLE)
            db.executemany(f"INSERT INTO corrections VALUES ({', '.join('?' * 10)})", [(*n, now(), who()) for n in new])
    return lines


def told(entry: Whose, before: int | None) -> dict[str, Any]:
    """What a listing says of an entry; amounts are in the field's smallest unit, ``shown`` in the entry's own."""
    line: dict[str, Any] = {
        "field": entry.field, "year": entry.year, "unit": unit_of(entry.field), "before": before, "reason": entry.reason,
        "approver": entry.approver, "evidence": None, "expect": None, "until": None, "shown": None,
    }  # fmt: skip
    if isinstance(entry, Correction):
        line |= {"evidence": entry.evidence, "expect": entry.guard, "until": str(entry.until)}
        line["shown"] = f"{entry.shown(before)} → {entry.shown(entry.smallest(entry.value))}"
    return line


def _change(entry: Whose, old: Version | None, before: int | None) -> tuple[str, str]:
    """The state that an entry makes, and new, changed, unchanged or withdrawn."""
    if not isinstance(entry, Correction):
        if old is None or old.state == "withdrawn":
            raise _nothing_to_withdraw(entry)
        return "withdrawn", "withdrawn"
    if not entry.holds(before):
        raise guard_broken(entry, before, entry.enterprise)
    if old is not None and old.state == "active" and _same(old.entry, entry):
        return "active", "unchanged"
    return "active", "changed" if old else "new"


def _same(old: Whose, entry: Whose) -> bool:
    left, right = (e.model_dump(mode="json") | {"enterprise": ""} for e in (old, entry))
    return left == right


class _Merges:
    """The newest merge of each year that a file speaks of: who is in it, and its figures before correction."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse, self._folders = warehouse, dict[int, Path]()

    def enterprise(self, entry: Whose) -> dict[str, Any]:
        """enterprise_id, uscc, name; PermuError unknown_enterprise."""
        wanted = entry.enterprise.strip().upper()
        firms = pl.scan_parquet(self._folder(entry.year) / "enterprises.parquet", glob=False)
        found = firms.filter((pl.col("enterprise_id") == wanted) | (pl.col("uscc") == wanted))
        rows = found.select("enterprise_id", "uscc", "name").collect().to_dicts()
        if rows:
            return rows[0]
        raise PermuError(
            "unknown_enterprise",
            f"{entry.year} has no enterprise `{entry.enterprise}` to correct; give an enterprise id or a credit code of its register",
            f"{entry.year} 年名录中没有企业 `{entry.enterprise}`，无法更正；请使用名录中的企业编号或统一社会信用代码",
        )

    def uncorrected(self, enterprise_id: str, entry: Whose) -> int | None:
        """The figure as the departments gave it, null where none did."""
        place = self._folder(entry.year)
        for name, column in (("corrections", "before"), ("facts", "value")):
            if (place / f"{name}.parquet").is_file():
                mine = (pl.col("enterprise_id") == enterprise_id) & (pl.col("field") == entry.field)
                rows = pl.scan_parquet(place / f"{name}.parquet", glob=False).filter(mine).select(column).collect()
                if rows.height:
                    value: int | None = rows.item(0, 0)
                    return value
        return None

    def _folder(self, year: int) -> Path:
        if year not in self._folders:
            with self.warehouse.require().read() as db:
                row = db.execute(
                    "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)
                ).fetchone()
            if row is None:
                raise PermuError(
                    "no_merge",
                    f"{year} was not merged yet, so there is no figure to correct; run `permu merge --year {year}` first",
                    f"{year} 年尚未合并，没有可更正的数据；请先运行 permu merge --year {year}",
                )
            self._folders[year] = self.warehouse.merged / row["merge_id"]
        return self._folders[year]


def listing(warehouse: Warehouse, year: int | None = None, today: date | None = None) -> list[dict[str, Any]]:
    """The corrections of the warehouse: the newest version of each with its state, and the versions before it."""
    every = versions(warehouse.require(), year)
    merges, day = _Merges(warehouse), today or date.today()
    lines = []
    for one in newest(every):
        before = merges.uncorrected(one.enterprise_id, one.entry)
        line: dict[str, Any] = {"correction_id": one.correction_id, "version": one.version, "state": one.standing(day)}
        line |= {"enterprise_id": one.enterprise_id} | told(one.entry, before) | {"at": one.at, "who": one.who}
        line["value"] = one.entry.smallest(one.entry.value) if isinstance(one.entry, Correction) else None
        mine = [v for v in every if v.correction_id == one.correction_id]
        line["versions"] = [
            {
                "version": v.version,
                "state": v.state,
                "at": v.at,
                "who": v.who,
                "entry": json.loads(v.entry.model_dump_json()),
            }
            for v in mine
        ]
        lines.append(line)
    return lines


# --- what goes wrong ----------------------------------------------------------------------------------------------


def guard_broken(entry: Correction, before: int | None, enterprise: str, key: str = "") -> PermuError:
    title, was = FACTS[entry.field], entry.shown(before)
    name = f"correction {key}" if key else "correction"
    return PermuError(
        "correction_guard",
        f"{name} of {title.en} ({entry.field}) of {enterprise} in {entry.year} expects {entry.guard}, but the departments "
        f"now say {was}: perhaps the source was repaired; withdraw the correction or give it a new guard (`permu correct FILE`)",
        f"更正 {key}（{enterprise} {entry.year} 年 {title.zh}）的前提是 {entry.guard}，但部门数据现为 {was}：来源可能已更正；"
        "请撤回该更正或修改其前提（permu correct FILE）",
    )  # fmt: skip


def _twice(entry: Whose) -> PermuError:
    return PermuError(
        "bad_corrections",
        f"{entry.field} of {entry.enterprise} in {entry.year} stands twice in the file, by id and by credit code; keep one",
        f"文件中 {entry.enterprise} {entry.year} 年 {entry.field} 出现两次（编号与信用代码指同一企业）；请只保留一条",
    )


def _nothing_to_withdraw(entry: Whose) -> PermuError:
    return PermuError(
        "no_correction",
        f"{entry.field} of {entry.enterprise} in {entry.year} is not corrected, so there is nothing to withdraw; "
        "`permu correct list` shows what is",
        f"{entry.enterprise} {entry.year} 年 {entry.field} 没有生效的更正，无可撤回；permu correct list 可查看现有更正",
    )
