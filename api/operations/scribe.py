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
from pathlib import Path
from typing import BinaryIO

from api.operations.chain import Access, append
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

Rows = list[tuple[Access, int]]
_ENDING = 10  # seconds for the last batch
_log = logging.getLogger("permu.audit")


class Scribe:
    """The process of one worker, as seen by the one thread that hands it batches; started when first needed."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._child: subprocess.Popen[bytes] | None = None

    def write(self, at: str, rows: Rows) -> bool:
        """Whether the batch is in the log; False where no process can take it.

        Raises:
            OSError: the process says why it is not.
        """
        plain = [(tuple(access), times) for access, times in rows]
        try:
            child = self._child or self._start()
            assert child.stdin and child.stdout
            pickle.dump((at, plain), child.stdin, pickle.HIGHEST_PROTOCOL)
            child.stdin.flush()
            answer = child.stdout.readline()
        except OSError as error:
            answer = b""
            _log.warning("no process for the audit log: %s", error)
        if not answer.endswith(b"\n"):  # it is gone; a batch that it had just written is then there twice, none is lost
            self.stop()
            return False
        if told := answer.strip():
            raise OSError(told.decode())
        return True

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-P", "-m", "api.operations.scribe", str(self.warehouse.home.absolute())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
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
    os.nice(10)
    with contextlib.suppress(BrokenPipeError):
        serve(Warehouse(Path(sys.argv[1])), sys.stdin.buffer, sys.stdout.buffer)
