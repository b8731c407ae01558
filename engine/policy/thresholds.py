"""Thresholds of conditions: an amount in its smallest unit, exact, or an indicator's value."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from fractions import Fraction

from engine.policy.adjusting import Condition
from engine.policy.faults import Fault
from engine.policy.own import quantity_of
from engine.schema.facts import FACTS
from engine.schema.units import find_unit, unit_names

_AMOUNT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(\S.*)?")

_AT = ("score", "adjustments")


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
            raise Fault(
                f"condition on {condition.of}: write the number alone, in the indicator's unit",
                f"条件 {condition.of}：请只写数字，单位即该指标的单位",
                *_AT,
            )
        return Threshold(condition.of, comparison, float(Fraction(str(written))))
    if condition.of not in amounts:
        raise Fault(
            f"condition on {condition.of}: neither a fact, nor an amount, nor an indicator",
            f"条件 {condition.of}：既不是数据，也不是 `amounts` 中的量，也不是指标",
            *_AT,
        )
    return Threshold(condition.of, comparison, _whole(condition.of, str(written)))


def _whole(name: str, written: str) -> int:
    quantity = FACTS[name].quantity if name in FACTS else quantity_of(name)
    found = _AMOUNT.fullmatch(written)
    unit = found and find_unit(found[2] or "", quantity)
    if not found or not unit:
        known = ", ".join(unit_names(quantity)[:8])
        raise Fault(
            f"condition on {name}: `{written}` is no amount with a unit of {quantity}, as 50 亿元; known are {known} …",
            f"条件 {name}：`{written}` 不是带 {quantity} 单位的数，应如 50 亿元；可用 {known} …",
            *_AT,
        )
    value = Fraction(found[1]) * unit.factor
    if value.denominator != 1:
        raise Fault(
            f"condition on {name}: `{written}` is no whole number of the smallest unit; write it with fewer decimals",
            f"条件 {name}：`{written}` 不是最小单位的整数倍，请减少小数位数",
            *_AT,
        )
    return int(value)
