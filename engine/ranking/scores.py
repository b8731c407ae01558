"""Composite scores: points of each item, what a missing value gets, bonus and deduction, the total as a whole number."""

from __future__ import annotations

from functools import partial

import narwhals as nw

from engine.policy.model import Group, Item, Score
from engine.ranking.bases import items_of, mean_points, with_ranges
from engine.ranking.exact import SCALE, over
from engine.ranking.extras import with_extras
from engine.ranking.forms import item_score, weighted_sum
from engine.ranking.groups import by_group, by_item

SCORE_SCALE = SCALE  # totals rank on floor(score · 10¹⁰ + ½), an integer, which is also the score that is shown
_SCORE_LIMIT = 9e8  # what Int64 holds at that scale: a parcel of some square centimetres must not stop a whole year


def with_items(wide: nw.LazyFrame, score: Score) -> nw.LazyFrame:
    """``item__<indicator>`` of those evaluated whose bases are all known; null where the value is missing."""
    names = items_of(score)
    ready = {f"ready__{n}": by_item(score, n, partial(_points, n)) for n in names}
    wide = wide.with_columns(_able=(nw.col("evaluation") == "in") & by_group(score, _bases_known), **ready)
    return wide.with_columns(**{f"item__{n}": nw.when(nw.col("_able")).then(nw.col(f"ready__{n}")) for n in names})


def _points(name: str, item: Item) -> nw.Expr:
    columns = (nw.col(f"{part}__{name}") for part in ("base", "low", "high"))
    return item_score(item, nw.col(name), *columns)


def _bases_known(group: Group) -> nw.Expr:
    based = [~nw.col(f"base__{n}").is_null() for n, item in group.items.items() if item.needs_base]
    return nw.all_horizontal(*based, ignore_nulls=False) if based else nw.lit(True)


def with_missing(wide: nw.LazyFrame, score: Score, means: nw.LazyFrame | None) -> nw.LazyFrame:
    """Items of missing values filled by their rule; ``exclude_reweight`` stays null and leaves the total."""
    if means is not None:
        wide = wide.join(means, on=["score_group", "grade_key"], how="left")
    filled = {f"item__{n}": _filled(score, n) for n in items_of(score)}
    return wide.with_columns(**filled)


def _filled(score: Score, name: str) -> nw.Expr:
    points = nw.col(f"item__{name}")

    def instead(item: Item) -> nw.Expr | None:
        if item.missing == "exclude_reweight":
            return None
        if item.missing == "group_average_score":
            return nw.col(f"mean__{name}").fill_null(0.0)
        return nw.lit(float(item.penalty) if item.penalty is not None else 0.0, dtype=nw.Float64)

    rule = by_item(score, name, instead).cast(nw.Float64)
    return nw.when(points.is_null() & nw.col("_able")).then(rule).otherwise(points)


def with_total(wide: nw.LazyFrame, score: Score) -> nw.LazyFrame:
    """``score_items`` (Σ of the items), ``bonus``, ``deduction``, ``score_e10`` and ``score``."""
    total = by_group(score, lambda group: _sum(group) if group.items else None).cast(nw.Float64)
    wide = wide.with_columns(score_items=nw.when(nw.col("_able")).then(total))
    wide = with_extras(wide, score)
    whole = nw.col("score_items") + nw.col("bonus") - nw.col("deduction") if score.extras else nw.col("score_items")
    wide = wide.with_columns(score_e10=_as_integer(whole.clip(-_SCORE_LIMIT, _SCORE_LIMIT), score.rounding_digits))
    return wide.with_columns(score=over(nw.col("score_e10"), SCORE_SCALE))


def _sum(group: Group) -> nw.Expr:
    """Σ of the items from left to right; items that leave the total leave their weight to the others."""
    leaves = [n for n, item in group.items.items() if item.missing == "exclude_reweight"]
    if not leaves:
        return weighted_sum(nw.col(f"item__{n}") for n in group.items)
    points = weighted_sum(nw.col(f"item__{n}").fill_null(0.0) for n in group.items)
    weights = weighted_sum(
        nw.when(nw.col(f"item__{n}").is_null()).then(nw.lit(0.0)).otherwise(nw.lit(float(item.weight or 0)))
        for n, item in group.items.items()
    )
    return nw.when(weights > 0).then(points * 100.0 / weights)


def _as_integer(total: nw.Expr, digits: int | None) -> nw.Expr:
    """The total in 10⁻¹⁰, rounded half up to ``digits`` where the pack rounds before ranking."""
    if digits is None:
        return (total * float(SCORE_SCALE) + 0.5).floor().cast(nw.Int64)
    return (total * float(10**digits) + 0.5).floor().cast(nw.Int64) * 10 ** (10 - digits)


def scored(wide: nw.LazyFrame, score: Score, table: nw.LazyFrame | None, peers: nw.LazyFrame | None) -> nw.LazyFrame:
    """Items, missing rules and totals of a frame with its bases; means of items are those of ``peers`` (else its own)."""
    wide = with_items(with_ranges(wide, table), score)
    others = wide if peers is None else with_items(with_ranges(peers, table), score)
    return with_total(with_missing(wide, score, mean_points(others, score)), score)
