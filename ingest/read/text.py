"""Which encoding a text file is in, and its text as UTF-8."""

from __future__ import annotations

import codecs
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.read.sheet import unreadable

_CHUNK = 1 << 20
_PAIR, _ASCII = re.compile(rb"[\xa1-\xff]{2}"), bytes(range(0x80))
_BOMS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]


def sniff(path: Path) -> str:
    """``utf-8``, ``utf-16``, ``gb18030`` or ``cp1252``; decided on the first megabyte that is not plain ASCII."""
    with path.open("rb") as handle:
        head = handle.read(4)
        for bom, name in _BOMS:
            if head.startswith(bom):
                return name
        handle.seek(0)
        chunk = _first_not_ascii(handle)
    return encoding_of(chunk)


def _first_not_ascii(handle: BinaryIO) -> bytes:
    """A piece of the file from the start of the line that holds its first non-ASCII byte."""
    before = b""
    while chunk := handle.read(_CHUNK):
        if not chunk.isascii():
            return before[before.rfind(b"\n") + 1 :] + chunk
        before = chunk
    return b""


def encoding_of(data: bytes) -> str:
    """The encoding of a piece of text that may be cut off at its end.

    Any bytes decode as cp1252 and much of cp1252 decodes as GBK; Chinese text has both bytes of a character high
    (GB 2312), an accented Latin letter stands alone between ASCII ones.
    """
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(data)
        except UnicodeDecodeError:
            continue
        if name == "utf-8" or _paired(data) >= 0.7:
            return name
    return "gb18030" if _paired(data) >= 0.9 else "cp1252"


def _paired(data: bytes) -> float:
    """Share of the high bytes that stand in pairs of two high bytes (a GB 2312 character)."""
    rest, pairs = _PAIR.subn(b"", data)
    single = len(rest.translate(None, _ASCII))
    return pairs / max(1, pairs + single)


LONGEST_LINE = 32 << 20


def check_lines(path: Path) -> None:
    """Refuse a text without line ends: a line is held in memory whole. Looks only at the first line end of each 32 MB.

    Raises:
        PermuError: ``unreadable_file``.
    """
    size = path.stat().st_size
    if size <= LONGEST_LINE:
        return
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for start in range(0, size - LONGEST_LINE, LONGEST_LINE):
            if text.find(b"\n", start, start + LONGEST_LINE) < 0:
                raise unreadable(path, "a line of more than 32 MB", "有一行超过 32 MB")


def decoded(path: Path, encoding: str) -> Iterator[str]:
    """The file's text in pieces; a byte that is no text becomes U+FFFD, so that its row can be refused by name."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
