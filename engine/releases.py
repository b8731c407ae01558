"""Releases: immutable folders of one year under one policy, their states in the ledger, finding and checking them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from engine.policy.packs import Pack, read_pack
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

STATES = ("draft", "public", "final", "withdrawn")
DEFAULT_POLICY = "sunan-2017"


@dataclass(frozen=True)
class Release:
    """One release folder; its tables are read when first asked for."""

    folder: Path
    manifest: dict[str, Any]
    mapped: pl.DataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        """The release id."""
        return self.manifest["release_id"]

    @cached_property
    def pack(self) -> Pack:
        """The policy pack that the release was ranked by, as it was then; PermuError release_gone where it is not there."""
        place = self.folder / "policy.yaml"
        try:
            return read_pack(place.read_text(encoding="utf-8"), f"{self.id}/policy.yaml")
        except OSError as error:
            raise _gone(place, error) from error

    @cached_property
    def rankings(self) -> pl.DataFrame:
        """The rankings table, in enterprise_id order: ``mapped`` where a server has it (engine.served)."""
        return self.mapped if self.mapped is not None else self.table("rankings").collect()

    def table(self, name: str) -> pl.LazyFrame:
        """One of the release's Parquet tables; PermuError release_gone where it is not readable."""
        place = self.folder / f"{name}.parquet"
        try:
            pl.read_parquet_schema(place)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise _gone(place, error) from error
        return pl.scan_parquet(place, glob=False)

    def has(self, name: str) -> bool:
        """Whether the release holds a table (a warehouse without land files has no ``land_use``)."""
        return (self.folder / f"{name}.parquet").is_file()

    def file_of(self, load_id: str) -> str | None:
        """The name of the file that a load received."""
        return next((x["file"] for x in self.manifest["loads"] if x["load_id"] == load_id), None)

    def enterprise(self, key: str) -> dict[str, Any]:
        """The ranking row of an enterprise id or credit code; PermuError unknown_enterprise."""
        wanted = key.strip().upper()
        found = (
            self.table("rankings").filter((pl.col("enterprise_id") == wanted) | (pl.col("uscc") == wanted)).collect()
        )
        if found.height:
            return found.row(0, named=True)
        raise PermuError(
            "unknown_enterprise",
            f"release {self.id} has no enterprise `{key}`; give an enterprise id or an 18-character credit code",
            f"发布 {self.id} 中没有企业 `{key}`；请使用企业编号或 18 位统一社会信用代码",
        )


def open_release(folder: Path) -> Release:
    """The release in ``folder``; PermuError release_gone where it is no longer there or not whole."""
    try:
        return Release(folder, json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise _gone(folder, error) from error


def _gone(place: Path, error: Exception) -> PermuError:
    return PermuError(
        "release_gone",
        f"{place} is not readable ({type(error).__name__}): the release is damaged or was removed; restore it, or rank "
        "again with the same data and policy, which writes it anew",
        f"{place} 无法读取（{type(error).__name__}）：该发布已损坏或被移走；请恢复，或用相同数据和政策重新排名以重新生成",
    )


def list_releases(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Every release, newest year first and in it newest first: ledger columns, ``state`` and since when."""
    with warehouse.read() as db:
        rows = db.execute(
            "SELECT r.*, (SELECT state FROM release_events e WHERE e.release_id = r.release_id"
            " ORDER BY at DESC LIMIT 1) AS state FROM releases r ORDER BY year DESC, created_at DESC"
        ).fetchall()
    return [dict(row) for row in rows]


def find(
    warehouse: Warehouse, release: str | None = None, year: int | None = None, policy: str | None = None
) -> Release:
    """A release by id, else the newest of ``year`` (else of all) under ``policy``; withdrawn ones do not count."""
    known = list_releases(warehouse)
    if release is not None:
        if any(r["release_id"] == release for r in known):
            return open_release(warehouse.releases / release)
        raise PermuError(
            "unknown_release",
            f"no release `{release}` in {warehouse.home}; `permu releases` lists what there is",
            f"{warehouse.home} 中没有发布 `{release}`；permu releases 可列出现有发布",
        )
    wanted = policy or DEFAULT_POLICY
    fits = [r for r in known if r["state"] != "withdrawn" and r["policy"] == wanted and year in (None, r["year"])]
    if not fits:
        raise _none(warehouse, year, wanted)
    return open_release(warehouse.releases / fits[0]["release_id"])


def _none(warehouse: Warehouse, year: int | None, policy: str) -> PermuError:
    of, zh = (f" of {year}", f" {year} 年") if year else ("", "")
    todo = f"permu rank --year {year or 'YEAR'} --policy {policy}"
    return PermuError(
        "no_release",
        f"no release{of} under policy {policy} in {warehouse.home}; run `{todo}`",
        f"{warehouse.home} 中没有{zh}政策 {policy} 的发布；请运行 {todo}",
    )
