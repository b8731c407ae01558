"""How a policy makes a rank and a grade of the facts: amounts, indicators, bases, items, total, ranks, quota, grade."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl

from engine.explain.bases import average, constant
from engine.explain.telling import Step, Telling, exact, plain, step
from engine.policy.indicators import Indicator
from engine.policy.scoring import Item
from engine.ranking.amounts import with_amounts
from engine.ranking.pipeline import measured
from engine.ranking.ranks import GROUPINGS
from engine.ranking.run import own_year
from engine.schema.columns import column


def computed_amounts(told: Telling) -> dict[str, int | None]:
    """The enterprise's facts and the policy's amounts, computed again from the facts that the explanation shows.

    Where tenants count for the owner of their land they are those of the owner and its tenants together.
    """
    if told.policy.tenants.rule in ("merged", "both") and told.release.has("facts_wide"):
        return _with_tenants(told)
    stated = {name: [told.facts[name]["value"] if name in told.facts else None] for name in sorted(told.fields)}
    row = pl.DataFrame(stated, schema=dict.fromkeys(stated, pl.Int64)).lazy()
    return with_amounts(nw.from_native(row), told.policy).to_native().collect().row(0, named=True)


def _with_tenants(told: Telling) -> dict[str, int | None]:
    wide = measured(told.policy, own_year(told.release).tables())
    mine = wide.filter(nw.col("enterprise_id") == told.row["enterprise_id"])
    return mine.select(*sorted(told.fields), *told.policy.amounts).to_native().collect().row(0, named=True)


def amounts(told: Telling, computed: dict[str, int | None]) -> Iterator[Step]:
    for name, formula in told.policy.amounts.items():
        value = computed[name]
        shown, unit = (None, told.amount(name, 0)[1]) if value is None else told.amount(name, value)
        text = " ".join(formula.split()) + ("" if value is None else f" = {value}")
        yield step("amount", name, shown, unit, told.say(f"公式 {text}", f"formula {text}"))


def indicator(told: Telling, one: Indicator, computed: dict[str, int | None]) -> Step:
    value, unit = told.row[one.name], told.unit(one.unit)
    top, bottom = computed.get(one.numerator), computed.get(one.denominator)
    if value is None:
        why = _lacking(told, one, top, bottom)
        return step("indicator", one.name, None, unit, f"{told.title(one.name)}: {why}")
    times = one.times * (told.days if one.per_land else 1)
    numerator = f"{top}" + (f" × {times}" if times != 1 else "")
    denominator = f"{bottom}" + (f" × {one.by}" if one.by != 1 else "")
    note = f"{told.title(one.name)} = {one.numerator} ÷ {one.denominator} = ({numerator}) ÷ ({denominator})"
    return step("indicator", one.name, value, unit, note)


def _lacking(told: Telling, one: Indicator, top: int | None, bottom: int | None) -> str:
    if top is None:
        return told.say(f"没有 {one.numerator} 数据，不参加排名", f"no {one.numerator} is known, so not ranked")
    if bottom is None:
        return told.say(f"没有 {one.denominator} 数据，不参加排名", f"no {one.denominator} is known, so not ranked")
    return told.say(
        f"除数 {one.denominator} = {bottom}，不大于零，不参加排名", f"the divisor {one.denominator} = {bottom} is not above 0, so not ranked"
    )  # fmt: skip


def score(told: Telling) -> Iterator[Step]:
    if told.group is None or told.row["score_e10"] is None:
        return
    for name, item in told.group.items.items():
        base = told.row.get(f"base__{name}")
        if item.base is not None:
            unit = told.unit(told.policy.all_indicators[name].unit)
            where = constant(told, item.base) if item.base.constant is not None else average(told, name, item.base)
            yield step("base", name, base, unit, where)
        yield step("item", name, told.row[f"item__{name}"], told.unit("分"), _points(told, name, item))
    yield from _extras(told)
    total = told.say(
        "各项得分之和（加分、扣分计入），按 10⁻¹⁰ 取整", "sum of the items with bonus and deduction, to 10⁻¹⁰"
    )
    yield step("total", "score", told.row["score"], told.unit("分"), total)


def _points(told: Telling, name: str, item: Item) -> str:
    """The arithmetic of an item's points, and the limit or the missing rule that was hit."""
    value, points, weight = told.row[name], told.row[f"item__{name}"], exact(item.weight or 0)
    if value is None:
        return _missing(told, item)
    if item.form == "rank_only":
        return told.say("只按该指标排名", "ranked by this indicator alone")
    base = told.row.get(f"base__{name}")
    match item.form:
        case "ratio":
            note = f"{value:.10g} ÷ {base:.10g} × {weight} = {value / base * float(item.weight or 0):.10g}"
        case "inverse":
            note = f"(2 − {value:.10g} ÷ {base:.10g}) × {weight} ÷ 2"
        case _:
            low, high = (told.row.get(f"{end}__{name}") for end in ("low", "high"))
            note = f"{weight} × [20 + 80 × ({value:.10g} − {plain(low)}) ÷ ({plain(high)} − {plain(low)})] ÷ 100"
    return note + _limit(told, item, value, base, points)


