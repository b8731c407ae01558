"""Who saw and exported what: rows that can only be added, each bound to the one before by a hash.

Views are counted in memory and written every half second (and when the server stops); equal ones of that time are
one row with a count. An export is written before its first byte. Kept are user, role, time, address, question,
release, rows and status: no key, no address of a person's machine.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from api.rights.users import tables, today
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now

EVERY_SECONDS = 0.1
MOST_PENDING = 200_000  # different rows; a view that finds no room is refused
FIRST = "0" * 64
_SECRET = ("key", "token", "secret", "password", "code", "access_token", "api_key", "authorization")
_TABLE = """
CREATE TABLE IF NOT EXISTS access (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL,
  method TEXT NOT NULL, route TEXT NOT NULL, question TEXT NOT NULL, release TEXT, rows INTEGER,
  status INTEGER NOT NULL, times INTEGER NOT NULL, hash TEXT NOT NULL)"""
_GUARDS = (
    "CREATE TRIGGER IF NOT EXISTS access_no_update BEFORE UPDATE ON access"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS access_no_delete BEFORE DELETE ON access"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
)
_ROW = f"({', '.join('?' * 13)})"
_AT_ONCE = 250  # rows of one statement: each statement gives the interpreter away and has to wait for it
_BETWEEN = 50  # rows of a batch between two pauses
_USUAL = 500  # bytes of a query whose words are kept for when it is asked again
_TEXT = json.JSONEncoder(separators=(",", ":")).encode
_log = logging.getLogger("permu.audit")


class Entry(NamedTuple):
    """One access; ``kind`` is view, export or denied."""

    user: str
    role: str
    kind: str
    method: str
    route: str
    question: str
    release: str | None
    rows: int | None
    status: int


class Access(NamedTuple):
    """One access as the event loop notes it: the question still as it came."""

    user: str
    role: str
    kind: str
    method: str
    route: str
    query: bytes
    release: str | None
    rows: int | None
    status: int

    def entry(self) -> Entry:
        """As it is kept."""
        return Entry(*self[:5], question_of(self.query), *self[6:])


def question_of(query: bytes) -> str:
    """The question of an address as it is kept: parameters in order, nothing that may be a secret."""
    return _question(query) if len(query) <= _USUAL else _question.__wrapped__(query)


@lru_cache(maxsize=8192)
def _question(query: bytes) -> str:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return urlencode([(k[:60], v[:200]) for k, v in pairs if k.lower() not in _SECRET])[:2000]


# A row to be chained: when, the access, how often, and the text of the three.
Line = tuple[str, Entry, int, str]


def _line(at: str, entry: Entry, times: int) -> Line:
    return at, entry, times, _TEXT([at, *entry, times])


def _written(batch: dict[Access, int]) -> Iterator[Line]:
    """The rows of a batch. Thousands take tens of milliseconds, which would stand before every page: a page goes between."""
    at = now()
    for number, (access, times) in enumerate(batch.items(), 1):
        if number % _BETWEEN == 0:
            time.sleep(0.001)
        yield _line(at, access.entry(), times)


def _chained(before: str, seq: int, text: str) -> str:
    """The hash of a row, over the one before, its number and its text."""
    return hashlib.sha256(f'["{before}",{seq},{text[1:]}'.encode()).hexdigest()


def _append(db: sqlite3.Connection, lines: list[Line]) -> None:
    """Rows at the end of the chain, within the caller's transaction: one writer at a time has the ledger."""
    db.execute(_TABLE)
    for guard in _GUARDS:
        db.execute(guard)
    last = db.execute("SELECT seq, hash FROM access ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last["seq"], last["hash"]) if last else (0, FIRST)
    for start in range(0, len(lines), _AT_ONCE):
        values: list[Any] = []
        part = lines[start : start + _AT_ONCE]
        for at, entry, times, text in part:
            seq += 1
            before = _chained(before, seq, text)
            values += (seq, at, *entry, times, before)
        db.execute(f"INSERT INTO access VALUES {', '.join([_ROW] * len(part))}", values)


class Audit:
    """The log of one worker process. :meth:`see` is for the event loop and costs a dictionary entry."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._seen: dict[Access, int] = {}
        self._swap = threading.Lock()
        self._write = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def see(self, access: Access) -> None:
        """Count an access that the next batch writes."""
        with self._swap:
            self._seen[access] = self._seen.get(access, 0) + 1
        if self._thread is None:
            self.start()

    @property
    def full(self) -> bool:
        """Whether views can no longer be kept because nothing could be written for long."""
        return len(self._seen) >= MOST_PENDING

    def start(self) -> None:
        """Begin to write batches."""
        with self._swap:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.flush()

    def flush(self) -> None:
        """Write what was seen; what cannot be written now stays for the next batch."""
        with self._write:
            with self._swap:
                batch, self._seen = self._seen, {}
            if not batch:
                return
            try:
                self._keep(batch)
            except (sqlite3.Error, OSError, PermuError) as error:
                _log.error("audit cannot be written, %d rows wait: %s", len(batch), error)
                with self._swap:
                    for access, times in batch.items():
                        self._seen[access] = self._seen.get(access, 0) + times

    def _keep(self, batch: dict[Access, int]) -> None:
        lines = list(_written(batch))  # before the ledger is held
        with self.warehouse.require().connect() as db:
            _append(db, lines)
            self._used(db, {access.user for access in batch})

    def _used(self, db: sqlite3.Connection, names: set[str]) -> None:
        """The last day of use of a key, at most once a day."""
        tables(db)
        day = today()
        for name in names:
            db.execute("UPDATE users SET last_used_on = ? WHERE name = ? AND last_used_on IS NOT ?", (day, name, day))

    def export(self, access: Access) -> None:
        """Write an export now; PermuError ``audit_unavailable`` where that fails: then nothing may be sent."""
        try:
            with self._write, self.warehouse.require().connect() as db:
                _append(db, [_line(now(), access.entry(), 1)])
                self._used(db, {access.user})
        except (sqlite3.Error, OSError, PermuError) as error:
            raise PermuError(
                "audit_unavailable",
                "the export is refused because the audit log cannot be written: see the log of the server "
                f"({type(error).__name__})",
                f"审计日志无法写入，导出被拒绝：请查看服务器日志（{type(error).__name__}）",
            ) from error

    def stop(self) -> None:
        """Write what is left and end."""
        self._stop.set()
        self.flush()


# --- reading ---------------------------------------------------------------------------------------------------


def rows(warehouse: Warehouse, start: str | None = None, end: str | None = None) -> Iterator[dict[str, Any]]:
    """The log in order, from a day (or time) to a day, both included."""
    with warehouse.require().read() as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'access'").fetchone():
            return
        upto = f"{end}~" if end else "~"  # sorts behind every time of that day
        found = db.execute("SELECT * FROM access WHERE at >= ? AND at <= ? ORDER BY seq", (start or "", upto))
        for row in found:
            yield dict(row)


@dataclass(frozen=True)
class Checked:
    """``broken_at``: the first row that does not follow from the one before; ``head``: the last row's hash."""

    rows: int
    head: str
    broken_at: int | None
    head_known: bool | None


def check(warehouse: Warehouse, noted: str | None = None) -> Checked:
    """Whether the chain holds. Rows cut off at the end show only against a head that was ``noted`` elsewhere."""
    before, count, known = FIRST, 0, None if noted is None else noted == FIRST
    for row in rows(warehouse):
        count += 1
        entry = Entry(*(row[name] for name in Entry._fields))
        if row["seq"] != count or row["hash"] != _chained(before, count, _line(row["at"], entry, row["times"])[3]):
            return Checked(count, row["hash"], row["seq"], known)
        before = row["hash"]
        known = known or before == noted if noted is not None else None
    return Checked(count, before, None, known)


def text(found: Iterable[dict[str, Any]], form: str) -> str:
    """Rows of the log as ``csv`` or ``jsonl``; a cell that a spreadsheet would compute is disarmed."""
    if form == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
    made = io.StringIO()
    names = ["seq", "at", *Entry._fields, "times", "hash"]
    writer = csv.DictWriter(made, names, lineterminator="\r\n")
    writer.writeheader()
    for row in found:
        writer.writerow({k: f"'{v}" if isinstance(v, str) and v[:1] in "=+-@\t\r" else v for k, v in row.items()})
    return "\ufeff" + made.getvalue()
