"""How a policy makes a rank and a grade of the facts: amounts, indicators, bases, items, total, ranks, quota."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl

from engine.explain.telling import Step, Telling, amount_shown, step
from engine.policy.indicators import INDICATORS, Indicator
from engine.ranking.amounts import with_amounts
from engine.ranking.ranks import GROUPINGS


def amounts(told: Telling, facts: dict[str, dict[str, Any]]) -> Iterator[Step]:
    """The policy's amounts, computed again from the facts shown above."""
    stated = {name: [facts[name]["value"] if name in facts else None] for name in told.fields}
    row = pl.DataFrame(stated, schema=dict.fromkeys(sorted(told.fields), pl.Int64)).lazy()
    computed = with_amounts(nw.from_native(row), told.policy).to_native().collect().row(0, named=True)
    for name, formula in told.policy.amounts.items():
        value, unit = amount_shown(name, computed[name])
        exact = "" if computed[name] is None else f"; {computed[name]}"
        text = " ".join(formula.split())
        yield step("amount", name, value, unit, told.say(f"公式 {text}{exact}", f"formula {text}{exact}"))


def indicator(told: Telling, one: Indicator) -> Step:
    value = told.row[one.name]
    land = f"({one.by} × {told.row['land_dm2_days']} dm²·d) × {told.days} d" if one.per_land else one.denominator
    note = told.say(
        f"{one.zh} = {one.numerator} ÷ {land}" if value is not None else f"{one.zh}：无数据，不参加排名",
        f"{one.en} = {one.numerator} ÷ {land}" if value is not None else f"{one.en}: no value, not ranked",
    )
    return step("indicator", one.name, value, one.unit, note)


def score(told: Telling) -> Iterator[Step]:
    if told.policy.score is None:
        return
    for name, item in told.policy.score.items.items():
        base, points, value = (told.row[k] for k in (f"base__{name}", f"item__{name}", name))
        where = _base_note(told, item.base.constant, item.base.times, item.base.within)
        yield step("base", name, base, INDICATORS[name].unit, where)
        note = f"{value} ÷ {base} × {item.weight}"
        if value is None and points is not None:
            note = told.say("无数据，按规则得 0 分", "no value: 0 points by the rule for missing values")
        yield step("item", name, points, told.say("分", "points"), note)
    total = told.say("各项得分之和，按 10⁻¹⁰ 取整", "sum of the items, to 10⁻¹⁰")
    yield step("total", "score", told.row["score"], told.say("分", "points"), total)


def _base_note(told: Telling, constant: float | None, times: int, within: str) -> str:
    if constant is not None:
        return told.say("办法公布的基准值", "constant published by the policy")
    place = told.row.get(within)
    return told.say(
        f"{times} × {told.year - 1} 年 {within}={place} 参评企业的平均值（Σ÷Σ，不含 T 类和范围外企业）",
        f"{times} × the average (Σ÷Σ) of {within}={place} in {told.year - 1} over the enterprises evaluated "
        "(without T and out of scope)",
    )


def ranks(told: Telling) -> Iterator[Step]:
    for metric in told.release.manifest["metrics"]:
        for grouping, keys in GROUPINGS.items():
            rank, of = told.row[f"rank__{metric}__{grouping}"], told.row[f"of__{metric}__{grouping}"]
            among = " × ".join(str(told.row.get(k, "全部" if told.zh else "all")) for k in keys)
            note = told.say(f"{among}：共 {of} 家有值", f"{among}: {of} enterprises with a value")
            yield step("rank", f"{metric}/{grouping}", rank, "", note)


def grade(told: Telling) -> Iterator[Step]:
    if told.policy.score is None:
        return
    level = told.policy.score.graded_within
    rank, of = told.row[f"rank__score__{level}"], told.row[f"of__score__{level}"]
    lines = " ".join(f"{s.grade} ≤ {s.up_to_percent} %" for s in told.policy.score.shares)
    note = f"{rank} × 100 ÷ {of}; {lines}" if rank is not None else _why_not(told)
    yield step("grade", "grade", told.row["grade"], "", note)


def _why_not(told: Telling) -> str:
    """Why an enterprise has no rank by score: the rule of the pack, or its flags."""
    assert told.policy.score is not None
    if told.row["grade"] != "T":
        return str(told.row["flags"])
    listed = any(f["field"] == "is_exempt" and f["value"] == 1 for f in told.mine("facts"))
    for rule in told.policy.score.not_evaluated:
        by_age = rule.in_production_less_than_years is not None
        if (rule.listed and listed) or told.row["industry_2"] in rule.divisions or by_age:
            return told.say(rule.reason.zh, rule.reason.en)
    return str(told.row["flags"])
