"""Keep a file as it was received: copied while it is being read, so that the copy costs no time of its own."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ingest.store import MAPPING_COPY, parts

_LARGE, _STEP = 64 << 20, 8 << 20


@contextlib.contextmanager
def copied_meanwhile(folder: Path | None, file: Path, mapping: Path | None = None) -> Iterator[Future[None]]:
    """The file, with the parts of a shapefile and its mapping, into ``folder`` (mode 0700), by a thread.

    Ask the future before the copy is relied on: it raises what went wrong. Leaving the block early ends the copy.
    Without a folder (a dry run) nothing is copied.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1, "permu-keep") as thread:
        try:
            yield thread.submit(_keep, folder, file, mapping, stop)
        finally:
            stop.set()


def _keep(folder: Path | None, file: Path, mapping: Path | None, stop: threading.Event) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, mode=0o700)
    if mapping:
        shutil.copy2(mapping, folder / MAPPING_COPY)
    for part in parts(file):
        kept = folder / part.relative_to(file.parent)
        kept.parent.mkdir(exist_ok=True)
        if part.stat().st_size < _LARGE:
            shutil.copy2(part, kept)
        else:
            _copy_large(part, kept, stop)
            shutil.copystat(part, kept)


def _copy_large(source: Path, target: Path, stop: threading.Event) -> None:
    """Past the page cache where the file system can: nobody reads the copy soon, and it costs a tenth."""
    with source.open("rb", buffering=0) as read, mmap.mmap(-1, _STEP) as piece:
        written = _open_direct(target)
        try:
            while (size := read.readinto(piece)) and not stop.is_set():
                if size < _STEP:
                    _to_cached(written)
                _write_all(written, memoryview(piece)[:size])
        finally:
            os.close(written)


def _open_direct(target: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        return os.open(target, flags | getattr(os, "O_DIRECT", 0), 0o600)
    except OSError:
        return os.open(target, flags, 0o600)


def _to_cached(file: int) -> None:
    """The last piece is no whole block."""
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) & ~getattr(os, "O_DIRECT", 0))


def _write_all(file: int, data: memoryview) -> None:
    done = os.write(file, data)
    while done < len(data):
        _to_cached(file)
        done += os.write(file, data[done:])
