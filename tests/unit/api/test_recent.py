"""Pages kept: the same text in every encoding, a bound that holds, dropped when the ledger changes or their release goes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from api.fresh import Known
from api.quick import page_of
from api.ranking_page import ranking_page
from api.recent import Key, Page, Recent
from api.rights import ADMINISTRATOR, rights_of
from api.store import Store
from engine.query import Selection
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

OVERALL = b"year=2024", ADMINISTRATOR


@pytest.fixture
def store(tmp_path: Path) -> Store:
    home = Warehouse(tmp_path).create()
    build(home, FIRMS)
    store = Store(home)
    store.find()
    return store


def known_to(store: Store) -> Known:
    return Known(store.ledger.index(), store.standing())


def page(store: Store, **asked: int | str) -> Page:
    opened = store.find()
    found = page_of(known_to(store), opened, rights_of(ADMINISTRATOR, opened), Selection.parse(**asked), "t")
    assert found is not None
    return found


def test_every_encoding_holds_the_text(store: Store) -> None:
    recent, one, opened = Recent(), page(store, limit=7), store.find()
    body = ranking_page(opened, rights_of(ADMINISTRATOR, opened), Selection.parse(limit=7))
    for _ in range(2):
        assert recent.text(OVERALL, one, None) == body and one.size == len(body)
        assert gzip.decompress(recent.text(OVERALL, one, "gzip")) == body
        assert zstandard.ZstdDecompressor().decompress(recent.text(OVERALL, one, "zstd")) == body


def test_never_more_than_its_room_and_the_last_asked_stay(store: Store) -> None:
    pages = {n: page(store, limit=n) for n in range(1, 13)}
    known = known_to(store)

    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from([None, "gzip", "zstd"])), max_size=40))
    def held(asked: list[tuple[int, str | None]]) -> None:
        recent = Recent(room=15_000)
        for one in pages.values():
            one.texts.clear()
        for number, encoding in asked:
            key: Key = (str(number).encode(), ADMINISTRATOR)
            one = recent.find(key, known)
            if one is None:
                recent.keep(key, one := pages[number])
            recent.text(key, one, encoding)
            assert recent.held == sum(p.held for p in recent._pages.values()) <= 15_000
            assert next(reversed(recent._pages)) == key

    held()


def test_a_page_goes_with_what_the_ledger_lists(store: Store) -> None:
    recent, one = Recent(), page(store)
    recent.keep(OVERALL, one)
    store.warehouse.ledger.touch()  # as the audit log does: nothing is listed that was not
    assert recent.find(OVERALL, known_to(store)) is one
    assert recent.find((b"year=2023", ADMINISTRATOR), known_to(store)) is None
    build(store.warehouse, FIRMS[:9], year=2023)
    assert recent.find(OVERALL, known_to(store)) is None and recent.held == 0


def test_a_page_goes_with_its_release(store: Store) -> None:
    recent, one = Recent(), page(store)
    recent.keep(OVERALL, one)
    folder = store.warehouse.releases / one.release_id
    folder.rename(folder.with_name("away"))
    assert recent.find(OVERALL, known_to(store)) is None and recent.held == 0
