"""Distribution, concentration and quadrant: laws for any values, and the figures by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.overview import Members, concentration, distribution, quadrant
from engine.overview.distribution import nice_step
from engine.query import Selection
from engine.schema.errors import PermuError
from tests.unit.overview.held import board

ALL = Selection()
TAXES = st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**13)), min_size=1, max_size=60)
POSITIVE = st.lists(st.integers(1, 10**13), min_size=1, max_size=60)
LEAST = st.sampled_from([1, 5])


def members(taxes: list[int | None], land: list[int] | None = None, least: int = 1, **more: object) -> Members:
    return Members.of(board(taxes, land, **more), ALL, least)


@given(TAXES, LEAST)
def test_counts_of_a_distribution_sum_to_of(taxes: list[int | None], least: int) -> None:
    of = sum(t is not None for t in taxes)
    if 0 < of < least:
        with pytest.raises(PermuError, match="tell of single ones"):
            distribution(members(taxes, least=least), "benefit_per_mu")
        return
    found = distribution(members(taxes, least=least), "benefit_per_mu")
    assert sum(found["counts"]) == found["of"] == of
    assert found["of"] + found["missing"] == len(taxes)
    assert found["edges"] == sorted(set(found["edges"]))
    assert not found["of"] or len(found["counts"]) == len(found["edges"]) + 1
    assert all(count == 0 or count >= least for count in found["counts"])


@given(TAXES)
def test_each_bin_holds_what_lies_between_its_edges(taxes: list[int | None]) -> None:
    group = members(taxes)
    found = distribution(group, "benefit_per_mu")
    values = group.values("benefit_per_mu")[1]
    if found["of"]:
        edges = [-np.inf, *found["edges"], np.inf]
        counted = [((values >= a) & (values < b)).sum() for a, b in pairwise(edges)]
        assert found["counts"] == counted


@pytest.mark.parametrize(("width", "step"), [(0.9, 1), (1, 1), (1.1, 2), (3, 5), (7, 10), (0.03, 0.05), (1200, 2000)])
def test_steps_are_round(width: float, step: float) -> None:
    assert float(nice_step(width)) == step


def test_one_value_alone_has_a_distribution() -> None:
    assert sum(distribution(members([0]), "benefit_per_mu")["counts"]) == 1
    assert distribution(members([None]), "benefit_per_mu") == {"of": 0, "missing": 1, "edges": [], "counts": []}


# --- concentration -----------------------------------------------------------------------------------------------


@given(st.data())
def test_the_curve_is_monotone_convex_and_ends_at_one(data: st.DataObject) -> None:
    taxes = data.draw(POSITIVE)
    land = data.draw(st.lists(st.integers(1, 10**7), min_size=len(taxes), max_size=len(taxes)))
    found = concentration(members([*taxes], land), "benefit_per_mu")
    x, y = np.array(found["points"]).T
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all() and (y <= x + 1e-12).all()
    assert -1e-9 <= found["gini"] < 1
    slopes = np.diff(y)[np.diff(x) > 0] / np.diff(x)[np.diff(x) > 0]
    assert (np.diff(slopes) >= -1e-6 * slopes[:-1] - 1e-9).all()


@given(POSITIVE, st.integers(2, 9))
def test_gini_knows_no_unit(taxes: list[int], times: int) -> None:
    one, two = (concentration(members([t * k for t in taxes]), "benefit_per_mu") for k in (1, times))
    assert one["gini"] == pytest.approx(two["gini"], abs=1e-9)


def test_gini_by_hand() -> None:
    # four firms of equal land with tax 0, 0, 0, 1: 1 − 2 · area = 1 − 2 · (½ · ¼) = 0.75
    found = concentration(members([0, 0, 0, 10**9]), "benefit_per_mu")
    assert found["gini"] == pytest.approx(0.75)
    assert found["points"] == [[0, 0], [0.25, 0], [0.5, 0], [0.75, 0], [1, 1]]
    assert concentration(members([10**9] * 4), "benefit_per_mu")["gini"] == pytest.approx(0)


def test_refunds_bend_the_curve_below_zero() -> None:
    found = concentration(members([-(10**8), 3 * 10**8]), "benefit_per_mu")
    assert found["points"][1] == [0.5, -0.5] and found["points"][-1] == [1, 1]


def test_no_curve_without_a_positive_sum() -> None:
    found = concentration(members([-5, 5]), "benefit_per_mu")
    assert (found["points"], found["gini"], found["reason"]) == ([], None, "no_positive_sum")


def test_a_long_curve_is_thinned_to_even_steps() -> None:
    found = concentration(members(list(range(1, 1001))), "benefit_per_mu")
    assert len(found["points"]) == 201
    coarse = concentration(members(list(range(1, 51)), least=5), "benefit_per_mu")
    assert len(coarse["points"]) == 11  # each step stands for five


def test_only_what_divides_has_a_curve() -> None:
    with pytest.raises(PermuError) as caught:
        concentration(members([1]), "land_mu")
    assert caught.value.code == "bad_parameter"


# --- quadrant ----------------------------------------------------------------------------------------------------


@given(TAXES)
def test_four_fields_hold_everybody(taxes: list[int | None]) -> None:
    found = quadrant(members(taxes), "output_per_mu", "benefit_per_mu")
    assert found["of"] == sum((found["counts"] or {}).values()) == len(found["points"])
    assert found["of"] + found["missing"] == len(taxes)


def test_many_become_cells_with_the_same_sum() -> None:
    taxes = [10**6 * (n + 1) for n in range(2100)] + [0, -5, None]
    found = quadrant(members(taxes), "output_per_mu", "benefit_per_mu")
    assert found["points"] is None and found["of"] == 2102
    assert sum(cell[2] for cell in found["cells"]) == 2102 and [None, None, 2] in found["cells"]
    for i, j, _ in found["cells"]:
        assert i is None or i == j + 8 or abs(i - j - 8) <= 1  # output is ten times the benefit: eight cells further


def test_the_cross_is_the_median_and_a_common_base() -> None:
    found = quadrant(
        members([10**8, 2 * 10**8, 6 * 10**8], base__benefit_per_mu=10.0), "output_per_mu", "benefit_per_mu"
    )
    middle = 2 * 10**8 / (15 * 10**6)
    assert found["cross"] == {"median": {"x": pytest.approx(10 * middle), "y": middle}, "base": {"x": None, "y": 10.0}}
    assert found["counts"] == {"high_high": 2, "high_low": 0, "low_high": 0, "low_low": 1}


# --- few members -------------------------------------------------------------------------------------------------


def test_the_public_sees_no_point_and_no_small_cell() -> None:
    found = quadrant(members([10**8] * 6 + [10**11] * 2, least=5), "output_per_mu", "benefit_per_mu")
    assert found["points"] is None and [c[2] for c in found["cells"]] == [6] and found["hidden"] == 2


@pytest.mark.parametrize("taxes", [[10**8] * 4, [10**8] * 5 + [10**11]])
def test_the_public_sees_no_curve_of_few_or_of_one_giant(taxes: list[int]) -> None:
    with pytest.raises(PermuError) as caught:
        concentration(members([*taxes], least=5), "benefit_per_mu")
    assert caught.value.code == "too_few_members"
    assert concentration(members([*taxes]), "benefit_per_mu")["of"] == len(taxes)
