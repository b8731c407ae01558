"""What an enterprise's check-up sheet says: facts with their sources, amounts, indicators, items, extras, grade, ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.explain.bases import average, constant
from engine.explain.scoring import computed_amounts
from engine.explain.telling import Telling, exact
from engine.policy.adjusting import Extra
from engine.policy.indicators import Indicator
from engine.policy.scoring import Item, Share
from engine.releases import Release
from engine.schema.columns import GROUPINGS, column
from engine.schema.facts import FACTS

_HOW = {
    "only_claim": ("唯一来源", "only source"),
    "agreed": ("各来源一致", "sources agree"),
    "disputed": ("来源不一致", "sources disagree"),
    "corrected": ("人工更正", "corrected"),
}
_FORMS = {
    "ratio": ("企业值 ÷ 基准值 × 权重", "value ÷ base × weight"),
    "inverse": ("（2 − 企业值 ÷ 基准值）× 权重 ÷ 2，限于 0 至权重", "(2 − value ÷ base) × weight ÷ 2, within 0 … weight"),
    "minmax_20_80": ("权重 ×［20 + 80 ×（企业值 − 最低）÷（最高 − 最低）］÷ 100", "weight × [20 + 80 × (value − lowest) ÷ (highest − lowest)] ÷ 100"),
    "rank_only": ("只按该指标排名", "ranked by this indicator alone"),
}  # fmt: skip
_MISSING = {
    "zero_score": ("无数据得 0 分", "no value: 0 points"),
    "group_average_score": ("无数据取同组平均得分", "no value: the group's average points"),
    "penalty": ("无数据扣分", "no value: penalty"),
    "exclude_reweight": ("无数据剔除，其余权重折算", "no value: left out, other weights scaled up"),
}


@dataclass(frozen=True)
class Amount:
    """A fact or an amount: exact in its smallest unit, times ÷ by gives the unit shown; formula or source."""

    name: str
    title: str
    value: int | None
    times: int
    by: int
    unit: str
    how: str
    note: str
    formula: str | None = None


@dataclass(frozen=True)
class Scored:
    """An item of the score with what it is measured by."""

    name: str
    title: str
    unit: str
    item: Item
    weight: Decimal
    value: float | None
    base: float | None
    low: float | None
    high: float | None
    points: float | None
    note: str


@dataclass(frozen=True)
class Counted:
    """A bonus or deduction item with the events that count: (category, year, worth, evidence)."""

    extra: Extra
    title: str
    events: tuple[tuple[str, str, Decimal, str], ...]
    percent: bool


@dataclass(frozen=True)
class CheckUp:
    """Everything on the sheet; figures are the release's."""

    told: Telling
    facts: tuple[Amount, ...]
    amounts: tuple[Amount, ...]
    indicators: tuple[tuple[Indicator, float | None], ...]
    items: tuple[Scored, ...]
    extras: tuple[Counted, ...]
    shares: tuple[Share, ...]
    adjustments: tuple[str, ...]
    ranks: tuple[tuple[str, str, int | None, int], ...]

    @property
    def row(self) -> dict[str, Any]:
        """The enterprise's row of the rankings."""
        return self.told.row

    @property
    def scored(self) -> bool:
        """Whether the release gives the enterprise a score."""
        return self.row.get("score_e10") is not None and bool(self.items)


def check_up(release: Release, enterprise: str, lang: str = "zh") -> CheckUp:
    """The check-up of an enterprise (id or credit code); PermuError unknown_enterprise."""
    told = Telling(release, release.enterprise(enterprise), lang)
    computed = computed_amounts(told)
    known = told.policy.all_indicators
    return CheckUp(
        told,
        tuple(_facts(told, computed)),
        tuple(_amounts(told, computed)),
        tuple((known[name], told.row[name]) for name in told.policy.computed),
        tuple(_items(told)),
        tuple(_extras(told)),
        told.group.shares if told.group and told.row.get("grade_rank") is not None else (),
        tuple(_adjustments(told)),
        tuple(_ranks(told)),
    )


def _facts(told: Telling, computed: dict[str, int | None]) -> Iterator[Amount]:
    claims: dict[str, dict[str, Any]] = {}
    for claim in told.mine("claims"):
        claims.setdefault(claim["field"], claim)
    for name in (n for n in FACTS if n in told.fields):
        times, by, unit = told.shown_as(name)
        how, where = "", ""
        if fact := told.facts.get(name):
            how, where = told.say(*_HOW[fact["how"]]), _where(told, fact, claims.get(name))
        yield Amount(name, told.say(FACTS[name].zh, FACTS[name].en), computed.get(name), times, by, unit, how, where)


