"""Draws: seeded, prefix-stable, within their spread, weights at the pack's sum; ranks of many draws by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema.errors import PermuError
from engine.served.orders import competition_ranks
from engine.whatif import packed
from engine.whatif.draws import draw, without_each
from engine.whatif.packed import ranks

WEIGHTS = [45.0, 35.0, 20.0]


def test_a_seed_gives_the_same_draws_and_another_others() -> None:
    one, same, other = (draw(WEIGHTS, 50, seed, 0.2, 0.1) for seed in (7, 7, 8))
    assert np.array_equal(one.weights, same.weights) and np.array_equal(one.factors, same.factors)
    assert not np.array_equal(one.weights, other.weights) and len(one) == 50


def test_the_generator_is_the_one_documented() -> None:
    """PCG64 of SeedSequence(1), first child: a change of the stream must not go unnoticed."""
    found = draw(WEIGHTS, 1, 1, 0.2, 0.0).weights[0]
    raw = np.random.Generator(np.random.PCG64(np.random.SeedSequence(1).spawn(2)[0])).random(3)
    moved = np.array(WEIGHTS) * (0.8 + 0.4 * raw)
    assert found == pytest.approx(moved * 100 / moved.sum(), rel=1e-14)


def test_more_draws_begin_with_the_same_and_spreads_do_not_disturb_each_other() -> None:
    few, many = draw(WEIGHTS, 10, 3, 0.2, 0.1), draw(WEIGHTS, 1000, 3, 0.2, 0.3)
    assert np.array_equal(few.weights, many.weights[:10])
    assert not np.array_equal(few.factors, many.factors[:10])


def test_weights_sum_to_the_packs_sum_and_stay_within_their_spread() -> None:
    found = draw(WEIGHTS, 5000, 11, 0.2, 0.1)
    assert np.abs(found.weights.sum(axis=1) - 100).max() < 1e-10
    relative = found.weights / np.array(WEIGHTS)
    assert relative.min() > 0.8 / 1.2 and relative.max() < 1.2 / 0.8
    assert found.factors.min() >= 0.9 and found.factors.max() <= 1.1
    assert abs(found.factors.mean() - 1) < 0.005


def test_without_spread_the_draws_are_the_pack() -> None:
    found = draw(WEIGHTS, 3, 1, 0.0, 0.0)
    assert (found.weights == np.array(WEIGHTS)).all() and (found.factors == 1.0).all()


def test_each_left_out_in_turn() -> None:
    expected = [[0, 50, 50], [200 / 3, 0, 100 / 3], [200 / 3, 100 / 3, 0]]
    found = without_each([50.0, 25.0, 25.0])
    assert found.weights == pytest.approx(np.array(expected)) and (found.factors == 1.0).all()


@pytest.mark.parametrize("given", [(0, 1, 0.2, 0.1), (10**6, 1, 0.2, 0.1), (1, -1, 0.2, 0.1), (1, 1, 1.0, 0.1), (1, 1, 0.2, -0.1), (1, 1, float("nan"), 0)])  # fmt: skip
def test_numbers_out_of_range_are_refused(given: tuple[int, int, float, float]) -> None:
    with pytest.raises(PermuError) as caught:
        draw(WEIGHTS, *given)
    assert caught.value.code == "bad_parameter"


# --- ranks ---------------------------------------------------------------------------------------------------------

SCORES = st.integers(1, 4).flatmap(
    lambda rows: st.integers(1, 12).flatmap(
        lambda size: st.lists(
            st.lists(st.one_of(st.integers(-3, 3), st.integers(-9 * 10**18, 9 * 10**18)), min_size=size, max_size=size),
            min_size=rows, max_size=rows,
        )
    )
)  # fmt: skip


@given(SCORES)
def test_ranks_are_one_more_than_the_better_ones(rows: list[list[int]]) -> None:
    expected = [[1 + sum(o > s for o in row) for s in row] for row in rows]
    assert ranks(np.array(rows, dtype=np.int64)).tolist() == expected


@pytest.mark.parametrize("distinct", [1, 2, 50, 10**12])
def test_packed_and_searched_agree_with_the_ranks_of_the_board(distinct: int) -> None:
    scores = np.random.default_rng(distinct).integers(-distinct, distinct + 1, (7, 501))
    expected = np.stack([competition_ranks(row) for row in scores])
    assert np.array_equal(ranks(scores.copy()), expected)
    assert np.array_equal(packed._searched(scores), expected)


def test_nobody_has_no_ranks() -> None:
    assert ranks(np.empty((3, 0), np.int64)).shape == (3, 0)
