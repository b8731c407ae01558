"""The rows' text as prepared, read where it lies; what a row says of the asked group is put before it."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import orjson


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of an answer whose text was not read yet: what each says of the group, where it lies and how long it is."""

    heads: list[bytes]
    starts: array[int]
    sizes: array[int]

    @property
    def nbytes(self) -> int:
        """Bytes of the text."""
        return sum(map(len, self.heads)) + sum(self.sizes)

    @property
    def held(self) -> int:
        """Memory that keeping it takes, about."""
        return 500 + sum(48 + len(head) for head in self.heads) + 16 * len(self.sizes)


class RecordFile:
    """``rows.json`` with the place of each row. Read, not mapped: pages of it would count as this process's memory."""

    def __init__(self, file: Path, starts: np.ndarray) -> None:
        self._file = file.open("rb", buffering=0)
        self._starts = starts

    def find(self, rows: np.ndarray, ranks: np.ndarray, of: int) -> Records:
        """These rows; ``ranks`` those of the asked group (0 = none), ``of`` its size."""
        places = rows.astype(np.int64)
        starts = self._starts[places]
        sizes = self._starts[places + 1] - starts - 1  # without the line feed
        heads = _heads(ranks.tolist(), of)
        return Records(heads, array("q", starts.tobytes()), array("q", sizes.tobytes()))

    def text(self, found: Records) -> Iterator[bytes]:
        """The rows as members of a JSON array, in pieces."""
        texts = map(os.pread, repeat(self._file.fileno()), found.sizes, found.starts)
        return chain.from_iterable(zip(found.heads, texts, strict=True))


def _heads(ranks: list[int], of: int) -> list[bytes]:
    """What a row says of the asked group: its rank there (0: none), of how many, the percentile."""
    if not ranks:
        return []
    percentiles = orjson.dumps([100 * (of - r) / (of - 1) if r and of > 1 else None for r in ranks])[1:-1].split(b",")
    found = [
        b',{"rank":%b,"of":%d,"percentile":%b' % (b"%d" % r if r else b"null", of, p)
        for r, p in zip(ranks, percentiles, strict=True)
    ]
    return [found[0][1:], *found[1:]]
