"""Laws of every score form over arbitrary packs and years: order, improvement, weights, limits."""

from __future__ import annotations

import itertools
import random

import polars as pl
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.fingerprint import table_sha256
from engine.policy.model import Policy
from engine.policy.packs import read_pack
from engine.ranking.pipeline import rankings
from tests.unit.explain.made import FIRMS, packs
from tests.unit.explain.years import ranked_under
from tests.unit.ranking.firms import Firm, year_of

laws = settings(max_examples=20, deadline=None)
# A fact, and whether more of it is better wherever it is scored.
BETTER = {"vat_fen": 1, "stamp_tax_fen": 1, "rd_fen": 1, "power_wh": -1}


@laws
@given(packs(), FIRMS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(text: str, firms: list[Firm], dice: random.Random) -> None:
    shuffled = dice.sample(firms, len(firms))
    assert table_sha256(ranked_under(text, shuffled)) == table_sha256(ranked_under(text, firms))


@laws
@given(packs(), FIRMS, st.sampled_from(list(BETTER)), st.integers(1, 100), st.data())
def test_a_better_value_never_ranks_worse(
    text: str, firms: list[Firm], fact: str, by: int, data: st.DataObject
) -> None:
    """More of what more is better of, less of what less is: bases and ranges of this year move with it."""
    at = data.draw(st.integers(0, len(firms) - 1))
    value = firms[at][fact]
    assume(value is not None)
    better = [f | ({fact: max(0, value + BETTER[fact] * by)} if n == at else {}) for n, f in enumerate(firms)]
    before, after = (ranked_under(text, x).row(at, named=True) for x in (firms, better))
    if before["grade_rank"] is not None and after["grade_rank"] is not None:
        assert after["grade_rank"] <= before["grade_rank"]
        assert after["grade"] <= before["grade"]


def weighted(text: str, times: int) -> Policy:
    """The pack with every weight, and every penalty in points, ``times`` as large (beyond the loader's 100)."""
    policy = read_pack(text, "made").policy
    assert policy.score is not None
    (group,) = policy.score.groups.values()
    items = {
        n: i.model_copy(update={"weight": (i.weight or 0) * times, "penalty": i.penalty and i.penalty * times})
        for n, i in group.items.items()
    }
    groups = {"all": group.model_copy(update={"items": items})}
    return policy.model_copy(update={"score": policy.score.model_copy(update={"groups": groups})})


@laws
@given(packs(), FIRMS, st.sampled_from([2, 4, 8]))
def test_weights_times_k_change_no_rank_and_no_grade(text: str, firms: list[Firm], times: int) -> None:
    """Powers of two: the products are exact, so that not a tie moves. (Scores stay apart by more than 10⁻¹⁰.)"""
    one, more = (rankings(weighted(text, k), year_of(firms), None).to_native().collect() for k in (1, times))
    scores = sorted(s for s in one["score"] if s is not None)
    if any(0 < abs(a - b) < 1e-8 for a, b in itertools.pairwise(scores)) or any(abs(s) > 1e7 for s in scores):
        return
    columns = ["enterprise_id", "grade", "grade_rank", "grade_of", *(c for c in one.columns if c.startswith("rank__"))]
    assert one.select(columns).equals(more.select(columns), null_equal=True)


@laws
@given(packs(), FIRMS)
def test_points_lie_within_the_limits_of_their_form(text: str, firms: list[Firm]) -> None:
    score = read_pack(text, "made").policy.score
    assert score is not None
    (group,) = score.groups.values()
    table = ranked_under(text, firms)
    for name, item in group.items.items():
        weight = float(item.weight or 0)
        known = table.filter(pl.col(name).is_not_null())[f"item__{name}"].drop_nulls().to_list()
        low, high = {
            "minmax_20_80": (weight / 5, weight),
            "inverse": (0.0, weight),
            "ratio": (0.0, weight * float(item.cap) if item.cap is not None else float("inf")),
        }[item.form]
        assert all(low - 1e-12 <= points <= high + 1e-12 for points in known), name
        absent = table.filter(pl.col(name).is_null() & pl.col("score").is_not_null())[f"item__{name}"]
        if item.missing != "exclude_reweight":
            assert all(points == float(item.penalty or 0) for points in absent)
        else:
            assert absent.null_count() == len(absent)
