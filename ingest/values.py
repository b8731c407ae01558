"""What one written value means: dates, periods, shares, flags, numbers, and which marks mean "empty".

These work on one string. They are called once per distinct text, so a month column of twelve million rows costs
twelve calls. Text comes in cleaned: NFKC, no outer spaces.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

SPACES = " \t\r\n\f\v\u00a0\u3000\ufeff\u200b\u2002\u2003\u2009"
EMPTY_MARKS = frozenset(
    ["", "/", "//", "\\", "-", "--", "---", "—", "——", "–", "－", "―", "─", "_", "、", ".", "…", "……", "*", "无", "空", "暂无",
     "缺", "(空)", "<空>", "<null>", "(null)", "null", "nah", "nan", "nat", "none", "n/a", "#n/a", "na", "nil", "[]", "{}"]
)  # fmt: skip
# Systems write these where they hold no date; the last three mean "without end".
_NO_DATE = frozenset(["19010102", "19000101", "19000102", "18991230", "18991231", "00000000", "99991231"])
_NO_END = frozenset(["长期", "永久", "至今", "无期限", "无固定期限", "无限期"])
_DATE = re.compile(r"^(\d{4})\s*[-/.年\\]\s*(\d{1,2})\s*[-/.月\\]\s*(\d{1,2})\s*(?:日|号)?(?:[\sT]+\d{1,2}:.*)?$")
_DAY_FIRST = re.compile(r"^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$")
_EIGHT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0+|\d{6})?$")
_SERIAL = re.compile(r"^(\d{5})(?:\.\d+)?$")
_MONTH = re.compile(r"^(\d{4})\s*[-/.年\\]\s*(\d{1,2})\s*月?份?$")
_SIX = re.compile(r"^(\d{4})(\d{2})(?:\.0+)?$")
_YEAR = re.compile(r"^(\d{4})(?:\.0+)?\s*年?度?$")
_MONTH_ONLY = re.compile(r"^(\d{1,2})(?:\.0+)?\s*月?份?$")
_QUARTER = re.compile(r"^(\d{4})?\s*年?\s*(?:第?([一二三四1-4])季度?|q([1-4]))$", re.IGNORECASE)
_RANGE = re.compile(r"^(.+?)\s*(?:至|到|~|～|—|--|\s-\s|(?<=\d{6})-(?=\d{6}))\s*(.+)$")
_MONTH_RANGE = re.compile(r"^(\d{4})\s*年\s*(\d{1,2})\s*月?\s*[-~至到—]\s*(\d{1,2})\s*月份?$")
_CN_MONTHS = {
    m: i
    for i, m in enumerate(
        ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"], 1
    )
}
_EN_MONTHS = {m.lower(): i for i, m in enumerate(calendar.month_abbr) if m}
_EN_MONTH = re.compile(r"^([a-z]{3})[a-z]*\.?[-\s/]*(\d{4}|\d{2})?$", re.IGNORECASE)
_EPOCH = dt.date(1899, 12, 30)
_MOST_DIGITS = 40
_SERIALS = range(18264, 73051)  # 1950-01-01 … 2100-01-01 as spreadsheets count days


class Period(NamedTuple):
    """A month (yyyymm) or a whole year (yyyy), and the day where the text names one (else 0)."""

    value: int
    day: int = 0


class Empty(Exception):
    """The text stands for "no value" in this kind of column (1901年01月02日, 长期)."""


def _date(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def parse_date(text: str) -> dt.date | None:
    """2024-01-05, 2024/1/5, 2024.1.5, 2024年1月5日, 20240105, a spreadsheet's serial; a month alone is its first day.

    None where it is no date. Raises Empty for the marks that mean "no date".
    """
    found = _DATE.match(text) or _EIGHT.match(text)
    if found:
        if "".join(p.zfill(2) for p in found.groups()) in _NO_DATE:
            raise Empty
        return _date(*found.groups())
    if text in _NO_END:
        raise Empty
    if (serial := _SERIAL.match(text)) and int(serial[1]) in _SERIALS:
        return _EPOCH + dt.timedelta(days=int(serial[1]))
    if late := _DAY_FIRST.match(text):
        return _unambiguous(*late.groups())
    month = _MONTH.match(text) or _SIX.match(text)
    return _date(month[1], month[2], "1") if month else None


def _unambiguous(first: str, second: str, year: str) -> dt.date | None:
    """31/12/2024 or 12/31/2024; 05/06/2024 could be two days and is none."""
    readings = {d for d in (_date(year, second, first), _date(year, first, second)) if d}
    return readings.pop() if len(readings) == 1 else None


def parse_period(text: str, year: int | None) -> Period | None:
    """202401, 2024-01, 2024年1月, 1月 (of ``year``), a date, a quarter (its last month), a range (its last), 2024.

    None where it is no period, or where a range crosses a year.
    """
    if several := _MONTH_RANGE.match(text):
        return _month(several[1], several[3])
    return _one_period(text, year) or _range(text, year)


def _one_period(text: str, year: int | None) -> Period | None:
    if found := _SIX.match(text):
        return _month(found[1], found[2])
    if found := _YEAR.match(text):
        return Period(int(found[1])) if 1900 <= int(found[1]) <= 2200 else None
    if found := _MONTH.match(text):
        return _month(found[1], found[2])
    if day := _period_day(text):
        return Period(day.year * 100 + day.month, day.day)
    return _short_period(text, year)


def _period_day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except Empty:
        return None


def _short_period(text: str, year: int | None) -> Period | None:
    """Month names and quarters, with the load's year where the text states none."""
    if found := _QUARTER.match(text):
        number = found[2] or found[3]
        quarter = "一二三四".find(number) + 1 or int(number)
        return _month(found[1] or year, quarter * 3)
    if text in _CN_MONTHS:
        return _month(year, _CN_MONTHS[text])
    if found := _MONTH_ONLY.match(text):
        return _month(year, found[1])
    if (found := _EN_MONTH.match(text)) and found[1].lower() in _EN_MONTHS:
        written = found[2] and (found[2] if len(found[2]) == 4 else f"20{found[2]}")
        return _month(written or year, _EN_MONTHS[found[1].lower()])
    return None


