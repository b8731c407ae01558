"""The releases of a warehouse, opened when they are first asked for; new ones are seen without a restart.

A large release takes a while to prepare (engine.served), which ``permu rank`` has done before it ends. Where it was
not done, no request waits for it: unasked the release before stays the default, and who asks for this one by its id
is answered from its table in memory, until api.warm has prepared it.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from api.operations.metrics import RELEASES
from engine.query import Board
from engine.query.parameters import read, refuse
from engine.releases import DEFAULT_POLICY, Release, list_releases, open_release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from engine.served import FEW, found, is_ready, ready

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
    files: tuple[Path, ...]  # without these the release is gone


class Ledger:
    """The releases that the ledger lists, read again whenever its files changed."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._files = (warehouse.ledger, warehouse.ledger.with_name(warehouse.ledger.name + "-wal"))
        self._read: tuple[tuple[int, ...], tuple[Listed, ...]] = ((), ())

    def index(self) -> tuple[Listed, ...]:
        """Every release, newest year first, then newest."""
        stamp = self._stamp()
        known, entries = self._read
        if stamp != known or not stamp:
            names = Listed.__dataclass_fields__
            found = tuple(Listed(**{n: row[n] for n in names}) for row in list_releases(self.warehouse))
            # the ledger's files change with every batch of the audit log: what lists the same stays the same object
            entries = entries if found == entries else found
            self._read = (stamp, entries)
        return entries

    def at_hand(self) -> tuple[Listed, ...] | None:
        """The same if nothing has to be read for it."""
        known, entries = self._read
        return entries if known and known == self._stamp() else None

    def _stamp(self) -> tuple[int, ...]:
        found: list[int] = []
        for file in self._files:
            try:
                stat = file.stat()
            except FileNotFoundError:
                found += [0, 0]
            else:
                found += [stat.st_mtime_ns, stat.st_size]
        return tuple(found) if found[0] else ()


