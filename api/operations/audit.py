"""Noting who saw and exported what, for the log of :mod:`api.operations.chain`.

Views are counted in memory and written ten times a second (and when the server stops); equal ones of that time are one
row with a count. An export is written before its first byte.
"""

from __future__ import annotations

import logging
import sqlite3
import threading

from api.operations.chain import Access, append
from api.operations.scribe import Scribe
from api.rights.users import tables, today
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now

EVERY_SECONDS = 0.1
MOST_PENDING = 200_000  # different rows; a view that finds no room is refused
FEW = 20  # rows that are no matter to write here; a quiet server needs no other process
_log = logging.getLogger("permu.audit")


class Audit:
    """The log of one worker process. :meth:`see` is for the event loop and costs a dictionary entry."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._scribe = Scribe(warehouse)
        self._noted: set[tuple[str, str]] = set()
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
            except Exception as error:  # whatever it is: the thread goes on, and no row is lost
                _log.error("audit cannot be written, %d rows wait: %s", len(batch), error)
                with self._swap:
                    for access, times in batch.items():
                        self._seen[access] = self._seen.get(access, 0) + times

    def _keep(self, batch: dict[Access, int]) -> None:
        """A large batch is a process's work: hashing and writing it here would stand before pages."""
        at, rows = now(), list(batch.items())
        self._used({access.user for access in batch})  # first: what fails after a batch is written writes it again
        if len(rows) <= FEW or not self._scribe.write(at, rows):
            append(self.warehouse, at, rows)

    def _used(self, names: set[str]) -> None:
        """The last day of use of a key, at most once a day."""
        day = today()
        if not (unknown := {(name, day) for name in names} - self._noted):
            return
        with self.warehouse.require().connect() as db:
            tables(db)
            for name, _ in unknown:
                change = (day, name, day)
                db.execute("UPDATE users SET last_used_on = ? WHERE name = ? AND last_used_on IS NOT ?", change)
        self._noted = {known for known in self._noted if known[1] == day} | unknown

    def export(self, access: Access) -> None:
        """Write an export now; PermuError ``audit_unavailable`` where that fails: then nothing may be sent."""
        try:
            with self._write:
                self._used({access.user})
                append(self.warehouse, now(), [(access, 1)])
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
        with self._write:
            self._scribe.stop()
