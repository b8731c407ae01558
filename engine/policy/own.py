"""Indicators that a pack defines itself: one amount ÷ another, with unit and direction."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import Literal, Self

from pydantic import model_validator

from engine.policy.indicators import Indicator
from engine.policy.parts import Form, Title
from engine.schema.units import SMALLEST, find_unit, unit_names

_QUANTITIES = {f"_{suffix}": quantity for quantity, suffix in SMALLEST.items() if suffix}


def quantity_of(name: str) -> str:
    """The quantity that an amount's name ends in: money of ``tax_fen``; ``count`` where it ends in no unit."""
    if name.endswith("_days"):
        name = name.removesuffix("_days")
    return next((q for suffix, q in _QUANTITIES.items() if name.endswith(suffix)), "count")


class OwnIndicator(Form):
    """``formula: numerator / denominator`` over facts and amounts by name; ``unit`` as ``万元/吨``, "" for a plain ratio."""

    title: Title
    formula: str
    unit: str
    direction: Literal["more", "less"]

    @model_validator(mode="after")
    def _understood(self) -> Self:
        self.indicator("_")
        return self

    @property
    def parts(self) -> tuple[str, str]:
        """Names of the numerator and the denominator."""
        return quotient(self.formula)

    def indicator(self, name: str) -> Indicator:
        """The indicator with the exact factors from the smallest units to the unit shown."""
        top, bottom = self.parts
        factor = self._factor(top, bottom)
        return Indicator(
            name,
            top,
            bottom,
            factor.numerator,
            factor.denominator,
            self.unit,
            self.title.zh,
            self.title.en,
            self.direction,
        )

    def _factor(self, top: str, bottom: str) -> Fraction:
        if not self.unit:
            if quantity_of(top) != quantity_of(bottom):
                raise ValueError(f"{top} ÷ {bottom} has a unit: write it, as 万元/吨")
            return Fraction(1)
        shown = self.unit.split("/")
        if len(shown) != 2:
            raise ValueError(f"unit `{self.unit}`: write it as numerator/denominator, as 万元/吨")
        return _unit(shown[1], bottom) / _unit(shown[0], top)


def _unit(text: str, name: str) -> Fraction:
    quantity = quantity_of(name)
    unit = find_unit(text, quantity)
    if unit is None:
        known = ", ".join(unit_names(quantity)[:8])
        raise ValueError(f"unit `{text}` is none of {quantity}, which {name} is; known are {known} …")
    return unit.factor


def quotient(formula: str) -> tuple[str, str]:
    """The two names of ``a / b``; ValueError for anything else, a division by a constant zero by name."""
    text = " ".join(formula.split())
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"formula `{text[:80]}`: not a formula") from error
    match tree:
        case ast.BinOp(left=ast.Name(id=top), op=ast.Div(), right=ast.Name(id=bottom)):
            return top, bottom
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=0)):
            raise ValueError(f"formula `{text[:80]}`: a division by zero has no value; divide by an amount")
    raise ValueError(
        f"formula `{text[:80]}`: an indicator is one name / another; define sums under `amounts` and name them here"
    )
