"""The composite of a pack: groups of enterprises, their items with weights, bases and forms, shares and small groups."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from engine.policy.adjusting import Adjustment, Extra
from engine.policy.faults import Fault
from engine.policy.parts import (
    NOT_EVALUATED,
    Division,
    Exact,
    Form,
    Grade,
    Industry,
    Level,
    Title,
    plain,
)

ScoreForm = Literal["ratio", "minmax_20_80", "inverse", "rank_only"]
Missing = Literal["zero_score", "group_average_score", "penalty", "exclude_reweight"]
Average = Literal["sigma_over_sigma", "simple_mean"]
GroupName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_OF_AVERAGES = ("times", "average", "within")


class Base(Form):
    """Base value of an item: a published constant, or ``times`` × the average of the group, this or last year.

    The average runs over the evaluated enterprises of the pack's group that share the ``within`` of the enterprise:
    ``sigma_over_sigma`` (Σ numerator ÷ Σ denominator) or ``simple_mean`` of the enterprises' values. Where it cannot be
    had there is no base and no score: nothing else ever takes its place.
    """

    constant: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    average_of: Literal["last_year", "this_year"] | None = None
    times: Exact = Field(default=1, gt=0, validate_default=True)
    average: Average = "sigma_over_sigma"
    within: Level = "region_county"
    source: str | None = None  # where the figure was seen, if not in the pack's basis
    chosen: str | None = None  # why, where the notice leaves the choice to us

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.constant is None) == (self.average_of is None):
            raise Fault(
                "a base is either `constant` or `average_of`",
                "基准值二选一：`constant`（常数）或 `average_of`（平均值）",
            )
        if self.constant is not None and self.model_fields_set & set(_OF_AVERAGES):
            raise Fault(
                "`times`, `average` and `within` belong to `average_of`: a constant would not use them; take them out",
                "`times`、`average`、`within` 只用于 `average_of`，常数基准值用不到，请删除",
            )
        return self

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unused = () if self.constant is None else _OF_AVERAGES
        return {k: v for k, v in dump(self).items() if k not in unused}

    @property
    def times_exact(self) -> Fraction:
        """``times`` as an exact fraction."""
        return Fraction(self.times)


class Item(Form):
    """One scored indicator: weight, form, base, limits of its score (as multiples of the weight), missing rule.

    ``ratio``: w · x/b. ``minmax_20_80``: w · [20 + 80 (x − min)/(max − min)]/100 over the evaluated enterprises of the
    group within ``graded_within``; max = min gives the full weight. ``inverse``, less is better: (2 − x/b) · w/2, never
    outside 0 … w. ``rank_only``: the value itself, the only item of its group.
    """

    weight: Exact | None = Field(default=None, gt=0, le=100)
    form: ScoreForm = "ratio"
    base: Base | None = None
    floor: Exact | None = None
    cap: Exact | None = Field(default=None, gt=0)
    missing: Missing
    penalty: Exact | None = Field(default=None, lt=0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.form in ("minmax_20_80", "rank_only") and self.base is not None:
            raise Fault(f"form {self.form} uses no `base`: leave it out", f"{self.form} 不使用基准值，请删除 `base`")
        if self.form != "ratio" and (self.floor is not None or self.cap is not None):
            raise Fault(
                f"form {self.form} has limits of its own: leave `floor` and `cap` out",
                f"{self.form} 自带上下限，请删除 `floor` 和 `cap`",
            )
        if self.floor is not None and self.cap is not None and self.floor >= self.cap:
            raise Fault(f"floor {self.floor} is not below cap {self.cap}", f"下限 {self.floor} 应小于上限 {self.cap}")
        if (self.missing == "penalty") != (self.penalty is not None):
            raise Fault(
                "`missing: penalty` and `penalty:` (points below 0) go together",
                "`missing: penalty` 与 `penalty:`（负分值）须同时填写",
            )
        return self

    @property
    def needs_base(self) -> bool:
        """Whether the form divides by a base."""
        return self.form in ("ratio", "inverse")


class Share(Form):
    """A grade and the cumulative per cent of the ranked enterprises up to which it reaches (boundary inclusive)."""

    grade: Grade
    up_to_percent: Exact = Field(gt=0, le=100)


class NotEvaluated(Form):
    """Enterprises outside the quota: by division, on the bureau's list, or in production for less than ``years``."""

    reason: Title
    divisions: tuple[Division, ...] = ()
    listed: Literal["exemptions"] | None = None
    in_production_less_than_years: int | None = Field(default=None, ge=1)
    grade: Grade = NOT_EVALUATED  # what they count as

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        kinds = (bool(self.divisions), self.listed is not None, self.in_production_less_than_years is not None)
        if sum(kinds) != 1:
            raise Fault(
                "a rule is one of `divisions`, `listed` and `in_production_less_than_years`; write a rule for each",
                "每条规则只能是 `divisions`、`listed`、`in_production_less_than_years` 之一，请分条填写",
            )
        return self


