"""Who is evaluated, in which group of the pack, and at which places of the country's tables its bases and quotas are taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import reduce

import narwhals as nw

from engine.policy.model import Group, Item, NotEvaluated, Policy, Score
from engine.policy.scoring import Who
from engine.ranking.ranks import ALL, GROUPINGS
from engine.schema.units import DM2_PER_MU

_BY_LENGTH = {1: "industry_section", 2: "industry_2", 3: "industry_3", 4: "industry_4"}


def with_evaluation(wide: nw.LazyFrame, policy: Policy, year: int, days: int) -> nw.LazyFrame:
    """``score_group``, ``grade_key``, ``base_key``, ``outside_grade`` and ``evaluation``.

    ``evaluation``: ``in`` | ``out_of_scope`` | ``landless`` | ``not_evaluated`` (its grade is ``outside_grade``). The keys
    are the values of the levels at which the enterprise's group is graded and has its averages.
    """
    score = policy.score
    assert score is not None
    wide = wide.with_columns(nw.lit("all").alias(ALL))
    wide = wide.with_columns(score_group=_group(score, days), outside_grade=_outside_grade(score, year))
    inside = _in_scope(policy, days) & ~nw.col("score_group").is_null()
    state = nw.when(nw.col("land_dm2_days") > 0).then(nw.lit("in")).otherwise(nw.lit("landless"))
    state = nw.when(~nw.col("outside_grade").is_null()).then(nw.lit("not_evaluated")).otherwise(state)
    wide = wide.with_columns(
        evaluation=nw.when(inside.fill_null(False)).then(state).otherwise(nw.lit("out_of_scope")),
        grade_key=_grade_key(policy),
    )
    level = base_level(score)
    return wide.with_columns(base_key=nw.col(key_of(level))) if level else wide


def _grade_key(policy: Policy) -> nw.Expr:
    """The place of the quota."""
    assert policy.score is not None
    return on_its_list(policy, by_group(policy.score, lambda group: nw.col(key_of(group.graded_within))))


def on_its_list(policy: Policy, key: nw.Expr) -> nw.Expr:
    """The place, or the tenants' list of it where the pack ranks tenants apart."""
    if policy.tenants.rule != "own_list":
        return key
    own = nw.concat_str(nw.lit("tenants "), key)
    return nw.when(nw.col("is_tenant")).then(own).otherwise(key)


def key_of(level: str) -> str:
    """The column that holds the value of a level of one key."""
    (key,) = GROUPINGS[level]
    return key


def base_level(score: Score) -> str | None:
    """The one level at which a pack's averages are taken; None where every base is a constant."""
    bases = [i.base for g in score.groups.values() for i in g.items.values() if i.base is not None]
    return next((b.within for b in bases if b.average_of), None)


def by_group(score: Score, build: Callable[[Group], nw.Expr | None]) -> nw.Expr:
    """The expression that ``build`` gives for the enterprise's group; null where it gives none."""
    made: nw.Expr | None = None
    for name, group in reversed(score.groups.items()):
        value = build(group)
        if value is None:
            continue
        mine = nw.when(nw.col("score_group") == name).then(value)
        made = mine if made is None else mine.otherwise(made)
    return nw.lit(None) if made is None else made


def by_item(score: Score, name: str, build: Callable[[Item], nw.Expr | None]) -> nw.Expr:
    """As :func:`by_group`, of the item that the enterprise's group has for an indicator."""
    return by_group(score, lambda group: build(group.items[name]) if name in group.items else None)


def _group(score: Score, days: int) -> nw.Expr:
    """The name of the one group that fits; groups of a pack never overlap."""
    made: nw.Expr | None = None
    for name, group in score.groups.items():
        fits = _fits(group.who, days)
        mine = nw.when(fits).then(nw.lit(name)) if fits is not None else nw.lit(name)
        made = mine if made is None or fits is None else nw.when(fits).then(nw.lit(name)).otherwise(made)
    assert made is not None
    return made


def _fits(who: Who, days: int) -> nw.Expr | None:
    """Whether an enterprise is as ``who`` says; None for everybody."""
    rules: list[nw.Expr] = []
    if who.scale is not None:
        rules.append(nw.col("scale_group") == who.scale)
    if who.land_least_mu is not None:
        rules.append((nw.col("land_dm2_days") > 0) & _has_land(who.land_least_mu, days))
    if who.land_below_mu is not None:
        rules.append((nw.col("land_dm2_days") > 0) & ~_has_land(who.land_below_mu, days))
    if who.industries:
        rules.append(_of_industry(who.industries))
    if who.other_than_industries:
        rules.append(~_of_industry(who.other_than_industries))
    return reduce(lambda a, b: a & b, (r.fill_null(False) for r in rules)) if rules else None


def _has_land(mu: Decimal, days: int) -> nw.Expr:
    """Whether the land of the year is at least ``mu``, compared in whole numbers."""
    top, bottom = mu.as_integer_ratio()
    return nw.col("land_dm2_days") * (DM2_PER_MU.denominator * bottom) >= top * DM2_PER_MU.numerator * days


def _of_industry(codes: tuple[str, ...]) -> nw.Expr:
    by_length: dict[int, list[str]] = {}
    for code in codes:
        by_length.setdefault(len(code), []).append(code)
    found = (nw.col(_BY_LENGTH[n]).is_in(some).fill_null(False) for n, some in by_length.items())
    return reduce(lambda a, b: a | b, found)


def _in_scope(policy: Policy, days: int) -> nw.Expr:
    scope = policy.scope
    inside = nw.col("scale_group") == "above_scale"
    if scope.everyone:
        inside = nw.col("scale_group").is_in(["above_scale", "below_scale"])
    elif scope.below_scale_least_mu is not None:
        inside = inside | _has_land(scope.below_scale_least_mu, days)
    return inside & nw.col("industry_2").is_in(list(scope.divisions)) if scope.divisions else inside


def _outside_grade(score: Score, year: int) -> nw.Expr:
    """The grade of those whom a rule keeps out of the quota, by the first rule that meets; null for the others."""
    grade = nw.lit(None, dtype=nw.String)
    for rule in reversed(score.not_evaluated):
        grade = nw.when(_meets(rule, year).fill_null(False)).then(nw.lit(rule.grade)).otherwise(grade)
    return grade


def _meets(rule: NotEvaluated, year: int) -> nw.Expr:
    if rule.listed:
        return nw.col("is_exempt") == 1
    if rule.divisions:
        return nw.col("industry_2").is_in(list(rule.divisions))
    assert rule.in_production_less_than_years is not None
    latest = date(year - rule.in_production_less_than_years, 12, 31)
    return nw.coalesce(nw.col("production_on"), nw.col("founded_on")) > nw.lit(latest)
