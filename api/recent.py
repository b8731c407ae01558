"""Pages that were asked lately, kept packed: a browser gets them as they are, others unpacked."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass, field

import zstandard

from api.rights import Viewer
from api.store import Listed, Store

ROOM = 32 << 20  # bytes of packed pages a worker keeps: about ten thousand pages of twenty rows
_LARGEST = 1 << 18  # a page above this is not kept
_OVERHEAD = 1_000  # bytes that a page costs beside its text
_PACK, _UNPACK = zstandard.ZstdCompressor(level=3), zstandard.ZstdDecompressor()
# Who asks and the words of the question: what an answer depends on, beside the ledger.
Key = tuple[bytes, Viewer]


@dataclass
class Page:
    """An answer, what the ledger listed when it was made, and its release."""

    entries: tuple[Listed, ...]
    listed: Listed
    tag: str
    size: int
    texts: dict[str, bytes] = field(default_factory=dict)  # by content encoding

    @classmethod
    def of(cls, entries: tuple[Listed, ...], listed: Listed, tag: str, body: bytes) -> Page:
        """The page with its body packed."""
        return cls(entries, listed, tag, len(body), {"zstd": _PACK.compress(body)})

    def text(self, encoding: str | None) -> bytes:
        """The body in ``zstd``, ``gzip`` or (None) as it is."""
        if encoding == "gzip" and "gzip" not in self.texts:
            self.texts["gzip"] = gzip.compress(_UNPACK.decompress(self.texts["zstd"]), 4, mtime=0)
        return _UNPACK.decompress(self.texts["zstd"]) if encoding is None else self.texts[encoding]

    @property
    def nbytes(self) -> int:
        """What the page holds in memory, its gzip counted from the beginning."""
        return 2 * len(self.texts["zstd"]) + _OVERHEAD


class Recent:
    """The pages asked last, at most :data:`ROOM` bytes; for one thread, the event loop's."""

    def __init__(self, store: Store, patience: float = 0.0, room: int = ROOM) -> None:
        self.store, self.patience, self.room, self.held = store, patience, room, 0
        self._pages: OrderedDict[Key, Page] = OrderedDict()

    def find(self, key: Key) -> Page | None:
        """The page, if the ledger lists what it did and the release is where it was."""
        page = self._pages.get(key)
        if page is None:
            return None
        if self.store.ledger.at_hand(self.patience) is not page.entries or not self._stands(page):
            self._drop(key)
            return None
        self._pages.move_to_end(key)
        return page

    def keep(self, key: Key, page: Page) -> None:
        """Keep a page; those asked longest ago give way."""
        if page.nbytes > _LARGEST:
            return
        self._drop(key)
        self._pages[key] = page
        self.held += page.nbytes
        while self.held > self.room:
            self._drop(next(iter(self._pages)))

    def _stands(self, page: Page) -> bool:
        return self.store.at_hand(page.listed, self.patience) is not None

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        self.held -= page.nbytes if page else 0