class Who(Form):
    """Who belongs to a group: scale, land in mu, industries (codes of GB/T 4754 of any length); all that is said holds."""

    scale: Literal["above_scale", "below_scale"] | None = None
    land_least_mu: Exact | None = Field(default=None, gt=0)
    land_below_mu: Exact | None = Field(default=None, gt=0)
    industries: tuple[Industry, ...] = ()
    other_than_industries: tuple[Industry, ...] = ()


# The groups of the contract mean the same in every pack.
CONTRACT_GROUPS = {
    "all": Who(),
    "above_scale": Who(scale="above_scale"),
    "below_scale": Who(scale="below_scale"),
    "land_3mu_up": Who(land_least_mu=Decimal(3)),
    "land_below_3mu": Who(land_below_mu=Decimal(3)),
}


class SmallGroups(Form):
    """Groups with fewer evaluated enterprises than this are flagged, or graded at the wider level ``roll_up_to``."""

    fewer_than: int = Field(default=5, ge=2)
    roll_up_to: Level | None = None


class Group(Form):
    """Enterprises that are scored alike and graded among themselves, within ``graded_within``."""

    title: Title | None = None
    who: Who
    items: dict[str, Item]
    graded_within: Level
    shares: tuple[Share, ...] = ()
    small_groups: SmallGroups = SmallGroups()

    @field_validator("items")
    @classmethod
    def _weights(cls, items: dict[str, Item]) -> dict[str, Item]:
        weights = [i.weight for i in items.values() if i.weight is not None]
        if items and len(weights) == len(items) and sum(weights) != 100:
            total = plain(sum(weights, Decimal(0)))
            raise Fault(f"the weights sum to {total}, not to 100", f"权重之和为 {total}，应为 100")
        if any(i.form == "rank_only" for i in items.values()) and len(items) > 1:
            raise Fault(
                "form rank_only ranks by one indicator alone: leave the other items out",
                "rank_only 只按一项指标排名，请删除其他指标",
            )
        return items

    @field_validator("shares")
    @classmethod
    def _rising(cls, shares: tuple[Share, ...]) -> tuple[Share, ...]:
        steps = [s.up_to_percent for s in shares]
        if steps and (steps != sorted(set(steps)) or steps[-1] != 100):
            got = ", ".join(map(str, steps))
            raise Fault(f"cumulative shares must rise to 100, got {got}", f"累计比例须逐级上升到 100，现为 {got}")
        grades = [s.grade for s in shares]
        if len(set(grades)) < len(grades) or NOT_EVALUATED in grades:
            raise Fault(
                f"grades must differ, and {NOT_EVALUATED} is who is not evaluated; got {grades}",
                f"等级不得重复，且 {NOT_EVALUATED} 专指不参评企业；现为 {grades}",
            )
        return shares


class Rounding(Form):
    """Digits to which the total is rounded half up BEFORE ranking, where a method says so; ``none`` is the rule."""

    digits: int = Field(ge=0, le=9)


# What the score says once for all its groups; a group may say otherwise.
_FOR_ALL_GROUPS = ("graded_within", "shares", "small_groups")


