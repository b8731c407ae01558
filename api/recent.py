"""Pages that were asked lately: where their rows lie and what stands around them, and packed what browsers ask packed."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

from api.fresh import Known
from api.respond import packed
from api.rights import Viewer
from api.store import Listed, Opened
from engine.served import Records, Served

ROOM = 32 << 20  # bytes of pages a worker keeps: about eight thousand of twenty rows
_OVERHEAD = 2_000  # bytes that a page costs beside its rows and packed texts
# Who asks and the words of the question: what an answer depends on, beside the ledger.
Key = tuple[bytes, Viewer]
Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Page:
    """An answer but for the text of its rows, which is read when it is sent; for whom the ledger listed ``entries``."""

    entries: tuple[Listed, ...]
    release_id: str
    tag: str
    headers: Headers
    begin: bytes
    records: Records
    end: bytes
    served: weakref.ref[Served]  # a page alone keeps no release open
    size: int
    texts: dict[str, bytes] = field(default_factory=dict)  # by content encoding

    @classmethod
    def of(
        cls, known: Known, opened: Opened, tag: str, headers: Headers, around: tuple[bytes, bytes], records: Records
    ) -> Page:
        """A page of an open release; ``around``: what stands before and behind its rows."""
        begin, end = around
        served, size = opened.board.served, len(begin) + records.nbytes + len(end)
        assert served is not None
        release_id = opened.listed.release_id
        return cls(known.entries, release_id, tag, headers, begin, records, end, weakref.ref(served), size)

    def stands(self, known: Known) -> bool:
        """Whether the ledger lists what it did and the release is open and where it was."""
        return known.entries is self.entries and self.release_id in known.standing and self.served() is not None

    def body(self) -> bytes:
        """The answer as it is."""
        served = self.served()
        if served is None:
            raise FileNotFoundError(self.release_id)
        return b"".join([self.begin, *served.text(self.records), self.end])

    @property
    def held(self) -> int:
        """What the page holds in memory."""
        return _OVERHEAD + self.records.held + len(self.begin) + len(self.end) + sum(map(len, self.texts.values()))


class Recent:
    """The pages asked last, at most :data:`ROOM` bytes; for one thread, the event loop's."""

    def __init__(self, room: int = ROOM) -> None:
        self.room, self.held = room, 0
        self._pages: OrderedDict[Key, Page] = OrderedDict()

    def find(self, key: Key, known: Known) -> Page | None:
        """The page, if it still stands."""
        page = self._pages.get(key)
        if page is None:
            return None
        if not page.stands(known):
            self._drop(key)
            return None
        self._pages.move_to_end(key)
        return page

    def keep(self, key: Key, page: Page) -> None:
        """Keep a page; those asked longest ago make room."""
        self._drop(key)
        self._pages[key] = page
        self._grown(page.held)

    def text(self, key: Key, page: Page, encoding: str | None) -> bytes:
        """The body of a page in ``zstd``, ``gzip`` (packed once, then kept) or (None) as it is."""
        if encoding is None:
            return page.body()
        found = page.texts.get(encoding)
        if found is None:
            found = page.texts[encoding] = packed(page.body(), encoding)
            self._grown(len(found) if self._pages.get(key) is page else 0)
        return found

    def _grown(self, more: int) -> None:
        self.held += more
        while self.held > self.room and self._pages:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        self.held -= page.held if page else 0
