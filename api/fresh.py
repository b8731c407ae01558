"""What the event loop knows of the ledger without reading it: which releases are listed, which of them are open and whole."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import NamedTuple

from api.rights.credentials import Directory
from api.store import Listed, Opened, Store
from engine.schema.errors import PermuError

LATEST = 0.15  # seconds that what is known may be old while a look is under way
_log = logging.getLogger("permu.fresh")


class Known(NamedTuple):
    """The releases that the ledger lists, and the open ones whose folders stand, by id."""

    entries: tuple[Listed, ...]
    standing: dict[str, Opened]


class Fresh:
    """For one thread, the event loop's. A look takes a dozen calls of the system, and a reading of the ledger whenever
    its files changed, which the audit log does ten times a second.

    ``patience``: seconds that what is known counts for; then a thread looks again while requests go on. Without
    patience every request looks, and the ledger is never read here.
    """

    def __init__(self, store: Store, directory: Directory, patience: float = 0.0) -> None:
        self.store, self.directory, self.patience = store, directory, patience
        self._known: Known | None = None
        self._looked = float("-inf")
        self._under_way: asyncio.Future[None] | None = None

    async def known(self) -> Known | None:
        """What is known; None where the ledger has to be read first. After a rest the first requests wait for one look."""
        if not self.patience:
            entries = self.store.ledger.at_hand()
            return None if entries is None else Known(entries, self.store.standing())
        age = time.monotonic() - self._looked
        if age > self.patience:
            look = self._look_of(asyncio.get_running_loop())
            if age > self.patience + LATEST:
                await asyncio.wait({look}, timeout=LATEST)
                age = time.monotonic() - self._looked
        return self._known if age <= self.patience + LATEST else None

    def _look_of(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """The look that is under way in this loop (an application that is tested has had others), or a new one."""
        look = self._under_way
        if look is None or look.done() or look.get_loop() is not loop:
            look = self._under_way = loop.run_in_executor(None, self._look)
        return look

    def _look(self) -> None:
        """In a thread: read what changed, users and keys before they are too old for the gate."""
        begun = time.monotonic()
        try:
            self.directory.ahead()
            self._known = Known(self.store.ledger.index(), self.store.standing())
            self._looked = begun
        except PermuError:
            self._known = None  # the route says what it is
        except Exception:
            self._known = None
            _log.exception("the ledger could not be looked at")
