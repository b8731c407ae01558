"""Units of measure and their exact conversion to the smallest integer unit.

Amounts are integers until the ratio (fen, dm², Wh, litre, gram, 0.1 mg of coal equivalent, parts per
billion), so that sums are the same in any order and on any engine. Factors are exact fractions:
one mu is 2000/3 m², never 666.67.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

# Smallest unit of each quantity; the suffix of every column that holds one.
SMALLEST = {
    "money": "fen",
    "area": "dm2",
    "electricity": "wh",
    "volume": "litre",
    "mass": "gram",
    "coal": "ce",
    "count": "",
    "share": "ppb",
}
# The unit in which people read each quantity.
DISPLAY = {
    "money": "万元",
    "area": "亩",
    "electricity": "千瓦时",
    "volume": "立方米",
    "mass": "吨",
    "coal": "吨标准煤",
    "count": "",
    "share": "",
}

_MU = Fraction(2000, 3) * 100  # dm²
_ACRE = Fraction("4046.8564224") * 100  # international acre in dm²

_UNITS: dict[str, dict[str, Fraction | int]] = {
    "money": {
        "分": 1, "元": 100, "人民币元": 100, "yuan": 100, "cny": 100, "百元": 10**4, "千元": 10**5, "万元": 10**6,
        "人民币万元": 10**6, "万元人民币": 10**6, "十万元": 10**7, "百万元": 10**8, "千万元": 10**9, "亿元": 10**10,
        "10000yuan": 10**6, "10kyuan": 10**6, "100millionyuan": 10**10,
    },
    "area": {
        "平方米": 100, "m2": 100, "m²": 100, "㎡": 100, "平米": 100, "sqm": 100, "平方公里": 10**8, "km2": 10**8,
        "公顷": 10**6, "ha": 10**6, "hm2": 10**6, "亩": _MU, "mu": _MU, "万亩": _MU * 10**4, "acre": _ACRE,
        "acres": _ACRE, "英亩": _ACRE, "dm2": 1, "平方分米": 1, "万平方米": 10**6, "万m2": 10**6,
    },
    "electricity": {
        "千瓦时": 1000, "kwh": 1000, "kw·h": 1000, "kw.h": 1000, "度": 1000, "千瓦小时": 1000, "万千瓦时": 10**7,
        "万kwh": 10**7, "万kw·h": 10**7, "万度": 10**7, "兆瓦时": 10**6, "mwh": 10**6, "亿千瓦时": 10**11,
        "亿kwh": 10**11, "wh": 1, "瓦时": 1,
    },
    "volume": {
        "立方米": 1000, "m3": 1000, "m³": 1000, "nm3": 1000, "标准立方米": 1000, "标立方米": 1000, "方": 1000, "立方": 1000,
        "万立方米": 10**7, "万m3": 10**7, "万nm3": 10**7, "万方": 10**7, "吨": 1000, "t": 1000, "万吨": 10**7,
        "升": 1, "litre": 1, "l": 1, "千立方米": 10**6,
    },
    "mass": {
        "吨": 10**6, "t": 10**6, "万吨": 10**10, "千克": 1000, "公斤": 1000, "kg": 1000, "克": 1, "g": 1,
        "吨/年": 10**6, "t/a": 10**6, "千克/年": 1000, "kg/a": 1000,
    },
    "coal": {
        "吨标准煤": 10**10, "吨标煤": 10**10, "tce": 10**10, "万吨标准煤": 10**14, "万吨标煤": 10**14, "千克标准煤": 10**7,
        "kgce": 10**7, "公斤标准煤": 10**7,
    },
    "count": {
        "": 1, "人": 1, "人次": 1, "个": 1, "户": 1, "家": 1, "项": 1, "件": 1, "名": 1, "次": 1, "万人": 10**4,
        "person": 1, "persons": 1,
    },
    "share": {"": 10**9, "比例": 10**9, "%": 10**7, "％": 10**7, "百分比": 10**7, "‰": 10**6, "千分比": 10**6},
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit as written (``万元``), its quantity (``money``) and the exact factor to the smallest unit (10⁶)."""

    name: str
    quantity: str
    factor: Fraction


def fold(text: str) -> str:
    """A unit's text as it is compared: NFKC, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


_FOLDED = {q: {fold(n): Fraction(f) for n, f in names.items()} for q, names in _UNITS.items()}


def find_unit(text: str, quantity: str) -> Unit | None:
    """The unit that ``text`` names for ``quantity``; None where it names none (never a guess)."""
    factor = _FOLDED[quantity].get(fold(text))
    return None if factor is None else Unit(text.strip(), quantity, factor)


def unit_names(quantity: str) -> list[str]:
    """Every spelling known for ``quantity``, for error messages."""
    return [n for n in _UNITS[quantity] if n]


# Digits kept behind the decimal point of a written number; finer ones are rounded half up.
DECIMALS = 12


def to_smallest(text: pl.Expr, factor: Fraction) -> pl.Expr:
    """Written numbers (String) × ``factor`` as Int64, rounded half away from zero, exactly; null where not a number.

    The number never passes through a float: ``1.005`` yuan is 101 fen (100.5 rounded), not 100.
    Scientific notation, as spreadsheets write very small numbers, is expanded by Polars' decimal parser.
    """
    unscaled = text.cast(pl.Decimal(38, DECIMALS), strict=False).cast(pl.Decimal(38, DECIMALS)).to_physical()
    return round_scaled(unscaled.cast(pl.Int128), factor)


def round_scaled(unscaled: pl.Expr, factor: Fraction) -> pl.Expr:
    """Int128 holding value·10¹² × ``factor``, rounded half away from zero to Int64."""
    num, den = factor.numerator, factor.denominator * 10**DECIMALS
    twice = unscaled.abs() * (2 * num) + den
    return ((twice // (2 * den)) * unscaled.sign()).cast(pl.Int64, strict=False)


# --- display ---------------------------------------------------------------------------------------------------

# land in mu = dm² · 3 / 200000 and 万元 = fen / 10⁶; hence 万元 per mu = fen ÷ (15 · dm²), one division.
WAN_YUAN_PER_MU = 15
FEN_PER_WAN_YUAN = 10**6
DM2_PER_MU = Fraction(200_000, 3)


def divided(num: pl.Expr, by: int) -> pl.Expr:
    """Int64 ÷ a whole number as Float64, rounded once.

    The divisor is made a column: Polars divides by a scalar through its reciprocal, 1 ulp off in 40 % of values.
    """
    return num.cast(pl.Float64) / (num * 0 + by).cast(pl.Float64)


def land_mu(dm2: pl.Expr) -> pl.Expr:
    """dm² (Int64) as mu (Float64)."""
    return divided(dm2 * DM2_PER_MU.denominator, DM2_PER_MU.numerator)


def wan_yuan(fen: pl.Expr) -> pl.Expr:
    """fen (Int64) as 万元 (Float64)."""
    return divided(fen, FEN_PER_WAN_YUAN)