def _where(told: Telling, fact: dict[str, Any], claim: dict[str, Any] | None) -> str:
    if claim is None or claim["source"] != fact["source"]:
        return str(fact["source"])
    place = told.source(claim)
    row = told.say(f"第{place['row']}行", f"row {place['row']}")
    more = claim["rows"] - 1
    rest = told.say(f"等 {claim['rows']} 行", f"and {more} more") if more > 0 else ""
    return " ".join(str(p) for p in (fact["source"], place["file"], place["sheet"], row, rest) if p)


def _amounts(told: Telling, computed: dict[str, int | None]) -> Iterator[Amount]:
    for name, formula in told.policy.amounts.items():
        if name in FACTS:
            continue
        times, by, unit = told.shown_as(name)
        text = " ".join(formula.split())
        yield Amount(name, _title(told, name), computed[name], times, by, unit, "", text, formula)


def _title(told: Telling, name: str) -> str:
    title = _AMOUNTS.get(name)
    return name if title is None else told.say(*title)


_AMOUNTS = {
    "output_fen": ("产出", "output"),
    "benefit_fen": ("效益", "benefit"),
    "tax_fen": ("税收", "tax"),
    "sales_fen": ("销售收入", "sales"),
    "energy_used_ce": ("综合能耗", "energy used"),
    "emission_gram": ("污染物排放", "emission"),
}


def _items(told: Telling) -> Iterator[Scored]:
    if told.group is None or told.row.get("score_e10") is None:
        return
    for name, item in told.group.items.items():
        one, row = told.policy.all_indicators[name], told.row
        words = [told.say(*_FORMS[item.form]), *_limits(told, item), told.say(*_MISSING[item.missing])]
        if item.base is not None:
            words.append(
                constant(told, item.base) if item.base.constant is not None else average(told, name, item.base)
            )
        ends = (row.get(f"base__{name}"), row.get(f"low__{name}"), row.get(f"high__{name}"))
        weight = item.weight or Decimal(0)
        note = told.say("；", "; ").join(words)
        yield Scored(
            name, told.title(name), told.unit(one.unit), item, weight, row[name], *ends, row[f"item__{name}"], note
        )


def _limits(told: Telling, item: Item) -> Iterator[str]:
    if item.floor is not None:
        yield told.say(f"不低于权重的 {exact(item.floor)} 倍", f"at least {exact(item.floor)} × the weight")
    if item.cap is not None:
        yield told.say(f"不高于权重的 {exact(item.cap)} 倍", f"at most {exact(item.cap)} × the weight")


def _extras(told: Telling) -> Iterator[Counted]:
    score, group = told.policy.score, str(told.row.get("score_group"))
    for extra in score.extras if score else ():
        if extra.groups and group not in extra.groups:
            continue
        counted = []
        for event in told.mine("events"):
            year = event["year"] or told.year
            if event["category"] in extra.events and told.year - extra.counts_for_years < year <= told.year:
                worth = extra.events[event["category"]]
                counted.append(
                    (event["category"], str(year), worth.points or worth.percent or Decimal(0), event["evidence"] or "")
                )
        percent = next(iter(extra.events.values())).points is None
        yield Counted(extra, told.say(extra.title.zh, extra.title.en), tuple(counted), percent)


def _adjustments(told: Telling) -> Iterator[str]:
    met = set(str(told.row.get("adjustment") or "").split(",")) - {""}
    for rule in told.policy.score.adjustments if told.policy.score else ():
        if rule.name in met:
            yield f"{told.say(rule.title.zh, rule.title.en)}（{rule.effect} {rule.grade or rule.steps}，{rule.clause}）"


def _ranks(told: Telling) -> Iterator[tuple[str, str, int | None, int]]:
    lang = "zh" if told.zh else "en"
    for metric in told.release.manifest["metrics"]:
        for grouping, titles in GROUPINGS.items():
            rank, of = (told.row.get(f"{k}__{metric}__{grouping}") for k in ("rank", "of"))
            if of is not None:
                yield column(metric).title(lang), told.say(*titles), rank, of
