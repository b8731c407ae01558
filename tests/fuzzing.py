"""One process that opens files to their end and says what became of each: the fuzz tests' way to see a crash or a hang.

Run as ``python -m tests.fuzzing`` with paths on stdin, one a line; answers ``<verdict>\\t<peak MB>\\t<path>``.
A verdict is ``ok``, the code of a PermuError, or ``TRACEBACK <what>``.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """What became of a file: ``ok``, a code, ``TRACEBACK …``, ``DIED …`` or ``HANGS``; seconds and peak MB so far."""

    path: Path
    what: str
    seconds: float
    peak_mb: int

    @property
    def reasoned(self) -> bool:
        return self.what == "ok" or self.what.isidentifier()


class Opener:
    """A child that opens one file after another; a file that kills or stops it costs a new child."""

    def __init__(self, seconds: float = 30) -> None:
        self.seconds = seconds
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def open(self, path: Path) -> Verdict:
        child = self._child or self._start()
        assert child.stdin and child.stdout
        start = time.monotonic()
        child.stdin.write(f"{path}\n")
        child.stdin.flush()
        ready, _, _ = select.select([child.stdout], [], [], self.seconds)
        line = child.stdout.readline() if ready else ""
        spent = time.monotonic() - start
        if not line:
            code = child.poll() if not ready else child.wait(10)
            self._stop(hangs=not ready)
            return Verdict(path, f"DIED {code}" if ready else "HANGS", spent, 0)
        what, peak, _ = line.rstrip("\n").split("\t", 2)
        return Verdict(path, what, spent, int(peak))

    def open_all(self, paths: Iterable[Path]) -> list[Verdict]:
        return [self.open(path) for path in paths]

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.fuzzing"]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        return self._child

    def _stop(self, hangs: bool = False) -> None:
        if self._child is not None:
            # Told to end it removes its temporary folders; one that hangs is stopped.
            try:
                self._child.communicate(timeout=0.1 if hangs else 10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.communicate()
            self._child = None


def _verdict(path: Path) -> str:
    from engine.schema.errors import PermuError
    from ingest.read import batches, open_file

    try:
        for sheet in open_file(path):
            for cells in batches(sheet, path):
                assert cells.drop("geometry", strict=False).rows()[0][0] > 0 if cells.height else True
    except PermuError as error:
        return error.code if "\n" not in error.en and error.zh else "TRACEBACK a refusal of several lines"
    except BaseException as error:
        return f"TRACEBACK {type(error).__name__}: {' '.join(str(error).split())[:150]}"
    return "ok"


def _children() -> list[str]:
    """Processes that read for this one."""
    return Path("/proc/self/task", str(os.getpid()), "children").read_text("ascii").split() or ["self"]


def _peak_mb(process: str) -> int:
    """The most memory it held. (What getrusage says begins with the memory of the process that started it.)"""
    try:
        status = Path("/proc", process, "status").read_text("ascii", "replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def main() -> None:
    """Answer for every path on stdin."""
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        what = _verdict(path)
        peak = max(_peak_mb("self"), *(_peak_mb(c) for c in _children()))
        print(f"{what}\t{peak}\t{path}", flush=True)


if __name__ == "__main__":
    main()
