"""The packs that come with permu: what DOMAIN of the field says of each, exactly, and nothing that was not seen."""

from __future__ import annotations

import pytest

from engine.policy.indicators import INDICATORS
from engine.policy.model import Policy
from engine.policy.packs import load_pack, shipped

IDS = ["anhui-city", "haining-2023", "huaian-2024", "huangyan-2021", "huangyan-2022", "illustrative-2024", "jingde-2022",
       "linhai-2014", "maanshan-2019", "sunan-2017", "wujin-2018-draft"]  # fmt: skip
SIX = ("tax_per_mu", "value_added_per_mu", "value_added_per_tce", "value_added_per_t_emission", "labour_productivity",
       "rd_ratio")  # fmt: skip
Weighed = dict[str, tuple[float, float | None]]


def weighed(*names: str, weights: tuple[float, ...], bases: tuple[float | None, ...] = ()) -> Weighed:
    return dict(zip(names, zip(weights, bases or [None] * len(weights), strict=True), strict=True))


PUBLISHED: list[tuple[str, str, Weighed]] = [
    ("huangyan-2021", "above_scale", weighed(
        *SIX, weights=(30, 20, 20, 10, 10, 10), bases=(26.01, 132.27, 2.54, 4861.08, 17.45, 0.0305))),
    ("huangyan-2021", "below_scale", weighed(
        "tax_per_mu", "tax_per_kwh", weights=(50, 50), bases=(16.601058, 0.236565))),
    ("huangyan-2022", "above_scale", weighed(
        *SIX, weights=(30, 20, 20, 10, 10, 10), bases=(24.097, 136.16, 2.694, 4929.81, 18.14, 0.0302))),
    ("huangyan-2022", "below_scale", weighed("tax_per_mu", "tax_per_kwh", weights=(50, 50), bases=(11.5932, 0.2352))),
    ("huaian-2024", "all", weighed("tax_per_mu", "sales_per_mu", "tax_per_tce", weights=(45, 35, 20))),
    ("linhai-2014", "land_3mu_up", weighed(
        "tax_per_mu", "sales_per_mu", "value_added_per_tce", "value_added_per_t_cod", "value_added_per_t_water",
        "labour_productivity", weights=(40, 10, 20, 15, 5, 10), bases=(15, 300, 3, 500, 0.1, 15))),
    ("linhai-2014", "land_below_3mu", weighed(
        "tax_per_mu", "sales_per_mu", "tax_per_kwh", weights=(50, 20, 30), bases=(15, 300, 2))),
    ("wujin-2018-draft", "above_scale", weighed(
        "tax_per_mu", "sales_per_mu", "tax_per_tce", "tax_per_t_emission", "labour_productivity", "rd_ratio",
        weights=(40, 20, 10, 10, 10, 10))),
    ("haining-2023", "above_scale", weighed(
        "tax_per_mu", "value_added_per_mu", "labour_productivity", "rd_ratio", "value_added_per_tce",
        "value_added_per_t_emission", weights=(40, 25, 8, 10, 10, 7))),
    ("haining-2023", "below_scale", weighed("tax_per_mu", "sales_per_mu", "tax_per_kwh", weights=(60, 20, 20))),
    ("anhui-city", "above_scale", weighed(
        "tax_per_mu", "sales_per_mu", "value_added_per_tce", "rd_ratio", "labour_productivity",
        weights=(45, 20, 15, 15, 5))),
    ("anhui-city", "below_scale", weighed("tax_per_mu", weights=(100,))),
    ("illustrative-2024", "above_scale", weighed(
        "tax_per_mu", "sales_per_mu", "value_added_per_tce", "rd_ratio", "labour_productivity",
        weights=(45, 20, 15, 15, 5))),
    ("illustrative-2024", "below_scale", weighed("tax_per_mu", weights=(100,))),
]  # fmt: skip
SHARES = {
    "huaian-2024": [("A", 20), ("B", 60), ("C", 95), ("D", 100)],
    "anhui-city": [("A", 25), ("B", 70), ("C", 95), ("D", 100)],
    "illustrative-2024": [("A", 25), ("B", 70), ("C", 95), ("D", 100)],
    "maanshan-2019": [("A", 20), ("B", 65), ("C", 95), ("D", 100)],
}
LACKS = {
    "huangyan-2021": {"shares"}, "huangyan-2022": {"shares"}, "linhai-2014": {"shares"},
    "wujin-2018-draft": {"bases", "shares", "text"}, "haining-2023": {"bases", "shares", "text"},
    "anhui-city": {"bases", "text"}, "jingde-2022": {"weights", "shares"}, "maanshan-2019": {"items", "adjustments"},
}  # fmt: skip


def policy_of(name: str) -> Policy:
    return load_pack(name).policy


def test_these_are_shipped() -> None:
    assert shipped() == IDS


