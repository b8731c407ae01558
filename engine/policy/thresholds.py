"""Thresholds of conditions: an amount in its smallest unit, exact, or an indicator's value."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from fractions import Fraction

from engine.policy.adjusting import Condition
from engine.policy.own import quantity_of
from engine.schema.facts import FACTS
from engine.schema.units import find_unit, unit_names

_AMOUNT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(\S.*)?")


@dataclass(frozen=True)
class Threshold:
    """A comparison ready to compute: ``column`` ``more_than | at_least | less_than | at_most`` ``value``.

    The value of an amount is a whole number of its smallest unit, of an indicator a float in the unit that it is shown in.
    """

    column: str
    comparison: str
    value: int | float


def threshold(condition: Condition, indicators: Container[str], amounts: Container[str]) -> Threshold:
    """The condition with its threshold understood; ValueError where it names no amount or no unit of that amount."""
    ((comparison, written),) = condition.stated.items()
    if condition.of in indicators:
        if isinstance(written, str):
            raise ValueError(f"condition on {condition.of}: write the number alone, in the indicator's unit")
        return Threshold(condition.of, comparison, float(Fraction(str(written))))
    if condition.of not in amounts:
        raise ValueError(f"condition on {condition.of}: neither a fact, nor an amount, nor an indicator")
    return Threshold(condition.of, comparison, _whole(condition.of, str(written)))


def _whole(name: str, written: str) -> int:
    quantity = FACTS[name].quantity if name in FACTS else quantity_of(name)
    found = _AMOUNT.fullmatch(written)
    unit = found and find_unit(found[2] or "", quantity)
    if not found or not unit:
        known = ", ".join(unit_names(quantity)[:8])
        raise ValueError(
            f"condition on {name}: `{written}` is no amount with a unit of {quantity}; as 50 亿元; {known} …"
        )
    value = Fraction(found[1]) * unit.factor
    if value.denominator != 1:
        raise ValueError(f"condition on {name}: `{written}` is no whole number of the smallest unit")
    return int(value)
