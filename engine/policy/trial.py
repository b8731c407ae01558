"""Trying a pack on one made-up enterprise: the scores of its items and the total, by the pipeline's own functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import narwhals as nw
import polars as pl

from engine.policy.model import Policy
from engine.policy.scoring import CONTRACT_GROUPS, Group, Item, Score
from engine.ranking.scores import with_items, with_missing, with_total
from engine.schema.errors import PermuError

_SCALE = 10**10  # as the total: what the nearest 10⁻¹⁰ is


@dataclass(frozen=True)
class Given:
    """What is known of the enterprise and its group, by indicator: values, base values, ranges, average item scores."""

    values: dict[str, float]
    bases: dict[str, float] = field(default_factory=dict)
    averages: dict[str, float] = field(default_factory=dict)  # to which the pack's ``times`` still applies
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    mean_points: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """The contract's JSON of ``permu policy try`` (policy, group, items, total) with the bases that were used."""

    policy: str
    group: str
    items: dict[str, float | None]
    total: float | None
    bases: dict[str, float]


def try_pack(policy: Policy, group: str | None, given: Given) -> Trial:
    """Score one enterprise; PermuError no_composite, unknown_group, unknown_indicator, policy_partial, base_needed,
    range_needed, mean_needed where the pack or what is given does not suffice."""
    if policy.score is None:
        raise PermuError(
            "no_composite",
            f"policy {policy.id} has no composite score: there is nothing to try; it ranks {', '.join(policy.metrics)}",
            f"政策 {policy.id} 不设综合分，无从试算；它按 {'、'.join(policy.metrics)} 排名",
        )
    name = _group(policy, policy.score, group)
    chosen = policy.score.groups[name]
    _known(policy, name, chosen, given)
    frame = _frame(policy, name, chosen, given)
    score = policy.score.model_copy(update={"extras": ()})
    row = (
        with_total(with_missing(with_items(frame, score), score, None), score).to_native().collect().row(0, named=True)
    )
    items = {n: _rounded(row[f"item__{n}"]) for n in chosen.items}
    return Trial(
        policy.id, name, items, row["score"], {n: row[f"base__{n}"] for n, i in chosen.items.items() if i.needs_base}
    )


def _group(policy: Policy, score: Score, asked: str | None) -> str:
    names = list(score.groups)
    if asked in score.groups:
        return asked or ""
    if asked is None and len(names) == 1:
        return names[0]
    if asked in CONTRACT_GROUPS and names == ["all"]:  # whoever it names is scored with all others
        return "all"
    raise PermuError(
        "unknown_group",
        f"policy {policy.id} has no group {asked}: name one of {', '.join(names)} with --group"
        if asked
        else f"policy {policy.id} has several groups: name one of {', '.join(names)} with --group",
        f"政策 {policy.id} 的分组为 {'、'.join(names)}：请用 --group 指定其一",
    )


def _known(policy: Policy, name: str, group: Group, given: Given) -> None:
    """Refuse a group whose weights were not seen, and names that it does not score."""
    if not group.items or any(i.weight is None for i in group.items.values()):
        lacks = [lack for lack in policy.missing if lack.part in ("items", "weights")]
        raise PermuError(
            "policy_partial",
            f"policy {policy.id} is partial and cannot be tried: not seen were {'; '.join(x.en for x in lacks)}",
            f"政策 {policy.id} 不完整，无法试算：未见到{'；'.join(x.zh for x in lacks)}",
        )
    every = (given.values, given.bases, given.averages, given.ranges, given.mean_points)
    zero = [f"{n}={v}" for part in (given.bases, given.averages) for n, v in part.items() if v <= 0]
    if zero:
        raise PermuError(
            "bad_base",
            f"{zero[0]}: a base is above 0, else nothing can be measured by it",
            f"{zero[0]}：基准值须大于 0，否则无法比较",
        )
    unknown = sorted({n for part in every for n in part} - set(group.items))
    if unknown:
        raise PermuError(
            "unknown_indicator",
            f"policy {policy.id}, group {name} does not score {', '.join(unknown)}: it scores {', '.join(group.items)}",
            f"政策 {policy.id} 分组 {name} 没有指标 {'、'.join(unknown)}：其指标为 {'、'.join(group.items)}",
        )
    unasked = sorted(n for n in {*given.bases, *given.averages} if not group.items[n].needs_base)
    if unasked:
        raise PermuError(
            "bad_base",
            f"policy {policy.id}, group {name}: {', '.join(unasked)} is measured by no base: leave --base out",
            f"政策 {policy.id} 分组 {name}：{'、'.join(unasked)} 不按基准值计分，请去掉 --base",
        )


def _frame(policy: Policy, name: str, group: Group, given: Given) -> nw.LazyFrame:
    """The enterprise as the pipeline holds it: indicators, bases, ranges, mean points; null for other groups' items."""
    assert policy.score is not None
    row: dict[str, float | None] = {}
    for n in policy.score.items:
        row |= dict.fromkeys((f"{part}{n}" for part in ("", "base__", "low__", "high__", "mean__")), None)
    for n, item in group.items.items():
        row[n] = given.values.get(n)
        row[f"base__{n}"] = _base(policy, n, item, given) if item.needs_base else None
        row[f"low__{n}"], row[f"high__{n}"] = _range(n, item, given)
        row[f"mean__{n}"] = _mean(n, item, given)
    frame = pl.DataFrame({k: [v] for k, v in row.items()}, schema=dict.fromkeys(row, pl.Float64)).lazy()
    frame = frame.with_columns(evaluation=pl.lit("in"), score_group=pl.lit(name), grade_key=pl.lit("all"))
    return nw.from_native(frame)


def _base(policy: Policy, name: str, item: Item, given: Given) -> float:
    base = item.base
    if name in given.bases:
        return given.bases[name]
    if base is not None and base.constant is not None:
        return base.constant
    if base is not None and name in given.averages:
        return given.averages[name] * base.times_exact.numerator / base.times_exact.denominator
    what_en, what_zh = "was not seen", "未见到"
    if base is not None:
        year_en, year_zh = ("last year's", "上年") if base.average_of == "last_year" else ("this year's", "本年")
        what_en = f"is {base.times} × {year_en} group average"
        what_zh = f"为{year_zh}同组平均值的 {base.times} 倍"
    raise PermuError(
        "base_needed",
        f"policy {policy.id}: the base of {name} {what_en}; give it: --base {name}=VALUE",
        f"政策 {policy.id}：{name} 的基准值{what_zh}；请给出：--base {name}=数值",
    )


def _range(name: str, item: Item, given: Given) -> tuple[float | None, float | None]:
    if item.form != "minmax_20_80":
        return None, None
    if name in given.ranges:
        return given.ranges[name]
    raise PermuError(
        "range_needed",
        f"{name} is scored between the least and the greatest value of its group; give them: --range {name}=LEAST..GREATEST",
        f"{name} 按组内最小值与最大值计分；请给出：--range {name}=最小..最大",
    )


def _mean(name: str, item: Item, given: Given) -> float | None:
    if item.missing != "group_average_score" or name in given.values or name in given.mean_points:
        return given.mean_points.get(name)
    raise PermuError(
        "mean_needed",
        f"{name} is not given, and a missing value gets the group's average score: give {name}=VALUE or --mean {name}=POINTS",
        f"未给出 {name}，缺失时取同组平均得分：请给出 {name}=数值，或 --mean {name}=得分",
    )


def _rounded(points: float | None) -> float | None:
    return None if points is None or not math.isfinite(points) else math.floor(points * _SCALE + 0.5) / _SCALE
