"""The prepared features that a worker holds open: made once under the warehouse's cache, found by everybody after."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from engine.features import Features, build
from engine.schema.errors import PermuError

Maker = Callable[[], tuple[pl.DataFrame, str] | None]  # table and identity; None: somebody else has written them
VERSION = "1"  # raise when the content of prepared features changes
WAIT = 25.0
WAITING = 8  # requests that wait; the others' threads are for those who ask something else
_OPEN = 60
_ANSWERS = 16


@lru_cache(maxsize=512)
def _place(cache: Path, of: str, name: str) -> Path:
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    return cache / of / f"features-{VERSION}" / f"{name.split('|')[0]}-{digest}"


class Shelf:
    """Features by folder and the rows of the latest filters, both bounded; safe for threads."""

    def __init__(self, cache: Path, wait: float | None = WAIT) -> None:
        """``wait``: seconds that a request waits for features that are being prepared (None: to the end)."""
        self.cache, self.wait = cache, wait
        self._open: OrderedDict[Path, Features] = OrderedDict()
        self._rows: OrderedDict[tuple[object, ...], np.ndarray] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting = threading.Semaphore(WAITING)
        self._maker = ThreadPoolExecutor(1, "permu-features")
        self._jobs: dict[Path, Future[None]] = {}

    def features(self, of: str, name: str, make: Maker, decimals: int = 7) -> Features:
        """The features ``name`` of a release (or file) ``of``; ``make`` writes them the first time, in a thread of its
        own. PermuError not_ready where that takes longer than a client waits."""
        folder = _place(self.cache, of, name)
        kept = self.at_hand(of, name)
        if kept is not None:
            return kept
        found = self._made(folder, make, decimals)
        gone = []  # their maps are given back after the lock, which the event loop takes too
        with self._lock:
            self._open[folder] = found
            while len(self._open) > _OPEN:
                gone.append(self._open.popitem(last=False))
        return found

    def at_hand(self, of: str, name: str) -> Features | None:
        """The features if they are open: nothing is read for it."""
        folder = _place(self.cache, of, name)
        with self._lock:
            if folder in self._open:
                self._open.move_to_end(folder)
            return self._open.get(folder)

    def _made(self, folder: Path, make: Maker, decimals: int) -> Features:
        try:
            return Features(folder)
        except PermuError:
            with self._lock:
                if folder not in self._jobs:
                    self._jobs[folder] = self._maker.submit(_write, folder, make, decimals)
                job = self._jobs[folder]
        room = self.wait is None or self._waiting.acquire(blocking=False)
        try:
            job.result(self.wait if room else 0)
        except TimeoutError as error:
            raise _not_ready(folder) from error
        finally:
            if room and self.wait is not None:
                self._waiting.release()
            if job.done():
                with self._lock:
                    self._jobs.pop(folder, None)
        return Features(folder)

    def rows(self, question: tuple[object, ...], find: Callable[[], np.ndarray]) -> np.ndarray:
        """The rows that answer a question, kept for its next pages."""
        with self._lock:
            if question in self._rows:
                self._rows.move_to_end(question)
                return self._rows[question]
        found = find()
        with self._lock:
            self._rows[question] = found
            while len(self._rows) > _ANSWERS:
                self._rows.popitem(last=False)
        return found


def _write(folder: Path, make: Maker, decimals: int) -> None:
    try:
        Features(folder)
    except PermuError:
        made = make()
        if made is not None:
            shutil.rmtree(folder, ignore_errors=True)  # damaged, or not there
            build(*made, folder, decimals)


def _not_ready(folder: Path) -> PermuError:
    what = folder.name.rsplit("-", 1)[0]
    return PermuError(
        "not_ready",
        f"the features of {what} are being prepared, which is done once for a release: ask again in a moment",
        f"图层 {what} 正在准备（每个版本只需一次），请稍后再试",
    )