class Store:
    """Finds, opens and keeps releases. A request takes one of them and stays with it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.ledger = Ledger(warehouse)
        self._sees: Callable[[str | None], bool] | None = None
        self._open: OrderedDict[str, Opened] = OrderedDict()
        self._opening: dict[str, threading.Lock] = {}
        self._prepared: set[str] = set()
        self._tried: set[str] = set()  # and perhaps it cannot be done
        self._wanted: dict[str, Listed] = {}  # open, and not prepared
        self._lock = threading.Lock()

    def seen_by(self, sees: Callable[[str | None], bool]) -> Store:
        """The same store for somebody to whom only releases of some states exist (``sees(state)``)."""
        narrowed = copy.copy(self)
        narrowed._sees = sees
        return narrowed

    def index(self) -> tuple[Listed, ...]:
        """Every release that may be seen, newest year first, then newest."""
        return self._seen(self.ledger.index())

    def _seen(self, entries: tuple[Listed, ...]) -> tuple[Listed, ...]:
        return entries if self._sees is None else tuple(e for e in entries if self._sees(e.state))

    def choose(self, release: str | None = None, year: str | None = None, policy: str | None = None) -> Listed:
        """The release asked: by id, else the newest of the year and policy (default sunan-2017 where there is one)."""
        return self.chosen(self.index(), release, year, policy)

    def chosen(self, entries: tuple[Listed, ...], release: str | None, year: str | None, policy: str | None) -> Listed:
        """:meth:`choose` among these."""
        wanted = read("year", year)
        if release is not None:
            return _by_id(entries, release, wanted, policy)
        fitting = self._fitting(entries, wanted, policy)
        return next((listed for listed in fitting if self.is_prepared(listed)), fitting[0])

    def newest(self) -> Listed:
        """The release that is the default once it is prepared."""
        return self._fitting(self.index())[0]

    def _fitting(self, entries: tuple[Listed, ...], year: int | None = None, policy: str | None = None) -> list[Listed]:
        usable = [r for r in entries if r.state != "withdrawn" and year in (None, r.year)]
        chosen = policy or (DEFAULT_POLICY if any(r.policy == DEFAULT_POLICY for r in usable) else None)
        fitting = [r for r in usable if chosen in (None, r.policy)]
        if fitting:
            return fitting
        raise PermuError(
            "no_release",
            f"no release of year {year or 'any'} and policy {policy or 'any'}: rank one with `permu rank`, "
            "or see /api/v1/releases",
            f"没有年份 {year or '不限'}、办法 {policy or '不限'} 的发布版本：请先运行 permu rank，或查看 /api/v1/releases",
        )

    def open(self, listed: Listed) -> Opened:
        """The open release; ``release_gone`` where its folder is no longer whole."""
        folder = self.warehouse.releases / listed.release_id
        if not _stand(_files(folder)):
            with self._lock:
                self._open.pop(listed.release_id, None)
            raise _gone(listed.release_id)
        found = self._kept(listed)
        if found is None:
            with self._lock:
                opening = self._opening.setdefault(listed.release_id, threading.Lock())
            with opening:
                found = self._kept(listed) or self._keep(self._opened(folder, listed))
        return found

    def standing(self) -> dict[str, Opened]:
        """The open releases whose folders are where they were, by id."""
        with self._lock:
            held = list(self._open.items())
        return {release_id: opened for release_id, opened in held if _stand(opened.files)}

    def _kept(self, listed: Listed) -> Opened | None:
        with self._lock:
            found = self._open.get(listed.release_id)
            if found is None:
                return None
            self._open.move_to_end(listed.release_id)
            if found.listed != listed:  # its state changed
                found = self._open[listed.release_id] = replace(found, listed=listed)
            return found

    def _keep(self, opened: Opened) -> Opened:
        with self._lock:
            self._open[opened.listed.release_id] = opened
            while len(self._open) > OPEN_BOARDS:
                self._open.popitem(last=False)
            RELEASES.set(len(self._open))
        return opened

    def is_prepared(self, listed: Listed) -> bool:
        """Whether it can be served without a wait: a small one always can."""
        if listed.rows <= FEW or listed.release_id in self._prepared or listed.release_id in self._tried:
            return True
        folder = self.warehouse.releases / listed.release_id
        if is_ready(folder, listed.rankings_sha256, self._cache(listed)):
            self._prepared.add(listed.release_id)
        return listed.release_id in self._prepared

    def unprepared(self) -> tuple[Listed, ...]:
        """What is open and answers from its table in memory until it is prepared."""
        with self._lock:
            return tuple(self._wanted.values())

    def prepare(self, listed: Listed) -> None:
        """Make the files of a release, which may take minutes, and answer from them from then on."""
        folder = self.warehouse.releases / listed.release_id
        if _stand(_files(folder)):
            ready(folder, open_release(folder).manifest, self._cache(listed))
        with self._lock:
            self._tried.add(listed.release_id)
            self._wanted.pop(listed.release_id, None)
            opened = listed.release_id in self._open
        if opened:
            self._keep(self._opened(folder, listed))

    def _cache(self, listed: Listed) -> Path:
        return self.warehouse.home / "cache" / listed.release_id

    def _opened(self, folder: Path, listed: Listed) -> Opened:
        release = open_release(folder)
        make = ready if listed.rows <= FEW else found
        served = make(folder, release.manifest, self._cache(listed))
        if served is None and listed.release_id not in self._tried and listed.rows > FEW:
            self._wanted[listed.release_id] = listed
        if served is not None:
            release = replace(release, mapped=served.table)
        return Opened(listed, Board(release, served), release, _files(folder))

    def find(self, release: str | None = None, year: str | None = None, policy: str | None = None) -> Opened:
        """:meth:`choose` and :meth:`open` in one."""
        return self.open(self.choose(release, year, policy))


def _by_id(entries: tuple[Listed, ...], release: str, year: int | None, policy: str | None) -> Listed:
    for listed in entries:
        if listed.release_id == release:
            if year not in (None, listed.year):
                refuse("year", year, f"release {release} is of {listed.year}", f"版本 {release} 属于 {listed.year} 年")
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


def _files(folder: Path) -> tuple[Path, ...]:
    return (folder / "manifest.json", folder / "rankings.parquet")


def _stand(files: tuple[Path, ...]) -> bool:
    return all(file.is_file() for file in files)


def _gone(release_id: str) -> PermuError:
    return PermuError(
        "release_gone",
        f"release {release_id} is listed but its folder is gone or incomplete: restore it, or ask for another release",
        f"发布版本 {release_id} 已登记，但其目录已不存在或不完整：请恢复该目录，或改用其他版本",
    )
