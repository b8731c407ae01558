"""The prepared features that a worker holds open: made once under the warehouse's cache, found by everybody after."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from engine.features import Features, build
from engine.schema.errors import PermuError

VERSION = "1"  # raise when the content of prepared features changes
_OPEN = 60
_ANSWERS = 16


class Shelf:
    """Features by folder and the rows of the latest filters, both bounded; safe for threads."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._open: OrderedDict[Path, Features] = OrderedDict()
        self._rows: OrderedDict[tuple[object, ...], np.ndarray] = OrderedDict()
        self._lock, self._making = threading.Lock(), threading.Lock()

    def features(self, of: str, name: str, make: Callable[[], tuple[pl.DataFrame, str]], decimals: int = 7) -> Features:
        """The features ``name`` of a release (or file) ``of``; ``make()`` gives table and identity the first time."""
        digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        folder = self.cache / of / f"features-{VERSION}" / f"{name.split('|')[0]}-{digest}"
        with self._lock:
            if folder in self._open:
                self._open.move_to_end(folder)
                return self._open[folder]
        with self._making:
            found = self._made(folder, make, decimals)
        with self._lock:
            self._open[folder] = found
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)
        return found

    def _made(self, folder: Path, make: Callable[[], tuple[pl.DataFrame, str]], decimals: int) -> Features:
        try:
            return Features(folder)
        except PermuError:
            frame, identity = make()
            shutil.rmtree(folder, ignore_errors=True)  # damaged, or not there
            return Features(build(frame, identity, folder, decimals))

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
