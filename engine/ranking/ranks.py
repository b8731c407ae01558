"""Ranks in every grouping and grades by quota.

Competition ranks (1, 2, 2, 4), best first; ``of`` counts the group's enterprises with a value; a missing value or a
missing group has no rank. Quotas compare integers: rank · 100 ≤ share · of.
"""

from __future__ import annotations

import narwhals as nw

from engine.policy.model import NOT_EVALUATED, Score

ALL = "everyone"
GROUPINGS: dict[str, tuple[str, ...]] = {
    "all": (ALL,),
    "industry_2": ("industry_2",),
    "industry_3": ("industry_3",),
    "industry_4": ("industry_4",),
    "region_city": ("region_city",),
    "region_county": ("region_county",),
    "region_town": ("region_town",),
    "size": ("size",),
    "scale_group": ("scale_group",),
    "industry_region_size": ("industry_2", "region_county", "size"),
}


def value_of(metric: str) -> str:
    """The column a metric ranks on: the integer total for the score, the quotient for an indicator."""
    return "score_e10" if metric == "score" else metric


def with_ranks(wide: nw.LazyFrame, metrics: list[str]) -> nw.LazyFrame:
    """``rank__<metric>__<grouping>`` and ``of__<metric>__<grouping>`` (Int32) for every metric and grouping."""
    wide = wide.with_columns(nw.lit("all").alias(ALL))
    ranks = {}
    for metric in metrics:
        value = _rankable(metric)
        for grouping, keys in GROUPINGS.items():
            known = ~nw.any_horizontal(*(nw.col(k).is_null() for k in keys), ignore_nulls=False)
            rank = value.rank("min", descending=True).over(*keys)
            ranks[f"rank__{metric}__{grouping}"] = nw.when(known).then(rank).cast(nw.Int32)
            ranks[f"of__{metric}__{grouping}"] = nw.when(known).then(value.count().over(*keys)).cast(nw.Int32)
    return wide.with_columns(**ranks)


def _rankable(metric: str) -> nw.Expr:
    """The value where it has a place in an order: NaN would rank above everything."""
    value = nw.col(value_of(metric))
    return value if metric == "score" else nw.when(value.is_finite()).then(value)


def with_grades(wide: nw.LazyFrame, score: Score) -> nw.LazyFrame:
    """``grade_initial`` by quota on the rank within ``graded_within``, T for those not evaluated; ``grade``."""
    rank = nw.col(f"rank__score__{score.graded_within}").cast(nw.Int64) * 100
    of = nw.col(f"of__score__{score.graded_within}").cast(nw.Int64)
    *better, last = score.shares
    grade: nw.Expr = nw.when(~rank.is_null()).then(nw.lit(last.grade))
    for share in reversed(better):
        grade = nw.when(rank <= of * share.up_to_percent).then(nw.lit(share.grade)).otherwise(grade)
    grade = nw.when(nw.col("evaluation") == "not_evaluated").then(nw.lit(NOT_EVALUATED)).otherwise(grade)
    return wide.with_columns(grade_initial=grade).with_columns(grade=nw.col("grade_initial"))
