"""Corrections as files: a figure put right by hand, with a guard, a reason, evidence, an approver and an end.

A file holds several, and withdrawals of earlier ones::

    corrections:
      - enterprise: 91110108551385082Q      # an enterprise id or a credit code
        field: vat_fen
        year: 2024
        value: 120.5
        unit: 万元
        expect: {lt: 1}                     # of the uncorrected value, in the same unit; else the merge stops
        reason: entered in yuan under a header of 10,000 yuan
        evidence: 昆税函〔2025〕3号
        approver: 王某
        until: 2026-12-31                   # or a year, or never: merges after it no longer apply the correction
    withdraw:
      - {enterprise: 91110108551385082Q, field: power_wh, year: 2024, reason: the company sent the meter, approver: 王某}

The loader refuses what it does not wholly understand; each of its rules has a broken file in the tests.
"""

from __future__ import annotations

import calendar
from collections.abc import Hashable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, ValidationError, model_validator

from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from engine.schema.units import find_unit, unit_names

Number = StrictInt | StrictFloat | StrictStr
_LARGEST = 2**63 - 1


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Expect(_Form):
    """What the uncorrected value must be for the correction to apply: every test given holds. In the value's unit."""

    gt: Number | None = None
    lt: Number | None = None
    equals: Number | None = None
    between: tuple[Number, Number] | None = None
    missing: Literal[True] | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> Self:
        tests = self.tests
        if not tests:
            raise ValueError("give at least one of gt, lt, equals, between, missing")
        if self.missing and len(tests) > 1:
            raise ValueError("missing stands alone: there is no value to compare")
        if self.between and fraction(self.between[0]) > fraction(self.between[1]):
            raise ValueError(f"between {self.between[0]} and {self.between[1]}: the first is the greater")
        for name, bounds in tests.items():
            for bound in bounds if name != "missing" else ():
                fraction(bound)
        return self

    @property
    def tests(self) -> dict[str, tuple[Any, ...]]:
        """Name of each test given → its bounds."""
        given = self.model_dump(exclude_none=True)
        return {name: tuple(v) if isinstance(v, list | tuple) else (v,) for name, v in given.items()}


class Whose(_Form):
    """Which figure: an enterprise (id or credit code), a fact and a year."""

    enterprise: str = Field(min_length=1)
    field: str
    year: int = Field(ge=1949, le=2100, strict=True)
    reason: str = Field(min_length=1)
    approver: str = Field(min_length=1)

    @model_validator(mode="after")
    def _field_known(self) -> Self:
        if self.field not in FACTS:
            raise ValueError(f"unknown field {self.field}; facts are {', '.join(FACTS)}")
        return self


class Withdrawal(Whose):
    """A correction that shall no longer apply."""


class Correction(Whose):
    """One figure put right."""

    value: Number
    unit: str = ""
    expect: Expect
    evidence: str = Field(min_length=1)
    until: date | StrictInt | Literal["never"]

    @model_validator(mode="after")
    def _a_figure(self) -> Self:
        quantity = FACTS[self.field].quantity
        if find_unit(self.unit, quantity) is None:
            known = ", ".join(unit_names(quantity)) or "none"
            raise ValueError(f"unit `{self.unit}` is none of {self.field} ({quantity}); known are {known}")
        if not isinstance(self.until, date | str) and not 1949 <= self.until <= 2200:
            raise ValueError(f"until {self.until} is neither a date nor a year nor never")
        if any(abs(self.smallest(x)) > _LARGEST for x in (self.value, *self._bounds)):
            raise ValueError(f"value {self.value} {self.unit} or a bound of expect is larger than a figure can be")
        return self

    @property
    def _bounds(self) -> list[Number]:
        return [b for name, bounds in self.expect.tests.items() if name != "missing" for b in bounds]

    @property
    def factor(self) -> Fraction:
        """What one unit of the correction is in the field's smallest unit (land: area × days of the year)."""
        unit = find_unit(self.unit, FACTS[self.field].quantity)
        assert unit is not None
        days = (366 if calendar.isleap(self.year) else 365) if self.field == "land_dm2_days" else 1
        return unit.factor * days

    def smallest(self, number: Number) -> int:
        """A number of the correction's unit in the field's smallest, rounded half away from zero."""
        exact = fraction(number) * self.factor
        rounded = int(abs(exact) + Fraction(1, 2))
        return -rounded if exact < 0 else rounded

    def shown(self, smallest: int | None) -> str:
        """A value of the field in the correction's unit, as text; – for none."""
        if smallest is None:
            return "–"
        exact = smallest / self.factor
        number = str(exact.numerator) if exact.denominator == 1 else f"{float(exact):.10g}"
        return f"{number} {self.unit}".strip()

    def holds(self, before: int | None) -> bool:
        """Whether the uncorrected value is still what the guard expects."""
        if before is None or self.expect.missing:
            return before is None and self.expect.missing is True
        bounds = {name: [self.smallest(b) for b in given] for name, given in self.expect.tests.items()}
        tests = {
            "gt": lambda b: before > b[0], "lt": lambda b: before < b[0], "equals": lambda b: before == b[0],
            "between": lambda b: b[0] <= before <= b[1],
        }  # fmt: skip
        return all(tests[name](given) for name, given in bounds.items())

    @property
    def guard(self) -> str:
        """The guard as text: ``gt 1000 万元``."""
        tests = self.expect.tests
        if "missing" in tests:
            return "missing"
        return ", ".join(f"{n} {' '.join(map(str, b))} {self.unit}".strip() for n, b in tests.items())

    @property
    def last_day(self) -> date | None:
        """The last day on which a merge applies it; None for ever."""
        if isinstance(self.until, int):
            return date(self.until, 12, 31)
        return self.until if isinstance(self.until, date) else None


class CorrectionFile(_Form):
    """A file of corrections and withdrawals."""

    corrections: tuple[Correction, ...] = ()
    withdraw: tuple[Withdrawal, ...] = ()

    @model_validator(mode="after")
    def _says_something_once(self) -> Self:
        keys = [(e.enterprise, e.field, e.year) for e in (*self.corrections, *self.withdraw)]
        if not keys:
            raise ValueError("neither corrections nor withdraw: nothing to do")
        if twice := [k for k in keys if keys.count(k) > 1]:
            raise ValueError(f"{' '.join(map(str, twice[0]))} stands twice")
        return self


def fraction(number: Number) -> Fraction:
    """A number as it is written, exactly; ValueError where it is none."""
    try:
        if isinstance(number, float | int) or (len(number) <= 40 and "e" not in number.lower()):
            return Fraction(str(number))
    except (ValueError, ZeroDivisionError):
        pass
    raise ValueError(f"`{number}` is no number: write 1234.5, without separators")


class _OnceLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"`{twice[0]}` is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_corrections(path: Path) -> CorrectionFile:
    """The corrections of a file; PermuError bad_corrections names every fault in one line, with its place."""
    try:
        return CorrectionFile.model_validate(yaml.load(path.read_text("utf-8"), _OnceLoader))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise _bad(path, "; ".join(dict.fromkeys(faults))) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad(path, " ".join(str(error).split()) or type(error).__name__) from error


def _bad(path: Path, why: str) -> PermuError:
    return PermuError(
        "bad_corrections",
        f"corrections {path}: {why}; correct the file and try it with `permu correct {path} --dry-run`",
        f"更正文件 {path}：{why}；请修改后用 permu correct {path} --dry-run 检查",
    )
