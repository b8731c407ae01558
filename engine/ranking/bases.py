"""What items are measured by: averages of the group and ranges of its values, as tables joined on group and place.

Averages and ranges run over the evaluated enterprises of the pack's group that share the place; nothing else ever takes
their place: without them there is no base and no score.
"""

from __future__ import annotations

from functools import partial

import narwhals as nw

from engine.policy.indicators import Indicator
from engine.policy.model import Base, Item, Policy, Score
from engine.ranking.exact import mean, mean_sums
from engine.ranking.groups import by_item

_KEYS = {"base": ["score_group", "base_key"], "grade": ["score_group", "grade_key"]}


def averages(evaluated: nw.LazyFrame, policy: Policy, days: int, average_of: str) -> nw.LazyFrame | None:
    """``base__<indicator>__<year>`` per group and place for the items whose base is the average of that year."""
    score = policy.score
    assert score is not None
    names = _averaged(score, average_of)
    if not names:
        return None
    indicators = policy.all_indicators
    sums: dict[str, nw.Expr] = {}
    for name in names:
        known = ~nw.col(name).is_null()
        sums[f"top__{name}"] = nw.when(known).then(nw.col(indicators[name].numerator)).sum()
        sums[f"bottom__{name}"] = nw.when(known).then(nw.col(indicators[name].denominator)).sum()
        if "simple_mean" in names[name]:
            sums |= mean_sums(name, nw.col(name))
    totals = _evaluated(evaluated, "base").group_by(_KEYS["base"]).agg(**sums)

    def base(name: str) -> nw.Expr:
        return by_item(score, name, lambda item: _average(name, item, indicators[name], days, average_of))

    return totals.select(*_KEYS["base"], **{f"base__{n}__{average_of}": base(n) for n in names})


def _averaged(score: Score, average_of: str) -> dict[str, set[str]]:
    """Items whose base is an average of that year, and the kinds of average that their groups take."""
    names: dict[str, set[str]] = {}
    for group in score.groups.values():
        for name, item in group.items.items():
            if item.base is not None and item.base.average_of == average_of:
                names.setdefault(name, set()).add(item.base.average)
    return names


def _evaluated(wide: nw.LazyFrame, keys: str) -> nw.LazyFrame:
    return wide.filter((nw.col("evaluation") == "in") & ~nw.col(_KEYS[keys][1]).is_null())


def _average(name: str, item: Item, one: Indicator, days: int, average_of: str) -> nw.Expr | None:
    if item.base is None or item.base.average_of != average_of:
        return None
    if item.base.average == "simple_mean":
        value = mean(name)
        return nw.when(value > 0).then(value * float(item.base.times_exact))
    return _ratio_of_sums(name, item.base, one, days)


def _ratio_of_sums(name: str, base: Base, one: Indicator, days: int) -> nw.Expr:
    top, bottom = nw.col(f"top__{name}"), nw.col(f"bottom__{name}")
    times = one.times * base.times_exact.numerator * (days if one.per_land else 1)
    by = one.by * base.times_exact.denominator
    return nw.when((bottom > 0) & (top > 0)).then(
        (top.cast(nw.Float64) * float(times)) / (bottom.cast(nw.Float64) * float(by))
    )


def with_bases(wide: nw.LazyFrame, score: Score, tables: list[nw.LazyFrame]) -> nw.LazyFrame:
    """``base__<indicator>`` of every item that has a base: the constant or the average of the enterprise's group."""
    for one in tables:
        wide = wide.join(one, on=_KEYS["base"], how="left")
    made = {f"base__{n}": by_item(score, n, partial(_base, n)) for n in based(score)}
    return wide.with_columns(**made) if made else wide


def based(score: Score) -> list[str]:
    """The indicators that some group scores by a base."""
    return [n for n in items_of(score) if any(i.base for i in _items(score, n))]


def _base(name: str, item: Item) -> nw.Expr | None:
    if item.base is None:
        return None
    if item.base.constant is not None:
        return nw.lit(item.base.constant, dtype=nw.Float64)
    return nw.col(f"base__{name}__{item.base.average_of}")


def ranges(evaluated: nw.LazyFrame, score: Score) -> nw.LazyFrame | None:
    """``low__<indicator>`` and ``high__<indicator>`` per group and graded place, for items of form minmax."""
    names = ranged(score)
    if not names:
        return None
    ends = {f"low__{n}": nw.col(n).min() for n in names} | {f"high__{n}": nw.col(n).max() for n in names}
    return _evaluated(evaluated, "grade").group_by(_KEYS["grade"]).agg(**ends)


def ranged(score: Score) -> list[str]:
    """The indicators that some group scores by their range."""
    return [n for n in items_of(score) if any(i.form == "minmax_20_80" for i in _items(score, n))]


def with_ranges(wide: nw.LazyFrame, table: nw.LazyFrame | None) -> nw.LazyFrame:
    """``wide`` with the ranges of its groups."""
    return wide if table is None else wide.join(table, on=_KEYS["grade"], how="left")


def mean_points(scored: nw.LazyFrame, score: Score) -> nw.LazyFrame | None:
    """``mean__<indicator>``: the mean score of an item over its group and graded place, where a missing value gets it."""
    names = [n for n in items_of(score) if any(i.missing == "group_average_score" for i in _items(score, n))]
    if not names:
        return None
    sums: dict[str, nw.Expr] = {}
    for name in names:
        sums |= mean_sums(name, nw.col(f"item__{name}"))
    totals = _evaluated(scored, "grade").group_by(_KEYS["grade"]).agg(**sums)
    return totals.select(*_KEYS["grade"], **{f"mean__{n}": mean(n) for n in names})


def items_of(score: Score) -> list[str]:
    """Every scored indicator once, in the pack's order."""
    return list(dict.fromkeys(n for g in score.groups.values() for n in g.items))


def _items(score: Score, name: str) -> list[Item]:
    return [g.items[name] for g in score.groups.values() if name in g.items]
