"""Progress on long work: stage, rows, rate and time left on stderr, only on a terminal and only after two seconds."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cli.options import people

_QUIET_SECONDS = 2.0


# Stages of fewer steps have no rate worth telling.
_RATED = 1000


class Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """``412,000/s``; nothing before it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed and (task.total or 0) >= _RATED else "")


class Stages:
    """Call it with a stage's name, and done and total where they are known."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(),
            TimeElapsedColumn(), TimeRemainingColumn(),
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