def _limit(told: Telling, item: Item, value: float, base: float | None, points: float) -> str:
    if item.form != "ratio" or base is None:
        return ""
    weight = float(item.weight or 0)
    free = value / base * weight
    if item.cap is not None and free > float(item.cap) * weight:
        return told.say(
            f"；封顶为权重的 {exact(item.cap)} 倍：{points:.10g} 分",
            f"; capped at {exact(item.cap)} × the weight: {points:.10g}",
        )
    if item.floor is not None and free < float(item.floor) * weight:
        return told.say(
            f"；保底为权重的 {exact(item.floor)} 倍：{points:.10g} 分",
            f"; held at {exact(item.floor)} × the weight: {points:.10g}",
        )
    return ""


def _missing(told: Telling, item: Item) -> str:
    said = {
        "zero_score": ("按规则得 0 分", "0 points by the rule"),
        "group_average_score": ("按规则取同组平均得分", "the group's average score by the rule"),
        "penalty": (f"按规则扣分：{item.penalty}", f"{item.penalty} points by the rule"),
        "exclude_reweight": ("按规则剔除该项，其余项按权重折算", "left out by the rule, the other weights scaled up"),
    }
    zh, en = said[item.missing]
    return told.say(f"无数据，{zh}", f"no value: {en}")


def _extras(told: Telling) -> Iterator[Step]:
    assert told.policy.score is not None
    events = told.mine("events")
    for kind in ("bonus", "deduction"):
        value = told.row.get(kind)
        if not value:
            continue
        for extra in (e for e in told.policy.score.extras if e.kind == kind):
            for event in (e for e in events if e["category"] in extra.events):
                worth = extra.events[event["category"]]
                points = exact(worth.points) if worth.points is not None else f"{exact(worth.percent)} %"
                note = f"{told.say(extra.title.zh, extra.title.en)}: {event['category']} ({event['year'] or '–'}), {points}; {extra.clause}"
                yield step("event", extra.name, None, "", note, told.source(event))
        total = told.say("加分合计" if kind == "bonus" else "扣分合计", f"{kind} in all, within its caps")
        yield step(kind, kind, value, told.unit("分"), total)


def ranks(told: Telling) -> Iterator[Step]:
    for metric in told.release.manifest["metrics"]:
        for grouping, keys in GROUPINGS.items():
            rank, of = told.row[f"rank__{metric}__{grouping}"], told.row[f"of__{metric}__{grouping}"]
            among, by = told.among(keys), column(metric).title("zh" if told.zh else "en")
            note = told.say(f"{by}：{among} 中共 {of} 家有数值", f"{by}: among {of} with a value in {among}")
            if of is None:
                note = told.say(f"{by}：不属于任何此类分组", f"{by}: it belongs to no such group")
            yield step("rank", f"{metric}/{grouping}", rank, "", note)


