"""Numbers, days and instants as the standards write them: Python would read more (``1_18``, week dates, other digits)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?", re.IGNORECASE
)


def number(text: str) -> float:
    """A decimal number; ValueError for anything else, also where it is beyond a float's range."""
    if not _NUMBER.fullmatch(text) or abs(found := float(text)) == float("inf"):
        raise ValueError(text)
    return found


def day(text: str) -> date:
    """A day as RFC 3339 writes it (full-date); ValueError."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def instant(text: str, zoned: bool = True) -> datetime:
    """An instant of RFC 3339 (date-time) in UTC, without its zone; ``zoned``: it must say one. ValueError."""
    said = _INSTANT.fullmatch(text)
    if said is None or (zoned and said[1] is None):
        raise ValueError(text)
    found = datetime.fromisoformat(text.upper())
    try:
        return found.astimezone(UTC).replace(tzinfo=None) if said[1] else found
    except OverflowError as error:  # the first or last hours of the calendar in another zone
        raise ValueError(text) from error
