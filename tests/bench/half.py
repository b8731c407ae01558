"""One half of a GB18030 file rewritten as UTF-8: a process of the hand-written mark, with nothing to import but this."""

from __future__ import annotations

import sys
from pathlib import Path


def half(file: Path, half: Path) -> None:
    """The first or second half of the file's lines as UTF-8, under the header."""
    second = half.suffixes[-2] == ".1"
    with file.open("rb") as read, half.open("wb") as write:
        header = read.readline()
        read.seek(file.stat().st_size // 2)
        read.readline()
        middle = read.tell()
        start, stop = (middle, file.stat().st_size) if second else (len(header), middle)
        write.write(header.decode("gb18030").encode())
        read.seek(start)
        while start < stop:
            lines = read.read(min(1 << 20, stop - start)) + (read.readline() if stop - start > 1 << 20 else b"")
            write.write(lines.decode("gb18030").encode())
            start += len(lines)


if __name__ == "__main__":
    half(Path(sys.argv[1]), Path(sys.argv[2]))
