"""The warehouse: one folder that holds everything received and everything made of it.

::

    <home>/loads/<load_id>/<file as received>      mode 0700
    <home>/canonical/<source>/<load_id>/<table>.parquet
    <home>/refused/<source>/<load_id>.parquet      with <load_id>.corrections.parquet beside a load of corrected rows
    <home>/merged/<merge_id>/*.parquet             facts, claims, enterprises, links, land …
    <home>/releases/<release_id>/                  immutable: Parquet, DuckDB, layers, manifest.json
    <home>/sources/*.yaml                          departments that the bureau declares itself (docs/ingest.md)
    <home>/permu.sqlite                            ledger, merges, release states, audit (WAL, short transactions)
    <home>/tmp/                                    unfinished work; emptied by the next holder of the lock

A folder is built under ``tmp`` and renamed into place, then one SQLite transaction makes it count:
killed at any moment, what was there before is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.schema.errors import PermuError

_TABLES = """
CREATE TABLE IF NOT EXISTS loads (
  load_id TEXT PRIMARY KEY, source TEXT NOT NULL, year INTEGER NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
  mapping_sha256 TEXT, rows_in INTEGER NOT NULL, kept INTEGER NOT NULL, refused INTEGER NOT NULL,
  furniture INTEGER NOT NULL, reasons TEXT NOT NULL, understood TEXT NOT NULL, received_at TEXT NOT NULL,
  who TEXT NOT NULL, superseded_by TEXT);
CREATE INDEX IF NOT EXISTS loads_by_source ON loads (source, year);
CREATE TABLE IF NOT EXISTS merges (
  merge_id TEXT PRIMARY KEY, year INTEGER NOT NULL, created_at TEXT NOT NULL, loads TEXT NOT NULL,
  counts TEXT NOT NULL, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS releases (
  release_id TEXT PRIMARY KEY, year INTEGER NOT NULL, policy TEXT NOT NULL, created_at TEXT NOT NULL,
  merge_id TEXT NOT NULL, engine TEXT NOT NULL, rows INTEGER NOT NULL, rankings_sha256 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS release_events (
  release_id TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS audit (at TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL);
"""


def now() -> str:
    """This moment in UTC, ISO 8601 to the microsecond (the order of events must not tie)."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def who() -> str:
    """The account that runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


class Warehouse:
    """Paths, the SQLite ledger and the ingest lock of one warehouse folder."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.loads, self.canonical = self.home / "loads", self.home / "canonical"
        self.refused, self.merged = self.home / "refused", self.home / "merged"
        self.releases, self.tmp = self.home / "releases", self.home / "tmp"
        self.ledger = self.home / "permu.sqlite"

    @classmethod
    def locate(cls, home: Path | None = None) -> Warehouse:
        """``home``, else ``PERMU_HOME``, else ``data/warehouse`` under the current folder."""
        return cls(home or Path(os.environ.get("PERMU_HOME") or Path("data") / "warehouse"))

    def create(self) -> Warehouse:
        """Make the folders that are missing."""
        for folder in (self.loads, self.canonical, self.refused, self.merged, self.releases, self.tmp):
            folder.mkdir(parents=True, exist_ok=True)
        self.loads.chmod(0o700)
        return self

    def require(self) -> Warehouse:
        """This warehouse if it exists; else an error that says how to make one."""
        if self.ledger.is_file():
            return self
        raise PermuError(
            "no_warehouse",
            f"no warehouse at {self.home}: nothing was ingested there yet; run `permu ingest PATH` first, "
            "or name the folder with --home or PERMU_HOME",
            f"{self.home} 处没有数据仓库：尚未导入任何数据；请先运行 permu ingest PATH，或用 --home / PERMU_HOME 指定目录",
        )

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """One short transaction on the ledger: committed at the end, rolled back on an exception."""
        if not self.ledger.is_file():
            self._make_ledger()
        db = sqlite3.connect(self.ledger, timeout=30, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise self._damaged(error) from error
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        finally:
            db.close()

    def _damaged(self, error: sqlite3.DatabaseError) -> Exception:
        """A file that is no ledger, told in words; what the disk or another process does stays as it is."""
        if isinstance(error, sqlite3.OperationalError | sqlite3.IntegrityError | sqlite3.ProgrammingError):
            return error
        return PermuError(
            "ledger_damaged",
            f"{self.ledger} is no readable ledger ({error}): restore it from a backup; the loads and releases beside it "
            "are whole",
            f"{self.ledger} 无法读取（{error}）：请从备份恢复；其旁的批次与发布文件不受影响",
        )

    def _make_ledger(self) -> None:
        """Make the ledger aside and link it into place with all its tables: nobody ever sees half of it."""
        with self.staging() as folder:
            db = sqlite3.connect(folder / "new.sqlite", isolation_level=None)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(_TABLES)
            finally:
                db.close()
            try:
                os.link(folder / "new.sqlite", self.ledger)
            except FileExistsError:
                pass  # another process was quicker
            except OSError:  # a file system without links
                (folder / "new.sqlite").replace(self.ledger)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The ledger for reading only; never waits for a writer (WAL)."""
        address = f"{self.require().ledger.as_uri()}?mode=ro"
        db = sqlite3.connect(address, uri=True, timeout=30)
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # On a read-only disk SQLite cannot make the files of its WAL; nobody writes there either.
            db.close()
            if os.access(self.home, os.W_OK):
                raise
            db = sqlite3.connect(f"{address}&immutable=1", uri=True)
        except sqlite3.DatabaseError as error:
            db.close()
            raise self._damaged(error) from error
        db.row_factory = sqlite3.Row
        try:
            yield db
        finally:
            db.close()

    @contextlib.contextmanager
    def lock(self, action: str, wait: bool = False) -> Iterator[None]:
        """The one lock of everything that writes (ingest, merge, rank); says who holds it since when, or waits for it.

        The kernel drops it when its holder dies, so a killed run never blocks the next one; what the dead
        run left in ``tmp`` is removed here.
        """
        self.create()
        with (self.home / "lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                raise self._busy(handle.read()) from None
            handle.seek(0)
            handle.truncate()
            handle.write(json.dumps({"who": who(), "pid": os.getpid(), "action": action, "since": time.time()}))
            handle.flush()
            for left in self.tmp.iterdir():
                shutil.rmtree(left, ignore_errors=True)
            yield

    def _busy(self, text: str) -> PermuError:
        try:
            holder = json.loads(text)
        except ValueError:
            holder = {}
        since = holder.get("since", time.time())
        age, begun = int(time.time() - since), datetime.fromtimestamp(since).strftime("%Y-%m-%d %H:%M:%S")
        name = f"{holder.get('action', '?')} (pid {holder.get('pid', '?')}, {holder.get('who', '?')})"
        return PermuError(
            "warehouse_busy",
            f"{self.home}: another command is writing: {name}, since {begun} ({age} s); run this again when it has ended, "
            "or let permu ingest wait with --wait",
            f"{self.home}：另一命令正在写入：{name}，始于 {begun}（已 {age} 秒）；请等待其结束后重试，或用 permu ingest --wait 等待",
        )

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder on the warehouse's own disk for work that is renamed into place when it is complete."""
        folder = self.tmp / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def settle(built: Path, place: Path) -> None:
    """Rename a finished folder or file into place, durably; what already stood there gives way."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for file in [built] if built.is_file() else [f for f in built.rglob("*") if f.is_file()]:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    if place.is_dir():
        shutil.rmtree(place)
    built.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
