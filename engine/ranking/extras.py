"""What the bureau's events add to and take from a score, and which adjustments they bring, counted in whole numbers."""

from __future__ import annotations

from collections.abc import Iterable

import narwhals as nw

from engine.policy.adjusting import Extra
from engine.policy.model import Score
from engine.ranking.exact import over

_MILLIONTHS = 10**6  # points and per cent are decimals of a pack: exact at this scale


def asks_events(score: Score) -> bool:
    """Whether a pack's extras or adjustments look at events."""
    return bool(score.extras) or any(a.events for a in score.adjustments)


def with_events(wide: nw.LazyFrame, events: nw.LazyFrame | None, score: Score, year: int) -> nw.LazyFrame:
    """``extra__<name>`` (millionths of points or per cent) and ``event__<adjustment>`` (0 | 1) of every enterprise.

    An event without a year counts in the year of the list that it stands on.
    """
    if not asks_events(score):
        return wide
    names = [f"extra__{e.name}" for e in score.extras] + [f"event__{a.name}" for a in score.adjustments if a.events]
    if events is None:
        return wide.with_columns(**{n: nw.lit(0, dtype=nw.Int64) for n in names})
    rows = events.with_columns(
        **{f"extra__{e.name}": _worth(e, year) for e in score.extras},
        **{
            f"event__{a.name}": nw.when(_counts(a.events, a.counts_for_years, year)).then(nw.lit(1, dtype=nw.Int64))
            for a in score.adjustments
            if a.events
        },
    )
    summed = {f"extra__{e.name}" for e in score.extras if e.within_category == "sum"}
    totals = rows.group_by("enterprise_id").agg(
        **{n: nw.col(n).sum() if n in summed else nw.col(n).max() for n in names}
    )
    wide = wide.join(totals, on="enterprise_id", how="left")
    return wide.with_columns(**{n: nw.col(n).fill_null(0) for n in names})


def _counts(categories: Iterable[str], years: int, year: int) -> nw.Expr:
    of = nw.col("year").fill_null(year)
    return nw.col("category").is_in(list(categories)) & (of <= year) & (of > year - years)


def _worth(extra: Extra, year: int) -> nw.Expr:
    worth: nw.Expr = nw.lit(0, dtype=nw.Int64)
    for category, points in extra.events.items():
        millionths = int((points.points if points.points is not None else points.percent or 0) * _MILLIONTHS)
        worth = nw.when(nw.col("category") == category).then(nw.lit(millionths, dtype=nw.Int64)).otherwise(worth)
    return nw.when(_counts(extra.events, extra.counts_for_years, year)).then(worth).otherwise(nw.lit(0, dtype=nw.Int64))


def with_extras(wide: nw.LazyFrame, score: Score) -> nw.LazyFrame:
    """``bonus`` and ``deduction`` in points, after the caps of their categories and of all together."""
    if not score.extras:
        return wide
    kinds = (("bonus", score.bonus_cap), ("deduction", score.deduction_cap))
    for kind, cap in kinds:
        total: nw.Expr = nw.lit(0.0)
        for extra in score.extras:
            if extra.kind == kind:
                total = total + _points(extra)
        if cap is not None:
            total = nw.when(total > float(cap)).then(nw.lit(float(cap))).otherwise(total)
        wide = wide.with_columns(nw.when(~nw.col("score_items").is_null()).then(total).alias(kind))
    return wide


def _points(extra: Extra) -> nw.Expr:
    count = nw.col(f"extra__{extra.name}")
    if extra.cap is not None:
        most = int(extra.cap * _MILLIONTHS)
        count = nw.when(count > most).then(nw.lit(most, dtype=nw.Int64)).otherwise(count)
    if next(iter(extra.events.values())).points is not None:
        points = over(count, _MILLIONTHS)
    else:
        points = nw.col("score_items") * over(count, 100 * _MILLIONTHS)
    if not extra.groups:
        return points
    return nw.when(nw.col("score_group").is_in(list(extra.groups))).then(points).otherwise(nw.lit(0.0))
