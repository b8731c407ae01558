"""Pages kept packed: the same text in every encoding, a bound that holds, dropped when the ledger changes."""

from __future__ import annotations

import gzip
from pathlib import Path

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from api.recent import Page, Recent
from api.rights import ADMINISTRATOR
from api.store import Listed, Store
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

LISTED = Listed("r", 2024, "p", "", 1, "", "draft")


@given(st.binary(max_size=5000))
def test_every_encoding_holds_the_text(body: bytes) -> None:
    page = Page.of((LISTED,), LISTED, "t", body)
    assert page.text(None) == body and page.size == len(body)
    assert gzip.decompress(page.text("gzip")) == body == zstandard.ZstdDecompressor().decompress(page.text("zstd"))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=3000)), max_size=40))
def test_never_more_than_its_room_and_the_last_asked_stay(asked: list[tuple[int, bytes]]) -> None:
    recent = Recent(Store(Warehouse(Path("none"))), room=9000)
    for number, body in asked:
        recent.keep((str(number).encode(), ADMINISTRATOR), Page.of((LISTED,), LISTED, "t", body))
        pages = recent._pages.values()
        assert recent.held == sum(p.nbytes for p in pages) <= 9000
        assert not asked or list(recent._pages)[-1][0] == str(number).encode()


def test_a_page_goes_with_what_the_ledger_lists(tmp_path: Path) -> None:
    home = Warehouse(tmp_path).create()
    build(home, FIRMS)
    store = Store(home)
    (listed,) = store.index()
    store.open(listed)
    recent, key = Recent(store), (b"year=2024", ADMINISTRATOR)
    store.index()  # the first reading may touch the ledger's own files
    entries = store.ledger.at_hand()
    assert entries is not None
    page = Page.of(entries, listed, "t", b"{}")
    recent.keep(key, page)
    assert recent.find(key) is page
    assert recent.find((b"year=2023", ADMINISTRATOR)) is None
    build(home, FIRMS[:9], year=2023)
    assert recent.find(key) is None and recent.held == 0
