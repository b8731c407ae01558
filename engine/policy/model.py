"""The form of a policy pack. Unknown keys are refused: a rule that nobody reads must not look as if it counted."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.policy.formula import names_in
from engine.policy.indicators import INDICATORS
from engine.schema.facts import FACTS
from engine.schema.units import SMALLEST

NOT_EVALUATED = "T"
_UNITS = tuple(f"_{unit}" for unit in SMALLEST.values() if unit)
# What the rankings table shows and ranks under every policy.
_ALWAYS = {"output_fen", "tax_fen"}

Level = Literal["region_city", "region_county", "region_town", "industry_2", "scale_group", "all"]


class Form(BaseModel):
    """Base of every part: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Form):
    """A name in Chinese and English."""

    zh: str
    en: str


class Basis(Form):
    """A legal basis or the source of a figure: document, number, article, and how it was seen."""

    title: str
    number: str | None = None
    article: str | None = None
    source: str


class Base(Form):
    """Base value of an item: a published constant, or ``times`` × the group's Σ/Σ of this or last year."""

    constant: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    average_of: Literal["last_year", "this_year"] | None = None
    times: int = Field(default=1, ge=1)
    within: Level = "region_county"
    chosen: str | None = None  # why, where the notice leaves the choice to us

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.constant is None) == (self.average_of is None):
            raise ValueError("a base is either `constant` or `average_of`")
        if self.constant is not None and self.model_fields_set & {"times", "within"}:
            raise ValueError("`times` and `within` belong to `average_of`: a constant would not use them")
        return self


class Item(Form):
    """One scored indicator: weight, base, and what a missing value scores."""

    weight: int = Field(gt=0, le=100)
    base: Base
    missing: Literal["zero_score"]


class Share(Form):
    """A grade and the cumulative per cent of the ranked enterprises up to which it reaches (boundary inclusive)."""

    grade: str
    up_to_percent: int = Field(gt=0, le=100)


class NotEvaluated(Form):
    """Enterprises of grade T: by division, on the bureau's list, or in production for less than ``years``."""

    reason: Title
    divisions: tuple[Annotated[str, Field(pattern=r"^\d\d$")], ...] = ()
    listed: Literal["exemptions"] | None = None
    in_production_less_than_years: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        kinds = (bool(self.divisions), self.listed is not None, self.in_production_less_than_years is not None)
        if sum(kinds) != 1:
            raise ValueError(
                "a rule is one of `divisions`, `listed` and `in_production_less_than_years`; write a rule for each"
            )
        return self


class Scope(Form):
    """Who is evaluated: above scale, and below scale from ``below_scale_least_mu`` on; ``everyone`` without limit."""

    everyone: bool = False
    below_scale_least_mu: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.everyone and self.below_scale_least_mu is not None:
            raise ValueError("`everyone` has no limit: leave `below_scale_least_mu` out")
        return self


class Score(Form):
    """A composite: Σ value ÷ base × weight, graded by quota on the rank within ``graded_within``."""

    form: Literal["ratio"]
    items: dict[str, Item]
    graded_within: Level
    shares: tuple[Share, ...]
    not_evaluated: tuple[NotEvaluated, ...] = ()

    @field_validator("items")
    @classmethod
    def _known_and_whole(cls, items: dict[str, Item]) -> dict[str, Item]:
        unknown = [n for n in items if n not in INDICATORS]
        if unknown:
            raise ValueError(f"unknown indicators {unknown}; known are {sorted(INDICATORS)}")
        weights = sum(i.weight for i in items.values())
        if weights != 100:
            raise ValueError(f"the weights sum to {weights}, not to 100")
        levels = {i.base.within for i in items.values() if i.base.average_of}
        if len(levels) > 1:
            raise ValueError(f"the averages of one pack are of one level, not of {sorted(levels)}")
        return items

    @field_validator("shares")
    @classmethod
    def _rising(cls, shares: tuple[Share, ...]) -> tuple[Share, ...]:
        steps = [s.up_to_percent for s in shares]
        if steps != sorted(set(steps)) or not steps or steps[-1] != 100:
            raise ValueError(f"cumulative shares must rise to 100, got {steps}")
        grades = [s.grade for s in shares]
        if len(set(grades)) < len(grades) or NOT_EVALUATED in grades:
            raise ValueError(f"grades must differ, and {NOT_EVALUATED} is who is not evaluated; got {grades}")
        return shares

    @property
    def last_year(self) -> bool:
        """Whether a base needs last year's facts."""
        return any(i.base.average_of == "last_year" for i in self.items.values())


class Policy(Form):
    """A rule set of one place and time: amounts by formula, the two headline indicators, and a composite or none."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: Title
    status: Literal["complete", "partial", "illustrative"]
    place: str
    valid_from: date
    valid_to: date | None = None
    basis: tuple[Basis, ...] = Field(min_length=1)
    notes: Title
    scope: Scope
    amounts: dict[str, str]
    indicators: tuple[str, ...]
    score: Score | None = None
    bottom_percent: int = Field(default=5, gt=0, lt=100)

    @model_validator(mode="after")
    def _amounts_known(self) -> Self:
        known = set(FACTS)
        for name, formula in self.amounts.items():
            if name in FACTS or not name.endswith(_UNITS):
                raise ValueError(f"amount {name}: give it a name of its own that ends in its unit: {', '.join(_UNITS)}")
            unknown = names_in(formula) - known
            if unknown:
                raise ValueError(f"amount {name}: neither facts nor amounts above it: {sorted(unknown)}")
            known.add(name)
        return self._indicators_known(known)

    def _indicators_known(self, known: set[str]) -> Self:
        if _ALWAYS - known:
            raise ValueError(
                f"every policy defines {sorted(_ALWAYS)} under `amounts`; missing are {sorted(_ALWAYS - known)}"
            )
        for name in self.computed:
            if name not in INDICATORS:
                raise ValueError(f"unknown indicator {name}; known are {sorted(INDICATORS)}")
            missing = {INDICATORS[name].numerator, INDICATORS[name].denominator} - known
            if missing:
                raise ValueError(f"indicator {name} needs amounts {sorted(missing)}: define them under `amounts`")
        return self

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is before valid_from {self.valid_from}")
        return self

    @property
    def metrics(self) -> list[str]:
        """What is ranked in every grouping; the first is the default order."""
        headline = ["output_per_mu", "benefit_per_mu"]
        return ["score", *headline] if self.score else headline

    @property
    def computed(self) -> list[str]:
        """Every indicator to compute, headline pair first."""
        items = list(self.score.items) if self.score else []
        return list(dict.fromkeys(["output_per_mu", "benefit_per_mu", *self.indicators, *items]))