@pytest.mark.parametrize("name", IDS)
def test_a_pack_is_cited_and_marked(name: str) -> None:
    policy = policy_of(name)
    assert policy.id == name and policy.basis and set(policy.computed) <= set(policy.all_indicators)
    official = policy.status != "illustrative"
    assert all((b.source == "third-party copy") == official for b in policy.basis)
    assert {lack.part for lack in policy.missing} == LACKS.get(name, set())
    assert (policy.status == "partial") == (name in LACKS)
    assert all(lack.zh and lack.en for lack in policy.missing)


@pytest.mark.parametrize(("name", "group", "items"), PUBLISHED, ids=lambda x: x if isinstance(x, str) else "")
def test_weights_and_bases_are_as_published(name: str, group: str, items: Weighed) -> None:
    score = policy_of(name).score
    assert score is not None
    found = score.groups[group].items
    constant = {n: None if i.base is None else i.base.constant for n, i in found.items()}
    assert {n: (i.weight, constant[n]) for n, i in found.items()} == items
    assert list(found) == list(items) and sum(w for w, _ in items.values()) == 100


def test_every_group_with_weights_is_judged_above() -> None:
    scored = {(n, g) for n in IDS for g, _, i in policy_of(n).scored if i.weight is not None}
    assert scored == {(n, g) for n, g, _ in PUBLISHED}


@pytest.mark.parametrize("name", IDS)
def test_shares_are_as_published(name: str) -> None:
    score = policy_of(name).score
    for group in score.groups.values() if score else ():
        assert [(s.grade, s.up_to_percent) for s in group.shares] == SHARES.get(name, [])


def test_what_is_chosen_says_so() -> None:
    """Coefficients and factors that no notice states are marked with the reason for the choice."""
    for name in IDS:
        policy = policy_of(name)
        parts = [policy.tax, policy.energy, policy.emissions]
        assert all(p.chosen or p.source for p in parts if p is not None), name
    huaian = policy_of("huaian-2024").score
    assert huaian is not None
    assert all(i.base and i.base.times == 2 and i.base.chosen for i in huaian.items.values())


def test_the_missions_own_pack_has_no_composite() -> None:
    policy = policy_of("sunan-2017")
    assert policy.score is None and policy.metrics == ["output_per_mu", "benefit_per_mu"] and policy.scope.everyone


def test_a_missing_emission_gets_the_groups_average_in_huangyan_2022_only() -> None:
    for name, rule in (("huangyan-2021", "zero_score"), ("huangyan-2022", "group_average_score")):
        score = policy_of(name).score
        assert score is not None
        assert score.groups["above_scale"].items["value_added_per_t_emission"].missing == rule


def test_haining_counts_withheld_tax_and_merges_tenants() -> None:
    policy = policy_of("haining-2023")
    assert policy.tax is not None and policy.tax.withheld_income_tax_counted and policy.tax.vat_refund_added_back
    assert policy.tenants.rule == "merged" and "withheld_income_tax_fen" in policy.amounts["tax_fen"]
    assert "withheld_income_tax_fen" not in policy_of("huaian-2024").amounts["tax_fen"]


def test_huangyan_takes_the_equal_value_of_electricity() -> None:
    for name in ("huangyan-2021", "huangyan-2022"):
        energy = policy_of(name).energy
        assert energy is not None and energy.electricity == "equal_value" and "等价值" in (energy.chosen or "")
    assert policy_of("huaian-2024").amounts["energy_used_ce"] == "total(power_wh * 1229, gas_litre * 13300)"


def test_the_adjustments_of_maanshan() -> None:
    policy = policy_of("maanshan-2019")
    assert policy.score is not None
    told = {a.name: (a.effect, a.grade) for a in policy.score.adjustments}
    assert told == {
        "listed": ("direct_to", "A"), "large": ("direct_to", "A"), "internet_top_100": ("direct_to", "A"),
        "dishonesty": ("not_above", "C"), "accident": ("not_above", "C"), "illegal_land": ("veto", "D"),
    }  # fmt: skip
    limits = [policy.threshold(c) for c in policy.conditions]
    assert [(t.column, t.comparison, t.value) for t in limits] == [
        ("main_revenue_fen", "more_than", 50 * 10**8 * 100), ("tax_fen", "at_least", 1000 * 10**4 * 100),
    ]  # fmt: skip
    assert all(a.clause for a in policy.score.adjustments)


def test_the_contracts_indicators_have_their_units() -> None:
    """The factors written by hand are those that the unit and the smallest units of both amounts give."""
    from engine.policy.own import OwnIndicator
    from engine.policy.parts import Title

    for one in INDICATORS.values():
        unit = one.unit
        if one.denominator == "employees":
            unit = "万元/人"
        own = OwnIndicator(
            title=Title(zh="", en=""), formula=f"{one.numerator} / {one.denominator}", unit=unit, direction="more"
        )
        if one.denominator == "water_litre":  # tonnes of water are a volume
            assert unit == "万元/吨"
        derived = own.indicator(one.name)
        assert derived.times * one.by == one.times * derived.by, one.name
