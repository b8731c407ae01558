"""Indicators that a pack defines itself: one amount ÷ another, with unit and direction."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import Literal, Self

from pydantic import model_validator

from engine.policy.faults import Fault
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
                raise Fault(
                    f"{top} ÷ {bottom} has a unit: write it, as 万元/吨",
                    f"{top} ÷ {bottom} 有单位，请写明，如 万元/吨",
                    "unit",
                )
            return Fraction(1)
        shown = self.unit.split("/")
        if len(shown) != 2:
            raise Fault(
                f"unit `{self.unit}`: write it as numerator/denominator, as 万元/吨",
                f"单位 `{self.unit}` 应写作 分子/分母，如 万元/吨",
                "unit",
            )
        return _unit(shown[1], bottom) / _unit(shown[0], top)


def _unit(text: str, name: str) -> Fraction:
    quantity = quantity_of(name)
    unit = find_unit(text, quantity)
    if unit is None:
        known = ", ".join(unit_names(quantity)[:8])
        raise Fault(
            f"unit `{text}` is none of {quantity}, which {name} is; known are {known} …",
            f"单位 `{text}` 不适用于 {name}（{quantity}）；可用 {known} …",
            "unit",
        )
    return unit.factor


def quotient(formula: str) -> tuple[str, str]:
    """The two names of ``a / b``; ValueError for anything else, a division by a constant zero by name."""
    text = " ".join(formula.split())
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Fault(f"formula `{text[:80]}`: not a formula", f"公式 `{text[:80]}` 无效", "formula") from error
    match tree:
        case ast.BinOp(left=ast.Name(id=top), op=ast.Div(), right=ast.Name(id=bottom)):
            return top, bottom
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=0)):
            raise Fault(
                f"formula `{text[:80]}`: a division by zero has no value; divide by an amount",
                f"公式 `{text[:80]}`：除数为 0，没有结果；请除以一项数据",
                "formula",
            )
    raise Fault(
        f"formula `{text[:80]}`: an indicator is one name / another; define sums under `amounts` and name them here",
        f"公式 `{text[:80]}`：指标须写作 数据名 / 数据名；合计请先在 `amounts` 中定义再引用",
        "formula",
    )
