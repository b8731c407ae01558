"""The form of a policy pack: a rule set of one place and time. Unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from engine.policy.adjusting import Condition
from engine.policy.faults import Fault
from engine.policy.formula import names_in
from engine.policy.indicators import INDICATORS, Indicator
from engine.policy.measures import Emissions, Energy, Measure, TaxScope
from engine.policy.own import OwnIndicator
from engine.policy.parts import NOT_EVALUATED, Basis, Division, Exact, Form, Level, Region, Title
from engine.policy.scoring import Base, Group, Item, NotEvaluated, Score, Share
from engine.policy.thresholds import Threshold, threshold
from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from engine.schema.units import SMALLEST

__all__ = [
    "NOT_EVALUATED", "Base", "Basis", "Group", "Item", "Level", "NotEvaluated", "Policy", "Scope", "Score", "Share", "Title",
]  # fmt: skip

_UNITS = tuple(f"_{unit}" for unit in SMALLEST.values() if unit)
# What the rankings table shows and ranks under every policy.
_ALWAYS = {"output_fen", "tax_fen"}
# The amount that each measure of a pack stands for.
_MEASURES: dict[str, tuple[str, type[Measure]]] = {
    "tax": ("tax_fen", TaxScope),
    "energy": ("energy_used_ce", Energy),
    "emissions": ("emission_gram", Emissions),
}
_ITEMS = ("score", "groups")
Part = Literal["items", "weights", "bases", "shares", "scope", "coefficients", "adjustments", "text"]
# Without these no composite can be computed; without shares there is a score, but no grade.
NEEDED: tuple[Part, ...] = ("items", "weights", "bases")
OF_COMPOSITE: tuple[Part, ...] = (*NEEDED, "shares")


class Scope(Form):
    """Who is evaluated: above scale, and below scale from ``below_scale_least_mu`` on; ``everyone`` without limit.

    ``divisions``: only these of GB/T 4754 (none named: all).
    """

    everyone: bool = False
    below_scale_least_mu: Exact | None = Field(default=None, ge=0)
    divisions: tuple[Division, ...] = ()

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.everyone and self.below_scale_least_mu is not None:
            raise Fault(
                "`everyone` has no limit: leave `below_scale_least_mu` out",
                "`everyone` 不设下限，请删除 `below_scale_least_mu`",
            )
        return self


class Tenants(Form):
    """How tenants (``relations`` of these kinds) are evaluated: ``alone``; ``merged`` into the lessor; ``both``: alone and
    the lessor with them; ``own_list``: ranked among tenants only."""

    rule: Literal["alone", "merged", "both", "own_list"] = "alone"
    relations: tuple[str, ...] = ("租户", "合并评价")


class Lack(Title):
    """A part of the document that was not seen, in Chinese and English."""

    part: Part


class Policy(Form):
    """A rule set of one place and time: amounts by formula, the two headline indicators, and a composite or none."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)
    title: Title
    status: Literal["complete", "partial", "illustrative"]
    missing: tuple[Lack, ...] = ()
    place: str
    regions: tuple[Region, ...] = ()
    replaces: tuple[str, ...] = ()
    valid_from: date
    valid_to: date | None = None
    basis: tuple[Basis, ...] = Field(min_length=1)
    notes: Title
    scope: Scope
    tenants: Tenants = Tenants()
    tax: TaxScope | None = None
    energy: Energy | None = None
    emissions: Emissions | None = None
    amounts: dict[str, str]
    own_indicators: dict[str, OwnIndicator] = Field(default_factory=dict)
    indicators: tuple[str, ...] = ()
    score: Score | None = None
    bottom_percent: int = Field(default=5, gt=0, lt=100)

    @model_validator(mode="before")
    @classmethod
    def _measures_become_amounts(cls, given: Any) -> Any:
        return _with_measures(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _amounts_known(self) -> Self:
        known = set(FACTS)
        for name, formula in self.amounts.items():
            if name in FACTS or not name.endswith(_UNITS):
                units = ", ".join(_UNITS)
                raise Fault(
                    f"amount {name}: give it a name of its own that ends in its unit: {units}",
                    f"量 {name}：须另取名称并以单位结尾：{units}",
                    "amounts",
                    name,
                )
            _formula_known(name, formula, known)
            known.add(name)
        return self._indicators_known(known)

    def _indicators_known(self, known: set[str]) -> Self:
        if _ALWAYS - known:
            raise Fault(
                f"every policy defines {sorted(_ALWAYS)} under `amounts`; missing are {sorted(_ALWAYS - known)}",
                f"每个办法都须在 `amounts` 中定义 {sorted(_ALWAYS)}；缺少 {sorted(_ALWAYS - known)}",
                "amounts",
            )
        if twice := sorted(set(self.own_indicators) & {*INDICATORS, *known}):
            raise Fault(
                f"own indicators {twice} have names that are taken; give them others",
                f"自定义指标 {twice} 的名称已被占用，请另取",
                "own_indicators",
            )
        for name in self.computed:
            if name not in self.all_indicators:
                raise Fault(
                    f"unknown indicator {name}; known are {', '.join(sorted(self.all_indicators))}",
                    f"没有指标 {name}；现有 {'、'.join(sorted(self.all_indicators))}",
                    *self._where(name),
                )
            one = self.all_indicators[name]
            missing = {one.numerator, one.denominator} - known
            if missing:
                raise Fault(
                    f"indicator {name} needs amounts {sorted(missing)}: define them under `amounts`",
                    f"指标 {name} 需要 {sorted(missing)}：请在 `amounts` 中定义",
                    *self._where(name),
                )
        for condition in self.conditions:
            self.threshold(condition)
        return self

    def threshold(self, condition: Condition) -> Threshold:
        """The comparison of an adjustment's condition, ready to compute."""
        return threshold(condition, self.all_indicators, {*FACTS, *self.amounts})

    @model_validator(mode="after")
    def _directions(self) -> Self:
        for group, name, item in self.scored:
            less = self.all_indicators[name].direction == "less"
            if less != (item.form == "inverse"):
                raise Fault(
                    f"group {group}, item {name}: form `inverse` is for indicators of which less is better, "
                    f"and for those only; of {name} {'less' if less else 'more'} is better",
                    f"分组 {group} 指标 {name}：`inverse` 只用于越小越好的指标；{name} 是越{'小' if less else '大'}越好",
                    *_ITEMS,
                    group,
                    "items",
                    name,
                )
        return self

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise Fault(
                f"valid_to {self.valid_to} is before valid_from {self.valid_from}",
                f"失效日期 {self.valid_to} 早于生效日期 {self.valid_from}",
                "valid_to",
            )
        return self

    @model_validator(mode="after")
    def _lacks_are_said(self) -> Self:
        said = {lack.part for lack in self.missing}
        if (self.status == "partial") != bool(said):
            raise Fault(
                "status `partial` and `missing` (what was not seen, in zh and en) go together",
                "`status: partial` 与 `missing`（未见到的内容，中英文）须同时填写",
                "status",
            )
        for part, lacking in self._lacking().items():
            if lacking and part not in said:
                raise Fault(
                    f"{lacking[0]}: not given; give it, or set status: partial and say so under `missing` (part: {part})",
                    f"{lacking[0]}：未填写；请补充，或改为 status: partial 并在 `missing` 中写明（part: {part}）",
                    "score",
                )
            if part in said and not lacking:
                raise Fault(
                    f"`missing` says that {part} were not seen, but all are given; take it out",
                    f"`missing` 写明未见到 {part}，但均已填写；请删除",
                    "missing",
                )
        return self

    def _lacking(self) -> dict[Part, list[str]]:
        """Which parts of the composite are not given, and where."""
        lacking: dict[Part, list[str]] = {part: [] for part in OF_COMPOSITE}
        for name, group in self.score.groups.items() if self.score else ():
            if not group.items:
                lacking["items"].append(f"group {name}, items")
            if not group.shares:
                lacking["shares"].append(f"group {name}, shares")
        for name, item_name, item in self.scored:
            if item.weight is None:
                lacking["weights"].append(f"group {name}, item {item_name}, weight")
            if item.needs_base and item.base is None:
                lacking["bases"].append(f"group {name}, item {item_name}, base")
        return lacking

    def _where(self, indicator: str) -> tuple[str, ...]:
        """The keys under which the pack names an indicator."""
        for group, name, _ in self.scored:
            if name == indicator:
                return *_ITEMS, group, "items", name
        return ("indicators",) if indicator in self.indicators else ("amounts",)

    @property
    def scored(self) -> Iterator[tuple[str, str, Item]]:
        """Group, indicator and item of the composite, in the pack's order."""
        for group_name, group in self.score.groups.items() if self.score else ():
            for name, item in group.items.items():
                yield group_name, name, item

    @property
    def conditions(self) -> list[Condition]:
        """Every condition of the adjustments."""
        return [c for a in (self.score.adjustments if self.score else ()) for c in a.conditions]

    @property
    def metrics(self) -> list[str]:
        """What is ranked in every grouping; the first is the default order."""
        headline = ["output_per_mu", "benefit_per_mu"]
        return ["score", *headline] if self.score else headline

    @property
    def computed(self) -> list[str]:
        """Every indicator to compute, headline pair first."""
        items = [name for _, name, _ in self.scored]
        asked = [c.of for c in self.conditions if c.of in self.all_indicators]
        return list(dict.fromkeys(["output_per_mu", "benefit_per_mu", *self.indicators, *items, *asked]))

    @property
    def scales(self) -> dict[str, int]:
        """Amounts that hold a multiple of their unit (exact coefficients): how many times; others hold it once."""
        measures = {amount: getattr(self, part) for part, (amount, _) in _MEASURES.items()}
        return {amount: m.scaled_terms()[1] for amount, m in measures.items() if m and m.scaled_terms()[1] > 1}

    @property
    def all_indicators(self) -> dict[str, Indicator]:
        """The contract's indicators and the pack's own, with the factors that this pack's amounts need."""
        own = {name: one.indicator(name) for name, one in self.own_indicators.items()}
        scales = self.scales
        return {
            name: replace(
                one, times=one.times * scales.get(one.denominator, 1), by=one.by * scales.get(one.numerator, 1)
            )
            for name, one in (INDICATORS | own).items()
        }


def _formula_known(name: str, formula: str, known: set[str]) -> None:
    """Fault where the formula of an amount is none or reads what nobody supplies."""
    try:
        unknown = sorted(names_in(formula) - known)
    except PermuError as error:
        raise Fault(error.en, error.zh, "amounts", name) from error
    if unknown:
        raise Fault(
            f"amount {name}: neither facts nor amounts above it: {unknown}",
            f"量 {name}：{unknown} 既不是数据，也不是写在它前面的量",
            "amounts",
            name,
        )


def _with_measures(given: dict[str, Any]) -> dict[str, Any]:
    """The raw pack with the formulas of ``tax``, ``energy`` and ``emissions`` in front of its own amounts."""
    made: dict[str, str] = {}
    amounts = given.get("amounts")
    if not isinstance(amounts, dict):
        return given
    for part, (amount, form) in _MEASURES.items():
        if given.get(part) is None:
            continue
        try:
            formula = form.model_validate(given[part]).formula()
        except ValidationError:  # the part itself is reported, with its place
            continue
        if amounts.get(amount, formula) != formula:
            raise Fault(
                f"`{part}` already stands for {amount}: leave {amount} out of `amounts`",
                f"`{part}` 已定义 {amount}：请从 `amounts` 中删除 {amount}",
                "amounts",
                amount,
            )
        made[amount] = formula
    return given | {"amounts": made | amounts}
