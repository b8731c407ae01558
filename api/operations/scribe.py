"""The process that writes batches of the audit log, so that hashing and writing them keep no page waiting.

``python -m api.operations.scribe HOME``: batches come through its standard input, one after the other; each is answered by
a line, empty or saying why the batch is not in the log. It ends with its input, so with the server whatever ends that; a
signal to the whole group is not for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from api.operations.chain import Access, append
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

Rows = list[tuple[Access, int]]
PATIENCE = 40.0  # seconds for a batch: SQLite itself waits for 30 to write
REST = 60.0  # seconds before another process is started where one could not work
_ENDING = 10  # seconds to end once nothing more comes
_log = logging.getLogger("permu.audit")


class Scribe:
    """The process of one worker; started when first needed. The caller sees to it that one thread at a time is here."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._child: subprocess.Popen[bytes] | None = None
        self._rests_until = float("-inf")

    def write(self, at: str, rows: Rows) -> bool:
        """Whether the batch is in the log; False where no process can take it.

        Raises:
            OSError: the process says why it is not.
        """
        if time.monotonic() < self._rests_until:
            return False
        plain, answer = [(tuple(access), times) for access, times in rows], b""
        try:
            answer = self._asked(self._child or self._start(), (at, plain))
        except OSError as error:
            _log.warning("no process for the audit log: %s", error)
        if not answer.endswith(b"\n"):  # it is gone; a batch that it had just written is then there twice, none is lost
            _log.warning("the process that writes the audit log has ended: the next is started in %.0f s", REST)
            self._rests_until = time.monotonic() + REST
            self.stop()
            return False
        if told := answer.strip():
            raise OSError(told.decode())
        return True

    def _asked(self, child: subprocess.Popen[bytes], batch: object) -> bytes:
        """The process's answer to a batch; nothing from one that ends, or hangs and is ended."""
        assert child.stdin and child.stdout
        hangs = threading.Timer(PATIENCE, child.kill)
        hangs.start()
        try:
            pickle.dump(batch, child.stdin, pickle.HIGHEST_PROTOCOL)
            child.stdin.flush()
            return child.stdout.readline()
        finally:
            hangs.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-P", "-m", "api.operations.scribe", str(self.warehouse.home)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, process_group=0
        )
        return self._child

    def stop(self) -> None:
        """End the process after what it writes."""
        child, self._child = self._child, None
        if child is None:
            return
        try:
            child.communicate(timeout=_ENDING)
        except (OSError, subprocess.TimeoutExpired):
            child.kill()
            child.wait()


def serve(warehouse: Warehouse, batches: BinaryIO, answers: BinaryIO) -> None:
    """Write what comes until nothing more does."""
    while True:
        try:
            at, plain = pickle.load(batches)
        except (EOFError, pickle.UnpicklingError):  # the server ended, perhaps within a batch
            return
        told = ""
        try:
            append(warehouse, at, ((Access(*access), times) for access, times in plain))
        except (sqlite3.Error, OSError, PermuError) as error:
            told = " ".join(f"{type(error).__name__}: {error}".split())
        answers.write(told.encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(Warehouse(Path(sys.argv[1])), sys.stdin.buffer, sys.stdout.buffer)