def _month(year: str | int | None, month: str | int) -> Period | None:
    if year is None or not 1 <= int(month) <= 12:
        return None
    return Period(int(year) * 100 + int(month))


def _range(text: str, year: int | None) -> Period | None:
    ends = _RANGE.match(text)
    if not ends:
        return None
    first = _one_period(ends[1].strip(), year)
    last = _one_period(ends[2].strip(), year or (first and first.value // 100))
    if first is None or last is None or year_of(first.value) != year_of(last.value):
        return None
    return Period(last.value)


def year_of(period: int) -> int:
    """The year of a period: 202401 and 2024 are both of 2024."""
    return period // 100 if period > 9999 else period


_FLAGS = {
    1: ["是", "1", "1.0", "y", "yes", "true", "t", "规上", "规模以上", "规模以上工业", "规上工业", "规上企业", "规模以上企业", "√", "✓", "有", "在库"],
    0: ["否", "0", "0.0", "n", "no", "false", "f", "规下", "规模以下", "规模以下工业", "规下工业", "规下企业", "规模以下企业", "×", "✗", "不在库"],
}  # fmt: skip
FLAGS = {text: flag for flag, texts in _FLAGS.items() for text in texts}


@lru_cache(maxsize=65536)
def plain_number(text: str) -> str | None:
    """A number as people write it → digits, point and sign: 1,234.5, ¥ 1 234, （12.5） as −12.5, 1.2e5. None if none."""
    bare = re.sub(r"[\s,，'¥￥$]", "", text)
    if re.fullmatch(r"\([\d.]+\)", bare):
        bare = "-" + bare[1:-1]
    bare = bare.replace("−", "-").replace("－", "-")
    try:
        number = Decimal(bare)
    except InvalidOperation:
        return None
    if not number.is_finite() or "_" in bare:
        return None
    # 1e999999999 written out would fill the memory; no amount has forty digits before or behind its point.
    if abs(number.adjusted()) <= _MOST_DIGITS:
        return f"{number:f}"
    return None if number and number.adjusted() > 0 else "0"


def parse_share(text: str, factor: Fraction) -> int | None:
    """Parts per billion: 50%, 5‰ and 1/3 say their own unit, a bare number has the column's ``factor``."""
    bare = text.replace(" ", "").replace("％", "%")
    try:
        if bare.endswith("%"):
            value = _fraction(bare[:-1]) * 10**7
        elif bare.endswith("‰"):
            value = _fraction(bare[:-1]) * 10**6
        elif "/" in bare or "⁄" in bare:
            value = _fraction(bare.replace("⁄", "/")) * 10**9
        else:
            value = _fraction(bare) * factor
    except (ValueError, ZeroDivisionError):
        return None
    # Whatever is outside 0 … 1 stays outside, and within 64 bits.
    return min(int((value * 2 + 1) // 2), 10**9 + 1) if value >= 0 else -1


def _fraction(bare: str) -> Fraction:
    """As Fraction reads it; an exponent of three digits is refused, for it would be multiplied out."""
    if len(bare.lower().partition("e")[2].lstrip("+-0")) > 2:
        raise ValueError(bare)
    return Fraction(bare)
