"""The question of a request for items: every parameter read and checked before anything is looked up."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import shapely
from starlette.datastructures import QueryParams

from api.ogc.boxes import read_box
from api.ogc.collections import Collection
from api.ogc.crs import Crs, read_crs
from api.ogc.filters import parse
from api.ogc.literals import day, instant
from engine.schema.errors import PermuError

LIMIT, MAX_LIMIT = 100, 10_000
OWN = (
    "f", "limit", "cursor", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs",
)  # fmt: skip
_MAX_CURSOR = 200


@dataclass(frozen=True)
class Question:
    """What was asked. ``identity`` is all that decides which features answer, without the page."""

    limit: int
    start: int
    areas: tuple[shapely.Geometry, ...]
    span: tuple[datetime, datetime] | None
    crs: Crs
    filter_crs: Crs
    tree: Any
    equal: dict[str, str]
    identity: tuple[tuple[str, str], ...]


def bad(parameter: str, value: str, en: str, zh: str) -> PermuError:
    """``bad_parameter``: what was given and what is allowed."""
    return PermuError(
        "bad_parameter", f"{parameter}={value[:80]}: {en}", f"{parameter}={value[:80]}：{zh}",
        parameter=parameter, allowed=en,
    )  # fmt: skip


def parameters_of(collection: Collection) -> list[str]:
    """All parameters of a collection's items: the standards' own and the queryables."""
    return [*OWN, *(name for name in collection.queryables() if name not in OWN)]


def require_known(given: QueryParams, allowed: list[str]) -> None:
    """PermuError unknown_parameter for a parameter that is not allowed."""
    for name in given:
        if name not in allowed:
            shown = ", ".join(allowed)
            raise PermuError(
                "unknown_parameter",
                f"unknown parameter {name[:60]!r}: allowed here: {shown}",
                f"未知参数 {name[:60]!r}：此处可用参数：{shown}",
                parameter=name[:60],
                allowed=shown,
            )


def read(given: QueryParams, collection: Collection, bound: str) -> Question:
    """The question of a request; ``bound`` is what a cursor belongs to beside the question (the release).

    Raises:
        PermuError: ``unknown_parameter``, ``bad_parameter`` with the parameter and what is allowed.
    """
    allowed = parameters_of(collection)
    require_known(given, allowed)
    if "filter" not in given and ("filter-lang" in given or "filter-crs" in given):
        raise bad(
            "filter", "", "filter-lang and filter-crs need a filter", "filter-lang 与 filter-crs 须与 filter 同用"
        )
    page = ("f", "limit", "cursor", "crs")
    identity = tuple(sorted((k, v) for k, v in given.items() if k not in page))
    return Question(
        read_limit(given.get("limit")),
        read_cursor(given.get("cursor"), (bound, collection.id, identity)),
        read_box(given.get("bbox"), read_crs("bbox-crs", given.get("bbox-crs"))),
        read_span(given.get("datetime")),
        read_crs("crs", given.get("crs")),
        read_crs("filter-crs", given.get("filter-crs")),
        parse(given["filter"], given.get("filter-lang")) if "filter" in given else None,
        {name: given[name] for name in allowed if name not in OWN and name in given},
        identity,
    )


def read_limit(value: str | None) -> int:
    """How many features a page holds: 1 and more, above the maximum the maximum."""
    if value is None:
        return LIMIT
    if not (value.isascii() and value.isdigit() and len(value) <= 18 and int(value) >= 1):
        en, zh = f"a whole number of 1 to {MAX_LIMIT} (more is taken as {MAX_LIMIT})", f"1 至 {MAX_LIMIT} 的整数"
        raise bad("limit", value, en, zh)
    return min(int(value), MAX_LIMIT)


def read_span(value: str | None) -> tuple[datetime, datetime] | None:
    """datetime: an instant, a day, or an interval with ``..`` or nothing at an open end (RFC 3339)."""
    if value is None:
        return None
    parts = value.split("/")
    if len(parts) > 2 or (len(parts) == 1 and parts[0] in ("", "..")):
        raise _bad_time(value)
    low = _instant(parts[0], value, end=False)
    high = _instant(parts[-1], value, end=True)
    if low > high:
        raise _bad_time(value)
    return low, high


def _instant(text: str, whole: str, end: bool) -> datetime:
    if text in ("", ".."):
        return datetime.max.replace(tzinfo=UTC) if end else datetime.min.replace(tzinfo=UTC)
    try:
        if len(text) == len("2024-12-31"):
            return datetime.combine(day(text), time.max if end else time.min, UTC)
        return instant(text.replace(" ", "+")).replace(tzinfo=UTC)
    except ValueError as error:
        raise _bad_time(whole) from error


def _bad_time(value: str) -> PermuError:
    en = "RFC 3339: 2024-06-30T00:00:00Z, 2024-06-30, or an interval start/end with .. for an open end"
    zh = "须为 RFC 3339 时刻（2024-06-30T00:00:00Z）、日期，或 起/止 区间（.. 表示不限）"
    return bad("datetime", value, en, zh)


def write_cursor(row: int, bound: tuple[Any, ...]) -> str:
    """The token of the page that begins at or after a row; it belongs to one release, collection and question."""
    digest = hashlib.blake2b(repr((bound, row)).encode(), digest_size=12, person=b"permu-features")
    return base64.urlsafe_b64encode(row.to_bytes(6, "big") + digest.digest()).decode()


def read_cursor(value: str | None, bound: tuple[Any, ...]) -> int:
    """The row at or after which the page begins; 0 without a cursor. PermuError bad_parameter."""
    if value is None:
        return 0
    try:
        row = int.from_bytes(base64.b64decode(value[:_MAX_CURSOR], altchars=b"-_", validate=True)[:6], "big")
        if write_cursor(row, bound) == value:
            return row
    except (binascii.Error, ValueError, OverflowError):
        pass
    en = "follow the link `next` of the page before, with the same release and the same question"
    raise bad("cursor", value, en, "请使用上一页的 next 链接（同一版本、同一查询）")
