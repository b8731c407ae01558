"""Rewrite a text file as UTF-8 with every processor: each takes a run of whole lines.

Python's decoders hold the interpreter, so the runs are rewritten by processes. They run this file as a script, which
needs nothing but the standard library: starting one costs a few hundredths of a second.
"""

from __future__ import annotations

import codecs
import os
import shutil
import subprocess
import sys
from pathlib import Path

# What the processor's cache holds: larger pieces take a quarter longer.
_CHUNK = 1 << 16
# Below it one process is the quickest.
_WORTH = 16 << 20
_MOST = 4
# In these a newline's byte is never a part of another character, so that a file may be cut behind one.
_LINES = frozenset(["gb18030", "cp1252"])


def as_utf8(path: Path, encoding: str, folder: Path, whole: bool) -> list[Path]:
    """The file's text as UTF-8 in ``folder``, without a byte order mark; what is no text becomes U+FFFD.

    In pieces of whole lines, or, with ``whole`` (a quoted cell may reach over lines), as one.
    """
    size = path.stat().st_size
    pieces = min(_MOST, os.cpu_count() or 1, 1 + size // _WORTH) if encoding in _LINES else 1
    cuts = [0, *(_line_end(path, size * n // pieces) for n in range(1, pieces)), size]
    targets = [folder / f"utf8.{n}" for n in range(pieces)]
    rest = [_started(path, encoding, cuts[n], cuts[n + 1], targets[n]) for n in range(1, pieces)]
    try:
        rewrite(path, encoding, 0, cuts[1], targets[0])
    finally:
        codes = [child.wait() for child in rest]
    if failed := next((c for c in codes if c), 0):
        raise OSError(failed, os.strerror(failed), str(folder))
    return [_joined(targets)] if whole else targets


def _line_end(path: Path, at: int) -> int:
    """Where the line ends that holds byte ``at``."""
    with path.open("rb") as file:
        file.seek(at)
        while chunk := file.read(_CHUNK):
            if (found := chunk.find(b"\n")) >= 0:
                return at + found + 1
            at += len(chunk)
    return at


def _started(path: Path, encoding: str, start: int, stop: int, target: Path) -> subprocess.Popen[bytes]:
    told = [str(path.resolve()), encoding, str(start), str(stop), str(target)]
    return subprocess.Popen([sys.executable, "-I", __file__, *told], stdin=subprocess.DEVNULL)


def _joined(pieces: list[Path]) -> Path:
    with pieces[0].open("ab") as whole:
        for piece in pieces[1:]:
            with piece.open("rb") as part:
                shutil.copyfileobj(part, whole, _CHUNK)
            piece.unlink()
    return pieces[0]


def rewrite(path: Path, encoding: str, start: int, stop: int, target: Path) -> None:
    """Bytes ``start`` to ``stop`` of the file as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    at = start
    with path.open("rb") as read, target.open("wb") as write:
        read.seek(start)
        while chunk := read.read(min(_CHUNK, stop - at)):
            text = decoder.decode(chunk)
            write.write((text if at else text.lstrip("\ufeff")).encode())
            at += len(chunk)
        write.write(decoder.decode(b"", final=True).encode())


def main(path: str, encoding: str, start: str, stop: str, target: str) -> int:
    """The exit code is the number of the system's error."""
    try:
        rewrite(Path(path), encoding, int(start), int(stop), Path(target))
    except OSError as error:
        return error.errno or 5
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
