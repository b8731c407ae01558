"""Ranks in every grouping.

Competition ranks (1, 2, 2, 4), best first; ``of`` counts the group's enterprises with a value; a missing value or a
missing group has no rank.
"""

from __future__ import annotations

import narwhals as nw

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
