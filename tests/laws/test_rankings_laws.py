"""Laws of ranked pages and bottom lists over arbitrary values."""

from __future__ import annotations

import itertools
from fractions import Fraction
from types import SimpleNamespace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.query import Board, Selection, bottom, select
from engine.query.selection import Group

TEXT = ("uscc", "name", "industry_code", "industry_section", "region_code", "scale_group", "flags")
# few distinct values, so that ties are common; every kind of missing
VALUES = st.one_of(
    st.none(), st.sampled_from([0.0, -0.0, 1.0, 2.0, 2.5, -3.0, float("nan"), float("inf")]), st.floats()
)
FIRMS = st.lists(
    st.tuples(VALUES, st.sampled_from(["large", "small", None]), st.sampled_from(["A", "D", None])), max_size=40
)
Firm = tuple[float | None, str | None, str | None]


def board_of(firms: list[Firm]) -> Board:
    schema = {"enterprise_id": pl.String, "m": pl.Float64, "size": pl.String, "grade": pl.String}
    rows = [(f"F{i:03}", value, size, grade) for i, (value, size, grade) in enumerate(firms)]
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(**dict.fromkeys(TEXT, pl.lit(None, pl.String)))
    manifest = {"release_id": "r", "year": 2024, "policy": "p", "metrics": ["m"], "default_metric": "m"}
    return Board(SimpleNamespace(manifest=manifest, rankings=frame))


def usable(value: float | None) -> bool:
    return value is not None and value == value and abs(value) != float("inf")


@given(FIRMS)
def test_rank_is_one_more_than_the_number_of_better_ones(firms: list[Firm]) -> None:
    values = {f"F{i:03}": v for i, (v, _, _) in enumerate(firms)}
    known = [v for v in values.values() if usable(v)]
    page = select(board_of(firms), Selection())
    assert page.of == len(known) and len(page.rows) == len(firms)
    for row in page.rows:
        own = values[row["enterprise_id"]]
        assert row["rank"] == (1 + sum(v > own for v in known) if usable(own) else None)


@given(FIRMS, st.sampled_from(["best", "worst"]), st.integers(1, 7))
def test_pages_joined_are_the_whole(firms: list[Firm], order: str, limit: int) -> None:
    board = board_of(firms)
    whole = select(board, Selection(order=order)).rows
    rows, cursor = [], None
    while True:
        page = select(board, Selection(order=order, limit=limit, cursor=cursor))
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert str(rows) == str(whole)  # as text: NaN is not equal to itself
    ranks = [r["rank"] for r in whole]
    ranked = [r for r in ranks if r is not None]
    assert ranks[: len(ranked)] == sorted(ranked, reverse=order == "worst")
    ties = [(r["rank"] or 0, r["enterprise_id"]) for r in whole]
    assert all(a[1] < b[1] for a, b in itertools.pairwise(ties) if a[0] == b[0])


@given(FIRMS)
def test_a_grade_filter_changes_no_rank(firms: list[Firm]) -> None:
    board = board_of(firms)
    whole = {r["enterprise_id"]: (r["rank"], r["of"], r["percentile"]) for r in select(board, Selection()).rows}
    for row in select(board, Selection(grade=("D",))).rows:
        assert row["grade"] == "D" and whole[row["enterprise_id"]] == (row["rank"], row["of"], row["percentile"])


@given(FIRMS)
def test_the_order_of_the_input_changes_nothing(firms: list[Firm]) -> None:
    board = board_of(firms)
    shuffled = SimpleNamespace(manifest=board.manifest, rankings=board.table.reverse())
    assert str(select(Board(shuffled), Selection()).rows) == str(select(board, Selection()).rows)


@settings(max_examples=60)
@given(FIRMS, st.fractions(0, 100, max_denominator=1000).filter(lambda p: p > 0))
def test_bottom_percent_is_the_rule_on_every_rank(firms: list[Firm], percent: Fraction) -> None:
    board = board_of(firms)
    for group in bottom(board, Selection(), percent=percent, within=("size",)):
        members = Board(
            SimpleNamespace(
                manifest=board.manifest,
                rankings=board.table.filter(pl.col("size").eq_missing(pl.lit(group.key["size"]))),
            )
        )
        page = select(members, Selection(order="worst"))
        expected = [r["enterprise_id"] for r in page.rows if r["rank"] and r["rank"] * 100 > (100 - percent) * page.of]
        assert [r["enterprise_id"] for r in group.rows] == expected and group.of == page.of


@settings(max_examples=60)
@given(FIRMS, st.integers(1, 12))
def test_bottom_count_takes_the_last_n_and_their_ties(firms: list[Firm], count: int) -> None:
    board = board_of(firms)
    ranked = [r for r in select(board, Selection(order="worst")).rows if r["rank"] is not None]
    cut = min((r["rank"] for r in ranked[:count]), default=0)
    expected = [r["enterprise_id"] for r in ranked if r["rank"] >= cut]
    assert [r["enterprise_id"] for r in bottom(board, Selection(), count=count)[0].rows] == expected


@given(FIRMS)
def test_sizes_partition_the_whole(firms: list[Firm]) -> None:
    board = board_of(firms)
    sizes = [size for _, size, _ in firms]
    for size in ("large", "small"):
        assert len(board.members(Group(size=size))) == sizes.count(size)
