"""What a prepared release answers is what the ranking's own code gives, bit for bit, for any question."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.policy.packs import load_pack, read_pack
from engine.releases import Release, find
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from engine.whatif import prepared
from engine.whatif.changes import changed
from engine.whatif.prepared import Prepared, unweighted
from engine.whatif.simulate import simulate

BASE = "bases.tax_per_mu.times"
OTHER = st.sampled_from(["caps.sales_per_mu=1.5", "missing.tax_per_tce=exclude_reweight", "scope.below_scale_least_mu=6",
                         f"{BASE}=1.5", "score.ties=share_worse_rank", "bottom_percent=7"])  # fmt: skip


@pytest.fixture(scope="module")
def release(demo_home: Warehouse) -> Release:
    return find(demo_home, year=2024, policy="huaian-2024")


@pytest.fixture(scope="module")
def ready(demo_home: Warehouse, release: Release) -> Prepared:
    return Prepared(demo_home, release)


@st.composite
def questions(draw: st.DrawFn) -> list[str]:
    """Three weights that sum to 100, three rising shares, and now and then something else."""
    tax = draw(st.integers(1, 98))
    sales = draw(st.integers(1, 99 - tax))
    a, b, c = sorted(draw(st.sets(st.integers(1, 99), min_size=3, max_size=3)))
    weights = {"tax_per_mu": tax, "sales_per_mu": sales, "tax_per_tce": 100 - tax - sales}
    shares = {"A": a, "B": b, "C": c}
    asked = [f"weights.{n}={w}" for n, w in weights.items()] + [f"shares.{g}={s}" for g, s in shares.items()]
    return asked + draw(st.lists(OTHER, max_size=2, unique=True))


@settings(max_examples=12)
@given(asked=questions())
def test_it_is_the_simulation(demo_home: Warehouse, release: Release, ready: Prepared, asked: list[str]) -> None:
    mine, slow = ready.simulate(asked), simulate(demo_home, release, asked)
    assert mine.rows.equals(slow.rows) and mine.pack.text == slow.pack.text and mine.matrix == slow.matrix


def test_no_change_is_the_release_itself(release: Release, ready: Prepared) -> None:
    same, table = ready.simulate([]), release.rankings
    assert same.moved.is_empty() and same.pack == release.pack
    assert same.rows["grade_after"].to_list() == table["grade"].fill_null("-").to_list()
    assert same.rows["score_after"].to_list() == table["score"].to_list()
    assert same.rows["rank_after"].to_list() == table["grade_rank"].to_list()


def test_weights_and_shares_share_their_tables_and_nothing_else_does(release: Release) -> None:
    own = unweighted(release.pack.policy)
    alike = ["weights.tax_per_mu=35", "shares.A=22"]
    assert unweighted(changed(release.pack, alike, rescale=True).policy) == own
    for other in (f"{BASE}=1.5", "scope.below_scale_least_mu=6", "score.graded_within=region_city"):
        assert unweighted(changed(release.pack, [other]).policy) != own


def test_packs_with_groups_and_adjustments_have_a_key(release: Release) -> None:
    """Every shipped pack with a score is told apart from the others."""
    keys = [unweighted(load_pack(n).policy) for n in ("huangyan-2022", "maanshan-2019", "illustrative-2024")]
    assert len(set(keys)) == 3
    again = read_pack(load_pack("illustrative-2024").text, "again")
    assert unweighted(again.policy) == keys[2]


def test_tables_beyond_the_limit_are_not_kept(
    demo_home: Warehouse, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_KEPT_MB", 0.0)
    small = Prepared(demo_home, release)
    assert small.simulate(["shares.A=25"]).moved.height and not small._made


def test_a_policy_without_a_score_is_refused(demo_home: Warehouse) -> None:
    with pytest.raises(PermuError) as caught:
        Prepared(demo_home, find(demo_home, year=2024, policy="sunan-2017"))
    assert caught.value.code == "no_composite"
