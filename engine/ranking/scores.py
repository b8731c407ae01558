"""Composite scores: who is evaluated, base values of the group, item scores, total."""

from __future__ import annotations

from datetime import date
from functools import reduce

import narwhals as nw

from engine.policy.indicators import INDICATORS
from engine.policy.model import Base, NotEvaluated, Policy, Score
from engine.ranking.ranks import ALL, GROUPINGS
from engine.schema.units import DM2_PER_MU

SCORE_SCALE = 10**10  # totals rank on floor(score · 10¹⁰ + ½), an integer, which is also the score that is shown
_SCORE_LIMIT = 9e8  # what Int64 holds at that scale: a parcel of some square centimetres must not stop a whole year


def with_evaluation(wide: nw.LazyFrame, policy: Policy, year: int, days: int) -> nw.LazyFrame:
    """``evaluation``: ``in`` | ``out_of_scope`` | ``landless`` | ``not_evaluated`` (grade T)."""
    assert policy.score is not None
    not_evaluated = [_not_evaluated(rule, year) for rule in policy.score.not_evaluated]
    state = nw.when(nw.col("land_dm2_days") > 0).then(nw.lit("in")).otherwise(nw.lit("landless"))
    for rule in not_evaluated:
        state = nw.when(rule.fill_null(False)).then(nw.lit("not_evaluated")).otherwise(state)
    inside = _in_scope(policy, days).fill_null(False)
    wide = wide.with_columns(nw.lit("all").alias(ALL))  # a base may be the average of everyone
    return wide.with_columns(evaluation=nw.when(inside).then(state).otherwise(nw.lit("out_of_scope")))


def _in_scope(policy: Policy, days: int) -> nw.Expr:
    above = nw.col("scale_group") == "above_scale"
    least = policy.scope.below_scale_least_mu
    if policy.scope.everyone:
        return nw.col("scale_group").is_in(["above_scale", "below_scale"])
    if least is None:
        return above
    return above | (nw.col("land_dm2_days") * DM2_PER_MU.denominator >= least * DM2_PER_MU.numerator * days)


def _not_evaluated(rule: NotEvaluated, year: int) -> nw.Expr:
    if rule.listed:
        return nw.col("is_exempt") == 1
    if rule.divisions:
        return nw.col("industry_2").is_in(list(rule.divisions))
    assert rule.in_production_less_than_years is not None
    latest = date(year - rule.in_production_less_than_years, 12, 31)
    return nw.coalesce(nw.col("production_on"), nw.col("founded_on")) > nw.lit(latest)


def base_table(evaluated: nw.LazyFrame, score: Score, days: int, average_of: str) -> nw.LazyFrame | None:
    """Σ numerator ÷ Σ denominator × ``times`` per group for the items whose base is the average of that year.

    Sums run over enterprises that are evaluated and have both; the columns are ``base__<indicator>`` beside the level.
    Items of one pack share their level.
    """
    items = {n: i.base for n, i in score.items.items() if i.base.average_of == average_of}
    if not items:
        return None
    (level,) = GROUPINGS[next(iter(items.values())).within]
    rows = evaluated.filter(nw.col("evaluation") == "in")
    known = {n: nw.col(n).is_null() for n in items}
    sums = rows.with_columns(
        **{f"n__{n}": nw.when(~known[n]).then(nw.col(INDICATORS[n].numerator)) for n in items},
        **{f"d__{n}": nw.when(~known[n]).then(nw.col(INDICATORS[n].denominator)) for n in items},
    )
    totals = sums.group_by(level).agg(
        **{f"n__{n}": nw.col(f"n__{n}").sum() for n in items}, **{f"d__{n}": nw.col(f"d__{n}").sum() for n in items}
    )
    return totals.select(level, **{f"base__{n}": _average(n, base, days) for n, base in items.items()})


def _average(name: str, base: Base, days: int) -> nw.Expr:
    one = INDICATORS[name]
    times = one.times * base.times * (days if one.per_land else 1)
    top = nw.col(f"n__{name}").cast(nw.Float64) * times
    bottom = nw.col(f"d__{name}").cast(nw.Float64) * one.by
    return nw.when((nw.col(f"d__{name}") > 0) & (nw.col(f"n__{name}") > 0)).then(top / bottom)


def with_bases(wide: nw.LazyFrame, score: Score, tables: list[nw.LazyFrame]) -> nw.LazyFrame:
    """``base__<indicator>`` of every item: constants, and the group tables joined on their level."""
    for table in tables:
        level = table.collect_schema().names()[0]
        wide = wide.join(table, on=level, how="left")
    for name, item in score.items.items():
        if item.base.constant is not None:
            wide = wide.with_columns(nw.lit(item.base.constant, dtype=nw.Float64).alias(f"base__{name}"))
    return wide


def with_score(wide: nw.LazyFrame, score: Score) -> nw.LazyFrame:
    """``item__<indicator>``, ``score_e10`` and ``score`` of those evaluated whose bases are all known."""
    inside = nw.col("evaluation") == "in"
    bases = reduce(lambda a, b: a & b, (~nw.col(f"base__{n}").is_null() for n in score.items))
    items = {
        f"item__{n}": nw.when(inside & bases).then((nw.col(n) / nw.col(f"base__{n}")).fill_null(0.0) * float(i.weight))
        for n, i in score.items.items()
    }
    wide = wide.with_columns(**items)
    total = reduce(lambda a, b: a + b, (nw.col(f"item__{n}") for n in score.items))
    total = total.clip(-_SCORE_LIMIT, _SCORE_LIMIT)
    wide = wide.with_columns(score_e10=(total * float(SCORE_SCALE) + 0.5).floor().cast(nw.Int64))
    shown = nw.col("score_e10").cast(nw.Float64) / (nw.col("score_e10") * 0 + SCORE_SCALE).cast(nw.Float64)
    return wide.with_columns(score=shown)
