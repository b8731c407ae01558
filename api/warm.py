"""The newest release is prepared and opened before it becomes the default; so is what is asked before it is prepared."""

from __future__ import annotations

import logging
import threading

from api.store import Store
from engine.query import ahead
from engine.schema.errors import PermuError

EVERY_SECONDS = 2.0
_log = logging.getLogger("permu.warm")


class Warm:
    """A thread beside the server: the newest release first, then each newer one as it comes; mapped pages are given back."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stopped = threading.Event()
        self._last: str | None = None

    def start(self) -> None:
        """Begin; the thread never keeps the process alive."""
        threading.Thread(target=self._run, name="permu-warm", daemon=True).start()

    def stop(self) -> None:
        """End after what is being opened."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except PermuError:
                pass  # no release yet, or its folder is gone: whoever asks is told
            except Exception:
                _log.exception("a release could not be opened ahead")
            self._stopped.wait(EVERY_SECONDS)

    def look(self) -> None:
        """Prepare and open the newest release unless it was, then prepare what answers from memory."""
        listed = self.store.newest()
        if listed.release_id != self._last:
            if not self.store.is_prepared(listed):
                self.store.prepare(listed)
            opened = self.store.open(listed)
            self._last = listed.release_id
            if opened.board.served is not None:
                ahead.ready(opened.release.folder, opened.board.served)
        for other in self.store.unprepared():
            self.store.prepare(other)
        for opened in self.store.standing().values():
            if opened.board.served is not None:
                opened.board.served.tidy()