def quota(told: Telling) -> Iterator[Step]:
    """Where the grade lines fall in the group, in whole ranks, and on which side of them the enterprise stands."""
    if told.group is None or told.row["grade_rank"] is None or not told.group.shares:
        return
    rank, of = int(told.row["grade_rank"]), int(told.row["grade_of"])
    lines = []
    for share in told.group.shares:
        last = of * share.up_to_percent // 100
        lines.append(told.say(f"{share.grade} 至第 {last} 名", f"{share.grade} to rank {last}"))
    reached = next(s for s in told.group.shares if rank * 100 <= s.up_to_percent * of)
    sides = f"{rank} × 100 = {rank * 100} ≤ {exact(reached.up_to_percent)} × {of} = {exact(reached.up_to_percent * of)}"
    level = told.row["grade_within"]
    note = f"{told.peers(level)}: {sides} → {reached.grade}; " + told.say("，", ", ").join(lines)
    if of < (wanted := told.group.small_groups.fewer_than):
        note += told.say(
            f"；该组只有 {of} 家（少于 {wanted} 家），办法未规定并入上一级，按原规则划分，请人工核定",
            f"; only {of} in this group (fewer than {wanted}) and the policy names no wider one: a person should look",
        )
    yield step("quota", level, rank, "", note)


def adjustments(told: Telling) -> Iterator[Step]:
    """Every rule that moved or held the grade, with its clause."""
    applied = set(str(told.row.get("adjustment") or "").split(",")) - {""}
    score = told.policy.score
    for rule in score.adjustments if score else ():
        if rule.name in applied:
            target = rule.grade or f"{rule.steps}"
            events = [e for e in told.mine("events") if e["category"] in rule.events]
            seen = "; ".join(f"{e['category']} ({e['year'] or '–'})" for e in events)
            met = "; ".join(_condition(told, c.of, c.stated) for c in rule.conditions)
            why = "; ".join(x for x in (seen, met) if x)
            note = f"{told.say(rule.title.zh, rule.title.en)}: {rule.effect} {target}; {rule.clause}; {why}".rstrip(
                "; "
            )
            yield step("adjustment", rule.name, told.row["grade"], "", note, told.source(events[0]) if events else None)


def _condition(told: Telling, name: str, stated: dict[str, Any]) -> str:
    ((comparison, value),) = stated.items()
    signs = {"more_than": ">", "at_least": "≥", "less_than": "<", "at_most": "≤"}
    return f"{name} {signs[comparison]} {value}"


def grade(told: Telling) -> Iterator[Step]:
    if told.policy.score is None:
        return
    first, last = told.row["grade_initial"], told.row["grade"]
    if told.row.get("grade_rank") is None and told.row["score_e10"] is None:
        note = _why_not(told)
    elif first == last:
        note = told.say("按名次份额", "by the quota on the rank")
    else:
        note = told.say(f"初评 {first}，经调整为 {last}", f"{first} by the quota, {last} after adjustment")
    yield step("grade", "grade", last, "", note)


def _why_not(told: Telling) -> str:
    """Why an enterprise has no score: the rule of the pack, or its flags."""
    assert told.policy.score is not None
    flags = str(told.row["flags"])
    if "not_evaluated" not in flags.split(","):
        return flags
    listed = any(f["field"] == "is_exempt" and f["value"] == 1 for f in told.mine("facts"))
    for rule in told.policy.score.not_evaluated:
        by_age = rule.in_production_less_than_years is not None
        if (rule.listed and listed) or told.row["industry_2"] in rule.divisions or by_age:
            return told.say(rule.reason.zh, rule.reason.en)
    return flags
