"""One text a row, of millions of rows: a needle is looked for in many of them at once."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

_STRETCH, _BLOCK = 1 << 19, 64  # rows


class Texts:
    """The texts, one after the other, and where each begins."""

    def __init__(self, data: bytes | mmap.mmap | pa.Buffer, starts: np.ndarray) -> None:
        """``data`` in UTF-8; ``starts`` (int64): where the text of each row begins, and where the last one ends."""
        self._data, self._starts = pa.py_buffer(data), starts

    @classmethod
    def of(cls, texts: pl.Series) -> Texts:
        """Of a column (String) without nulls."""
        _, starts, data = pa.array(texts, pa.large_string()).buffers()
        return cls(b"" if data is None else data, np.frombuffer(starts, np.int64, len(texts) + 1))

    @property
    def is_ascii(self) -> bool:
        """Whether no character beyond ASCII stands in any."""
        return bool(np.frombuffer(self._data, np.uint8).max(initial=0) < 0x80)

    def write(self, data: Path, starts: Path) -> None:
        """Both parts, to be mapped."""
        data.write_bytes(self._data)
        self._starts.tofile(starts)

    def holding(self, text: str) -> Iterator[np.ndarray]:
        """Numbers of the rows that hold the text, stretch after stretch (some 15 MB), so that mapped pages can be given back.

        Texts of _BLOCK rows are looked through as one: four times as quick, and few hold a text worth searching for.
        """
        rows = len(self._starts) - 1
        for first in range(0, rows, _STRETCH):
            starts = self._starts[first : min(first + _STRETCH, rows) + 1]
            blocks = self._strings(np.append(starts[:-1:_BLOCK], starts[-1]))
            held = np.flatnonzero(_contain(blocks, text))
            if 4 * len(held) > len(blocks):
                yield first + np.flatnonzero(_contain(self._strings(starts), text))
            else:
                near = (first + _BLOCK * held[:, None] + np.arange(_BLOCK)).ravel()
                near = near[near < rows]
                yield near[self.among(text, near)]

    def among(self, text: str, rows: np.ndarray) -> np.ndarray:
        """Which of a few rows hold the text (a mask)."""
        return _contain(self._strings(self._starts).take(pa.array(rows)), text)

    def _strings(self, places: np.ndarray) -> pa.LargeStringArray:
        return pa.LargeStringArray.from_buffers(len(places) - 1, pa.py_buffer(places), self._data)


def _contain(texts: pa.LargeStringArray, text: str) -> np.ndarray:
    found = pl.from_arrow(texts)
    assert isinstance(found, pl.Series)
    return found.str.contains(text, literal=True).to_numpy()
