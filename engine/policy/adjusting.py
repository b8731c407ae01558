"""What stands beside the indicators: bonus and deduction items by event, and adjustments of the grade, each with its clause."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from engine.policy.faults import Fault
from engine.policy.parts import Exact, Form, Grade, Title


class Points(Form):
    """What one event is worth: points, or per cent of the sum of the item scores. Written positive in both kinds."""

    points: Exact | None = Field(default=None, gt=0)
    percent: Exact | None = Field(default=None, gt=0, le=100)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.points is None) == (self.percent is None):
            raise Fault(
                "an event is worth either `points` or `percent`", "每个事项写 `points`（分）或 `percent`（百分比）之一"
            )
        return self


class Extra(Form):
    """One category of bonus or deduction items: its events (by the category of the bureau's list) and how they add up.

    ``within_category: highest``: of several events only the highest counts. ``sum``: they add up, to ``cap`` if given.
    An event counts in the year it states and the ``counts_for_years`` − 1 years after it.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Title
    kind: Literal["bonus", "deduction"]
    within_category: Literal["highest", "sum"]
    events: dict[str, Points] = Field(min_length=1)
    cap: Exact | None = Field(default=None, gt=0)
    counts_for_years: int = Field(default=1, ge=1, le=20)
    groups: tuple[str, ...] = ()  # none named: every group
    clause: str

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.cap is not None and self.within_category == "highest":
            raise Fault(
                "`cap` belongs to `within_category: sum`: the highest alone is its own limit",
                "`cap` 只用于 `within_category: sum`：取最高项时无须封顶",
            )
        if len({p.points is None for p in self.events.values()}) > 1:
            raise Fault(
                "the events of one category are all `points` or all `percent`",
                "同一类事项须全部用 `points` 或全部用 `percent`",
            )
        return self


class Condition(Form):
    """One comparison: an amount or fact (``main_revenue_fen``, threshold with its unit) or an indicator (a number)."""

    of: str
    more_than: str | Exact | None = None
    at_least: str | Exact | None = None
    less_than: str | Exact | None = None
    at_most: str | Exact | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.stated) != 1:
            raise Fault(
                "a condition is one of `more_than`, `at_least`, `less_than` and `at_most`",
                "条件须且只能写 `more_than`、`at_least`、`less_than`、`at_most` 之一",
            )
        return self

    @property
    def stated(self) -> dict[str, object]:
        """The comparison that is stated, by its name."""
        names = ("more_than", "at_least", "less_than", "at_most")
        return {n: v for n in names if (v := getattr(self, n)) is not None}


Effect = Literal["direct_to", "not_above", "up", "down", "veto"]


class Adjustment(Form):
    """A rule that moves a grade after the quota.

    In this order: ``direct_to`` sets the grade (of several the worst), ``up`` and ``down`` move it by ``steps``,
    ``not_above`` limits it, ``veto`` sets it whatever else holds (of several the worst). An enterprise meets the rule by
    any of ``events`` (categories of the bureau's list, as :class:`Extra` counts them) or of ``conditions``.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Title
    effect: Effect
    grade: Grade | None = None
    steps: int | None = Field(default=None, ge=1)
    events: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    counts_for_years: int = Field(default=1, ge=1, le=20)
    groups: tuple[str, ...] = ()
    clause: str

    @model_validator(mode="after")
    def _whole(self) -> Self:
        moves = self.effect in ("up", "down")
        if moves != (self.steps is not None) or moves == (self.grade is not None):
            raise Fault(
                "`up` and `down` take `steps`, the other effects take `grade`",
                "`up`、`down` 须写 `steps`（档数），其余须写 `grade`（等级）",
            )
        if not self.events and not self.conditions:
            raise Fault(
                "an adjustment needs `events` or `conditions`: it would never be met",
                "调档规则须有 `events` 或 `conditions`，否则永远不会触发",
            )
        return self
