"""A column that feeds a field."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Use:
    """A column that feeds a field. ``index`` is the sheet's column (c<index>), −1 the geometry."""

    index: int
    header: str
    letter: str
    unit: str = ""
    factor: Fraction = Fraction(1)
    stated: str = "default"
