"""Processes measured from outside, and the lines that are reported: answers are compared before times are."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A child of vfork counts its parent's peak as its own (ru_maxrss keeps what the address space before exec had held).
subprocess._USE_VFORK = False  # type: ignore[attr-defined]

RUNS = 3
SIZE = int(os.environ.get("PERMU_BENCH_SIZE", "1000000"))


@dataclass
class Line:
    """One row of the report; ``ratio_to_mark`` is to the hand-written mark, or to the seconds allowed."""

    name: str
    size: int
    engine: str
    seconds_median: float
    peak_mb: float
    ratio_to_mark: float | None
    answer_sha256: str | None


@dataclass
class Run:
    """What one process gave: its own JSON and its peak resident memory."""

    output: dict[str, Any]
    peak_mb: float

    @property
    def seconds(self) -> float:
        """Seconds as the process measured its work, without starting up."""
        return float(self.output["seconds"])


def process(*words: str) -> Run:
    """Run a command to its end, read the JSON of its last line, and ask the kernel for its peak memory."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(words, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        lines = out.read().decode().strip().splitlines()
    if child.returncode not in (0, 1) or not lines:
        raise SystemExit(f"bench: {' '.join(words)} ended with {child.returncode}")
    told = json.loads(lines[-1])
    return Run(told, told.get("peak_mb", usage.ru_maxrss / 1024))


def peak_mb() -> float:
    """The peak resident memory of this process so far (proc(5), VmHWM: not what it held before exec)."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def in_turn(commands: dict[str, list[str]], once: tuple[str, ...] = ()) -> dict[str, list[Run]]:
    """Every command :data:`RUNS` times, one after the other in turns; those ``once`` that take minutes."""
    runs: dict[str, list[Run]] = {engine: [] for engine in commands}
    for turn in range(RUNS):
        for engine, words in commands.items():
            if engine not in once or turn == 0:
                runs[engine].append(process(*words))
    return runs


def lines(
    name: str, size: int, runs: dict[str, list[Run]], mark: str | None = None, allowed: float | None = None
) -> list[Line]:
    """The rows of a benchmark; SystemExit where the answers differ. The mark is an engine, or seconds ``allowed``."""
    answers = {str(r.output.get("answer_sha256")) for each in runs.values() for r in each}
    if len(answers) != 1:
        raise SystemExit(f"bench {name}: the answers differ, so no time is reported: {sorted(answers)}")
    (answer,) = answers
    medians = {engine: statistics.median(r.seconds for r in each) for engine, each in runs.items()}
    against = allowed if mark is None else medians[mark]
    return [
        Line(
            name,
            size,
            engine,
            round(medians[engine], 2),
            round(max(r.peak_mb for r in each)),
            round(medians[engine] / against, 2) if against else None,
            answer,
        )
        for engine, each in runs.items()
    ]
