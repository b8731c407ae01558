"""What is prepared answers as the table in memory does: groups, orders, filters, and rows to the byte."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.query import Board, Selection, bottom, select, summary
from engine.query.page import part_of
from engine.served import Listing, ready
from engine.served.layout import FOLDER, UNRANKED, VERSION
from engine.served.orders import by_rank
from tests.unit.served.conftest import Pair

POLICIES = ("sunan-2017", "huaian-2024")


def rows_json(board: Board, rows: np.ndarray, ranks: np.ndarray, of: int) -> bytes:
    """The JSON array of prepared rows."""
    assert board.served is not None
    found = board.served.records(rows, ranks, of)
    text = b"".join(board.served.text(found))
    assert len(text) == found.nbytes
    return b"[%b]" % text


def questions(board: Board, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Questions of every kind: each group and filter asked or not."""
    draw, table = random.Random(seed), board.table
    codes = {
        "industry": [c for n in ("section", "2", "3", "4") for c in table[f"industry_{n}"].drop_nulls().unique().sort()],
        "region": [*sorted({c[:n] for c in table["region_code"].drop_nulls() for n in (2, 4, 6, 9)} | board.zones), "99"],
        "size": ["large", "medium", "small", "micro"],
        "group": ["above_scale", "below_scale", "land_3mu_up", "land_below_3mu"],
        "grade": ["A", "D", "B,C"],
        "q": ["公司", "9132", "hg", "sz", table["name"][3][:4], "nobody"],
        "by": [*board.metrics, "grade"],
        "order": ["best", "worst"],
    }  # fmt: skip
    for _ in range(count):
        yield {name: draw.choice(values) for name, values in codes.items() if draw.random() < 0.45}


@pytest.mark.parametrize("policy", POLICIES)
def test_any_question_has_the_same_answer(boards: dict[str, Pair], policy: str) -> None:
    prepared, plain = boards[policy]
    asked = list(questions(plain, 150, 3))
    for question in asked:
        for start in (None, 7):
            selection = Selection.parse(limit=13, **question)
            ours, theirs = (part_of(board, selection, start) for board in (prepared, plain))
            assert ours.places.rows.tolist() == theirs.places.rows.tolist(), question
            assert ours.places.rank.tolist() == theirs.places.rank.tolist(), question
            assert (ours.places.of, ours.total, ours.next) == (theirs.places.of, theirs.total, theirs.next)
    assert len({str(q) for q in asked}) > 130


@pytest.mark.parametrize("policy", POLICIES)
def test_prepared_rows_are_the_bytes_of_the_row(boards: dict[str, Pair], policy: str) -> None:
    prepared, plain = boards[policy]
    assert prepared.served is not None
    for order in ("best", "worst"):
        for metric in plain.metrics:
            selection = Selection.parse(by=metric, order=order)
            places = part_of(prepared, selection).places
            assert rows_json(prepared, places.rows, places.rank, places.of) == orjson.dumps(
                select(plain, selection).rows
            )
    empty = np.empty(0, np.uint32)
    assert rows_json(prepared, empty, empty, 0) == b"[]"


@pytest.mark.parametrize("policy", POLICIES)
def test_lists_and_sums_are_the_same(boards: dict[str, Pair], policy: str) -> None:
    prepared, plain = boards[policy]
    for question in questions(plain, 12, 5):
        question.pop("order", None)
        selection = Selection.parse(**question)
        assert bottom(prepared, selection, within=("size",)) == bottom(plain, selection, within=("size",))
        assert str(summary(prepared, selection, ("industry",))) == str(summary(plain, selection, ("industry",)))


def test_the_mapped_table_is_the_table(boards: dict[str, Pair]) -> None:
    for prepared, plain in boards.values():
        assert prepared.table.equals(plain.table) and prepared.height == plain.height
        assert prepared.zones == plain.zones and prepared.metrics == plain.metrics


def test_memory_given_back_is_read_again(boards: dict[str, Pair]) -> None:
    prepared, _ = boards["sunan-2017"]
    assert prepared.served is not None
    before = select(prepared, Selection.parse(industry="26", limit=5))
    prepared.served.let_go()
    assert select(prepared, Selection.parse(industry="26", limit=5)) == before


RANKS = st.lists(st.one_of(st.integers(1, 6), st.just(None)), min_size=1, max_size=40)


@given(RANKS, st.integers(0, 45), st.integers(0, 12), st.booleans(), st.integers(0, 600))
def test_a_page_is_a_slice_of_the_whole_order(
    values: list[int | None], start: int, length: int, worst: bool, repeat: int
) -> None:
    """Places, ties and ranks by counting, for short pages and for those that numpy counts."""
    values = values * (1 + repeat // 40)
    usable = [v for v in values if v is not None]
    better = {v: 1 + sum(u < v for u in usable) for v in set(usable)}
    ranks = np.array([UNRANKED if v is None else better[v] for v in values], dtype=np.uint32)
    listing = Listing(by_rank(ranks), ranks)
    order = sorted(
        (n for n, v in enumerate(values) if v is not None),
        key=lambda n: (-int(ranks[n]) if worst else int(ranks[n]), n),
    )
    order += [n for n, v in enumerate(values) if v is None]
    rows, places = listing.page(start, min(start + length, len(values)), worst)
    assert rows.tolist() == order[start : start + length] and listing.of == len(usable)
    assert places.tolist() == [0 if ranks[n] == UNRANKED else ranks[n] for n in rows]
    assert listing.ranks_in(rows).tolist() == places.tolist()
    assert [listing.rank_of(n) or 0 for n in rows] == places.tolist()
    assert listing.every_rank().tolist() == [0 if ranks[n] == UNRANKED else ranks[n] for n in listing.rows]


@given(st.lists(st.integers(0, 2**31 - 1), max_size=200))
def test_the_order_by_two_halves_is_a_stable_sort(ranks: list[int]) -> None:
    given = np.array(ranks, dtype=np.uint32)
    assert by_rank(given).tolist() == np.argsort(given, kind="stable").tolist()


def test_codes_where_the_first_column_does_not_decide() -> None:
    """A region code in two zones gives two combinations; null is one of its own."""
    from engine.served.coding import coded

    table = pl.DataFrame({"a": ["x", "x", None, "x", None], "b": ["1", "2", "1", "1", None]})
    codes, combinations = coded(table, ("a", "b"))
    assert combinations[codes.tolist()].rows() == table.rows() and combinations.height == 4


def test_what_earlier_versions_made_is_taken_away(boards: dict[str, Pair], tmp_path: Path) -> None:
    release, cache = next(iter(boards.values()))[1].release, tmp_path / "cache"
    others = [
        cache / name
        for name in (f"{FOLDER}-1-abc", f"{FOLDER}-{VERSION - 1}-abc", f"{FOLDER}-{VERSION + 1}-abc", "tiles")
    ]
    for other in others:
        other.mkdir(parents=True)
        (other / "rows.bin").write_bytes(b"x")
    assert ready(release.folder, release.manifest, cache) is not None
    assert [other.is_dir() for other in others] == [False, False, True, True]
