"""Prepared files of layers: found, or made by one thread of this process while a request waits a bounded time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Waited
from pathlib import Path

from api.rights import View
from engine.layers import Limits
from engine.layers.archive import Archive
from engine.layers.prepared import held, prepare
from engine.releases import Release
from engine.schema.errors import PermuError

WAIT_SECONDS = 25.0
WAITING = 8  # requests that wait; the others' threads are for those who ask something else
OPEN_ARCHIVES = 64
MEDIA = {
    "geojson": "application/geo+json", "pmtiles": "application/vnd.pmtiles", "fgb": "application/flatgeobuf",
    "gpkg": "application/geopackage+sqlite3", "parquet": "application/vnd.apache.parquet", "shp.zip": "application/zip",
}  # fmt: skip


def limits_of(view: View) -> Limits:
    """A view as the engine sees it; a view of everything has the key of what the commands prepare."""
    sees = None if view.every_column else view.sees
    return Limits(view.key, sees, view.rows, view.region)


class Files:
    """The prepared files that this process asked for."""

    def __init__(self) -> None:
        self._maker = ThreadPoolExecutor(1, "permu-layers")
        self._lock = threading.Lock()
        self._waiting = threading.Semaphore(WAITING)
        self._making: dict[tuple[str, str, str, str], Future[Path]] = {}
        self._archives: dict[Path, tuple[int, Archive]] = {}

    def file(self, release: Release, layer: str, ending: str, limits: Limits) -> Path:
        """The file; PermuError not_ready where making it takes longer than a request should wait."""
        found = held(release, layer, ending, limits)
        if found is not None:
            return found
        key = (release.id, layer, ending, limits.key)
        with self._lock:
            making = self._making.get(key)
            begun = making is None
            if making is None:
                making = self._making[key] = self._maker.submit(prepare, release, layer, ending, limits)
        if begun:  # without the lock: what is done already calls back at once, in this thread
            making.add_done_callback(self._forget(key))
        room = self._waiting.acquire(blocking=False)
        try:
            return making.result(WAIT_SECONDS if room else 0)
        except Waited:
            raise PermuError(
                "not_ready",
                f"{layer}.{ending} of {release.id} is being made: ask again in a moment "
                f"(`permu layers prepare --release {release.id}` makes it ahead)",
                f"{release.id} 的 {layer}.{ending} 正在生成：请稍后再试（可用 permu layers prepare 预先生成）",
            ) from None
        finally:
            if room:
                self._waiting.release()

    def _forget(self, key: tuple[str, str, str, str]) -> Callable[[Future[Path]], None]:
        def done(_: Future[Path]) -> None:
            with self._lock:
                self._making.pop(key, None)

        return done

    def archive(self, release: Release, layer: str, limits: Limits) -> Archive:
        """The tiles of a layer, opened once; opened again where the file was made anew."""
        place = self.file(release, layer, "pmtiles", limits)
        stamp = place.stat().st_mtime_ns
        with self._lock:
            kept = self._archives.get(place)
            if kept is not None and kept[0] == stamp:
                return kept[1]
        opened = Archive(place)
        with self._lock:
            self._archives[place] = (stamp, opened)
            while len(self._archives) > OPEN_ARCHIVES:
                self._archives.pop(next(iter(self._archives)))
        return opened
