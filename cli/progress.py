"""Progress on long work: a line of stage, rows and rate on stderr, only on a terminal and only after two seconds."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.options import people

_QUIET_SECONDS = 2.0


class Stages:
    """Call it with a stage's name, and done and total where they are known."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
            console=people, transient=True, disable=not people.is_terminal,
        )  # fmt: skip
        self._began, self._shown, self._task = time.monotonic(), False, self._bar.add_task("", total=None)

    def __enter__(self) -> Stages:
        return self

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        if not self._shown and time.monotonic() - self._began > _QUIET_SECONDS:
            self._bar.start()
            self._shown = True
        self._bar.update(self._task, description=stage, completed=done, total=total or None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._bar.stop()
