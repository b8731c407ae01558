"""The newest release is opened (and its files prepared) before somebody asks for it."""

from __future__ import annotations

import logging
import threading

from api.store import Store
from engine.schema.errors import PermuError

EVERY_SECONDS = 2.0
_log = logging.getLogger("permu.warm")


class Warm:
    """A thread beside the server: opens what the default question would ask for, and each newer one as it comes."""

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
        """Open the default release unless it was."""
        listed = self.store.choose()
        if listed.release_id != self._last:
            self.store.open(listed)
            self._last = listed.release_id
