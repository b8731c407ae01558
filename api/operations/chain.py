"""The audit log itself: rows of the ledger that can only be added, each bound to the one before by a hash.

Kept are user, role, time, address, question, release, rows and status: no key, no address of a person's machine. Equal
views of a batch are one row with a count.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from engine.schema.warehouse import Warehouse

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
_INSERT = f"INSERT INTO access VALUES ({', '.join('?' * 13)})"
_USUAL = 500  # bytes of a query whose words are kept for when it is asked again
_TEXT = json.JSONEncoder(separators=(",", ":")).encode


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


def _text(at: str, entry: Entry, times: int) -> str:
    return _TEXT([at, *entry, times])


def _chained(before: str, seq: int, text: str) -> str:
    """The hash of a row, over the one before, its number and its text."""
    return hashlib.sha256(f'["{before}",{seq},{text[1:]}'.encode()).hexdigest()


def append(warehouse: Warehouse, at: str, batch: Iterable[tuple[Access, int]]) -> None:
    """Rows at the end of the chain, all or none: accesses with how often each was made.

    Raises:
        sqlite3.Error, OSError, PermuError: the ledger cannot be written, or is not there.
    """
    seen = [(entry, times, _text(at, entry, times)) for entry, times in ((a.entry(), n) for a, n in batch)]
    with warehouse.require().connect() as db:  # one writer at a time has the ledger
        db.execute(_TABLE)
        for guard in _GUARDS:
            db.execute(guard)
        last = db.execute("SELECT seq, hash FROM access ORDER BY seq DESC LIMIT 1").fetchone()
        seq, before = (last["seq"], last["hash"]) if last else (0, FIRST)
        rows = []
        for number, (entry, times, text) in enumerate(seen, seq + 1):
            before = _chained(before, number, text)
            rows.append((number, at, *entry, times, before))
        db.executemany(_INSERT, rows)


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
        if row["seq"] != count or row["hash"] != _chained(before, count, _text(row["at"], entry, row["times"])):
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
