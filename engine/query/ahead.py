"""Group figures that everybody asks first, computed once by a process of its own and kept beside the prepared files.

``python -m engine.query.ahead RELEASE SERVED``. Of a million enterprises they take seconds and a hundred megabytes, which
no server should spend before its first page is seen.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson

from engine.query.board import Board
from engine.query.selection import Selection
from engine.query.summary import FIGURES, FIRST, summary
from engine.releases import open_release
from engine.served import FEW, Served
from engine.served.layout import INDEX


def ready(release: Path, served: Served) -> None:
    """Have the figures made unless they are there; few enterprises need none. What cannot be written is computed when asked."""
    place = served.folder / FIGURES
    if served.height <= FEW or place.is_file():
        return
    with (served.folder / INDEX).open("rb") as lock:  # several workers come at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_file():
            subprocess.run([sys.executable, "-m", "engine.query.ahead", str(release), str(served.folder)], check=False)


def make(release: Path, folder: Path) -> None:
    """Write the figures of a release into its ``served/`` folder, whole or not at all."""
    served = Served(folder)
    board = Board(replace(open_release(release), mapped=served.table), served)
    told = {",".join(names): summary(board, Selection(), names) for names in FIRST}
    part = folder / f".{FIGURES}.part"
    part.write_bytes(orjson.dumps(told))
    part.rename(folder / FIGURES)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
