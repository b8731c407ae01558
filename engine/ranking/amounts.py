"""One wide row an enterprise: its facts, the amounts a policy defines over them, size and groups."""

from __future__ import annotations

import narwhals as nw

from engine.policy.formula import compile_formula, names_in
from engine.policy.indicators import Indicator
from engine.policy.model import Policy
from engine.schema.codes import sizes
from engine.schema.facts import FACTS
from engine.schema.units import DM2_PER_MU

LAND_GROUP_MU = 3
# The most months that a source of the enterprise lacks, in facts_wide beside the facts: it counts in no figure.
MONTHS_MISSING = "months_missing"

ATTRIBUTES = (
    "enterprise_id", "uscc", "name", "industry_code", "industry_note", "industry_section", "industry_2", "industry_3",
    "industry_4", "region_code", "region_city", "region_county", "region_town", "zone_code", "founded_on",
    "production_on", "status",
)  # fmt: skip
_SIZE_FACTS = ("is_exempt", "employees", "insured_persons", "main_revenue_fen", "invoiced_sales_fen", "is_above_scale")


def needed_facts(policy: Policy) -> list[str]:
    """The facts that a policy and the size classes read, in dictionary order."""
    names = {"land_dm2_days", *_SIZE_FACTS}
    for formula in policy.amounts.values():
        names |= names_in(formula)
    indicators = policy.all_indicators
    for name in policy.computed:
        names |= {indicators[name].numerator, indicators[name].denominator}
    names |= {policy.threshold(c).column for c in policy.conditions}
    return [f for f in FACTS if f in names]


def widen(enterprises: nw.LazyFrame, facts: nw.LazyFrame, names: list[str]) -> nw.LazyFrame:
    """``enterprises`` with one Int64 column a fact of ``names``, null where no department states it."""
    known = set(facts.collect_schema().names())
    stated = facts.select("enterprise_id", *(n for n in names if n in known))
    wide = enterprises.select(*ATTRIBUTES).join(stated, on="enterprise_id", how="left")
    for name in names:
        if name not in known:
            wide = wide.with_columns(nw.lit(None, dtype=nw.Int64).alias(name))
    return wide


def with_amounts(wide: nw.LazyFrame, policy: Policy) -> nw.LazyFrame:
    """The policy's amounts, each computed from facts and from amounts above it."""
    for name, formula in policy.amounts.items():
        wide = wide.with_columns(compile_formula(formula).alias(name))
    return wide


def with_groups(wide: nw.LazyFrame, days: int) -> nw.LazyFrame:
    """``scale_group``, ``land_group``, ``size``; null where the facts do not decide.

    Size: 统计上大中小微型企业划分办法 (2017), industry; both thresholds must hold. With one figure missing the class is
    known only where the other alone forces the lowest.
    """
    land = nw.col("land_dm2_days")
    least = LAND_GROUP_MU * DM2_PER_MU.numerator * days
    return wide.with_columns(
        scale_group=nw.when(nw.col("is_above_scale") == 1).then(nw.lit("above_scale")).otherwise(nw.lit("below_scale")),
        land_group=nw.when(land > 0).then(
            nw.when(land * DM2_PER_MU.denominator >= least)
            .then(nw.lit("land_3mu_up"))
            .otherwise(nw.lit("land_below_3mu"))
        ),
        size=_size(),
    )


def _size() -> nw.Expr:
    people = nw.coalesce(nw.col("employees"), nw.col("insured_persons"))
    revenue = nw.coalesce(nw.col("main_revenue_fen"), nw.col("invoiced_sales_fen"))
    *classes, lowest = sizes()
    smallest = classes[-1]
    size: nw.Expr = nw.when((people < smallest.min_employees) | (revenue < smallest.min_revenue_fen)).then(
        nw.lit(lowest.code)
    )
    for one in reversed(classes):
        reached = (people >= one.min_employees) & (revenue >= one.min_revenue_fen)
        size = nw.when(reached).then(nw.lit(one.code)).otherwise(size)
    return size


def with_indicators(wide: nw.LazyFrame, policy: Policy, days: int) -> nw.LazyFrame:
    """Every indicator of the policy as Float64: one division of exact integers, null unless the denominator is > 0."""
    indicators = policy.all_indicators
    return wide.with_columns(**{name: quotient(indicators[name], days) for name in policy.computed})


def quotient(one: Indicator, days: int) -> nw.Expr:
    """One indicator of an enterprise; see engine.policy.indicators for the factors."""
    times = one.times * (days if one.per_land else 1)
    top = (nw.col(one.numerator) * times).cast(nw.Float64)
    return nw.when(nw.col(one.denominator) > 0).then(top / (nw.col(one.denominator) * one.by).cast(nw.Float64))


def display(days: int) -> dict[str, nw.Expr]:
    """``land_mu``, ``output_wan_yuan``, ``tax_wan_yuan``: integers ÷ integers, column by column."""

    def over(column: str, times: int, by: int) -> nw.Expr:
        value = nw.col(column)
        return (value * times).cast(nw.Float64) / (value * 0 + by).cast(nw.Float64)

    mu = over("land_dm2_days", DM2_PER_MU.denominator, DM2_PER_MU.numerator * days)
    return {
        "land_mu": mu,
        "output_wan_yuan": over("output_fen", 1, 10**6),
        "tax_wan_yuan": over("tax_fen", 1, 10**6),
    }