class Score(Form):
    """A composite: Σ item scores + bonuses − deductions, ranked within a group, graded by quota, then adjusted.

    One group may be written without ``groups``: its ``items`` stand here and it is called ``all``. After loading,
    ``groups`` holds every group with its shares, levels and forms; what is said here for all is copied into each.
    """

    groups: dict[GroupName, Group] = Field(min_length=1)
    ties: Literal["share_better_rank", "share_worse_rank"] = "share_better_rank"
    rounding: Literal["none"] | Rounding = "none"
    not_evaluated: tuple[NotEvaluated, ...] = ()
    extras: tuple[Extra, ...] = ()
    bonus_cap: Exact | None = Field(default=None, gt=0)
    deduction_cap: Exact | None = Field(default=None, gt=0)
    adjustments: tuple[Adjustment, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, given: Any) -> Any:
        return spread(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        bases = [i.base for g in self.groups.values() for i in g.items.values() if i.base is not None]
        levels = sorted({b.within for b in bases if b.average_of})
        if len(levels) > 1:
            raise Fault(
                f"the averages of one pack are of one level, not of {levels}",
                f"同一办法中的平均值须取同一层级（within），现有 {levels}",
            )
        self._one_group_each()
        self._adjustments_fit()
        return self

    def _one_group_each(self) -> None:
        names = list(self.groups)
        for n, one in enumerate(names):
            for other in names[n + 1 :]:
                if _meet(self.groups[one].who, self.groups[other].who):
                    raise Fault(
                        f"an enterprise could belong to both groups {one} and {other}: say under `who` which",
                        f"企业可能同时属于分组 {one} 和 {other}：请在 `who` 中写明界线",
                        "groups",
                        other,
                    )

    def _adjustments_fit(self) -> None:
        grades = {s.grade for g in self.groups.values() for s in g.shares}
        for one in self.adjustments:
            if grades and one.grade is not None and one.grade not in grades:
                raise Fault(
                    f"adjustment {one.name}: no grade {one.grade} in the shares; there are {sorted(grades)}",
                    f"调档规则 {one.name}：等级比例中没有 {one.grade}，现有 {sorted(grades)}",
                    "adjustments",
                )
            _known_groups(f"adjustment {one.name}", one.groups, self.groups)
        for extra in self.extras:
            _known_groups(f"extra {extra.name}", extra.groups, self.groups)

    @property
    def items(self) -> dict[str, Item]:
        """Every item by indicator, of all groups; a name that several groups score stands for the first."""
        return {n: i for g in reversed(self.groups.values()) for n, i in g.items.items()}

    @property
    def last_year(self) -> bool:
        """Whether a base needs last year's facts."""
        return any(
            i.base is not None and i.base.average_of == "last_year"
            for g in self.groups.values()
            for i in g.items.values()
        )

    @property
    def rounding_digits(self) -> int | None:
        """Digits that the total is rounded to before ranking; None where it is not."""
        return None if isinstance(self.rounding, str) else self.rounding.digits


def spread(given: dict[str, Any]) -> dict[str, Any]:
    """The raw score with what it says for all groups written into each, and one group ``all`` made of bare ``items``."""
    given = dict(given)
    if "items" in given:
        if "groups" in given:
            raise Fault("either `items` (one group) or `groups`, not both", "`items`（单一分组）与 `groups` 只能写其一")
        given["groups"] = {"all": {"items": given.pop("items")}}
    common = {k: given.pop(k) for k in _FOR_ALL_GROUPS if k in given}
    form = given.pop("form", None)
    if isinstance(given.get("groups"), dict):
        given["groups"] = {n: _filled(n, g, common, form) for n, g in given["groups"].items()}
    return given


def _filled(name: str, group: Any, common: dict[str, Any], form: Any) -> Any:
    """One raw group with the common parts, the form of its items, and what a name of the contract means."""
    if not isinstance(group, dict):
        return group
    group = common | group
    known = CONTRACT_GROUPS.get(name)
    if known is not None and Who.model_validate(group.setdefault("who", known)) != known:
        raise Fault(
            f"group {name} means the same in every pack: give it another name to say `who` it is",
            f"分组 {name} 在所有办法中含义相同：要自定 `who`，请另取组名",
            "groups",
            name,
        )
    if form is not None and isinstance(group.get("items"), dict):
        group["items"] = {n: {"form": form} | i if isinstance(i, dict) else i for n, i in group["items"].items()}
    return group


def _known_groups(what: str, asked: tuple[str, ...], known: dict[str, Group]) -> None:
    if unknown := sorted(set(asked) - set(known)):
        raise Fault(
            f"{what}: no groups {unknown}; there are {sorted(known)}",
            f"{what}：没有分组 {unknown}，现有 {sorted(known)}",
        )


def _meet(one: Who, other: Who) -> bool:
    """Whether an enterprise could be of both."""
    if one.scale and other.scale and one.scale != other.scale:
        return False
    for low, high in ((one.land_least_mu, other.land_below_mu), (other.land_least_mu, one.land_below_mu)):
        if low is not None and high is not None and low >= high:
            return False
    return _industries_meet(one, other)


def _industries_meet(one: Who, other: Who) -> bool:
    for a, b in ((one, other), (other, one)):
        if a.industries and all(any(c.startswith(x) for x in b.other_than_industries) for c in a.industries):
            return False
    if one.industries and other.industries:
        return any(a.startswith(b) or b.startswith(a) for a in one.industries for b in other.industries)
    return True
