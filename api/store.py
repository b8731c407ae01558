"""The releases of a warehouse, opened when they are first asked for; new ones are seen without a restart."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from engine.query import Board
from engine.query.parameters import read, refuse
from engine.releases import DEFAULT_POLICY, Release, list_releases, open_release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

OPEN_BOARDS = 6


@dataclass(frozen=True)
class Listed:
    """A release as the ledger lists it."""

    release_id: str
    year: int
    policy: str
    created_at: str
    rows: int
    rankings_sha256: str
    state: str | None


@dataclass(frozen=True)
class Opened:
    """An open release: its entry in the ledger, its board and its folder."""

    listed: Listed
    board: Board
    release: Release


class Store:
    """Finds, opens and keeps releases. A request takes one of them and stays with it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._stamp: tuple[int, ...] = ()
        self._index: tuple[Listed, ...] = ()
        self._open: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.Lock()

    def index(self) -> tuple[Listed, ...]:
        """Every release, newest year first, then newest; read again whenever the ledger's files changed."""
        stamp = self._ledger_stamp()
        if stamp != self._stamp or not stamp:
            names = Listed.__dataclass_fields__
            self._index = tuple(Listed(**{n: row[n] for n in names}) for row in list_releases(self.warehouse))
            self._stamp = stamp
        return self._index

    def _ledger_stamp(self) -> tuple[int, ...]:
        found: list[int] = []
        for suffix in ("", "-wal"):
            try:
                stat = self.warehouse.ledger.with_name(self.warehouse.ledger.name + suffix).stat()
            except FileNotFoundError:
                found += [0, 0]
            else:
                found += [stat.st_mtime_ns, stat.st_size]
        return tuple(found) if found[0] else ()

    def choose(self, release: str | None = None, year: str | None = None, policy: str | None = None) -> Listed:
        """The release asked: by id, else the newest of the year and policy (default sunan-2017 where there is one)."""
        wanted = read("year", year)
        if release is not None:
            return self._by_id(release, wanted, policy)
        usable = [r for r in self.index() if r.state != "withdrawn" and wanted in (None, r.year)]
        chosen = policy or (DEFAULT_POLICY if any(r.policy == DEFAULT_POLICY for r in usable) else None)
        for listed in usable:
            if chosen in (None, listed.policy):
                return listed
        raise PermuError(
            "no_release",
            f"no release of year {year or 'any'} and policy {policy or 'any'}: rank one with `permu rank`, "
            "or see /api/v1/releases",
            f"没有年份 {year or '不限'}、办法 {policy or '不限'} 的发布版本：请先运行 permu rank，或查看 /api/v1/releases",
        )

    def _by_id(self, release: str, year: int | None, policy: str | None) -> Listed:
        for listed in self.index():
            if listed.release_id == release:
                if year not in (None, listed.year):
                    refuse(
                        "year", year, f"release {release} is of {listed.year}", f"版本 {release} 属于 {listed.year} 年"
                    )
                if policy not in (None, listed.policy):
                    refuse(
                        "policy",
                        policy,
                        f"release {release} is by {listed.policy}",
                        f"版本 {release} 使用 {listed.policy}",
                    )
                return listed
        raise PermuError(
            "unknown_release",
            f"no release {release[:80]!r}: see /api/v1/releases",
            f"没有发布版本 {release[:80]!r}：见 /api/v1/releases",
        )

    def open(self, listed: Listed) -> Opened:
        """The open release; ``release_gone`` where its folder is no longer whole."""
        folder = self.warehouse.releases / listed.release_id
        if not (folder / "manifest.json").is_file() or not (folder / "rankings.parquet").is_file():
            with self._lock:
                self._open.pop(listed.release_id, None)
            raise _gone(listed.release_id)
        with self._lock:
            if listed.release_id not in self._open:
                release = open_release(folder)
                self._open[listed.release_id] = Opened(listed, Board(release), release)
            self._open.move_to_end(listed.release_id)
            while len(self._open) > OPEN_BOARDS:
                self._open.popitem(last=False)
            return self._open[listed.release_id]

    def find(self, release: str | None = None, year: str | None = None, policy: str | None = None) -> Opened:
        """:meth:`choose` and :meth:`open` in one."""
        return self.open(self.choose(release, year, policy))


def _gone(release_id: str) -> PermuError:
    return PermuError(
        "release_gone",
        f"release {release_id} is listed but its folder is gone or incomplete: restore it, or ask for another release",
        f"发布版本 {release_id} 已登记，但其目录已不存在或不完整：请恢复该目录，或改用其他版本",
    )
