"""A header that is one column short: one header cell is missing, so names stand over their neighbours' values.

Seen in land-supply exports: 行业分类 over "50" (the years of use) and an unnamed column with the industries beside it.
The names are moved by one column only where the values then fit clearly better, and the move is recorded.
"""

from __future__ import annotations

import re

from ingest.declarations import Table
from ingest.headers import Index, fold
from ingest.table import Column, Rows
from ingest.values import EMPTY_MARKS, Empty, parse_date, parse_period, parse_share, plain_number

_WORDS = [
    ("date", re.compile(r"日期|时间$|date$")),
    ("number", re.compile(r"面积|金额|价格|价款|年限|数量|人数|容积率|收入|税$|额$|量$|率$|amount|area|price|number of")),
    ("code", re.compile(r"号$|号码$|代码$|编码$|code$")),
    ("text", re.compile(r"名称|人$|地址|位置|坐落|来源|用途|方式|分类|类别|类型|性质|级别|单位$|所在地|行业|说明|name$|type$")),
]  # fmt: skip
_FIELD_KINDS = {
    "date": "date", "period": "period", "amount": "number", "number": "number", "share": "share", "uscc": "code",
    "org_code": "code", "reg_no": "code", "permit": "code", "parcel": "code", "account": "code", "region": "code",
    "name": "text",
}  # fmt: skip
_CLEARLY, _MOSTLY = 0.5, 0.6
_TESTED_ROWS = 300


def repair(columns: list[Column], index: Index, data: Rows) -> tuple[list[Column], str]:
    """The columns with names moved where one header cell is missing, and what was done ("" where nothing was)."""
    filled = [i for i, c in enumerate(columns) if not c.texts and _share_filled(data, i) >= _MOSTLY]
    if not filled:
        return columns, ""
    best = (_CLEARLY, columns, "")
    base = {i: _fit(columns[i], index, data, i) for i in range(len(columns))}
    for empty in filled:
        for start in range(empty - 1, -1, -1):
            if not columns[start].texts:
                break
            moved = range(start, empty)
            gain = sum(_fit(columns[i], index, data, i + 1) - base[i] for i in moved)
            if gain > best[0] + 1e-9:
                best = (gain, _moved(columns, start, empty), _told(columns, start, empty))
    return best[1], best[2]


def _moved(columns: list[Column], start: int, empty: int) -> list[Column]:
    out = list(columns)
    out[start] = Column(start)
    for i in range(start, empty):
        out[i + 1] = Column(i + 1, columns[i].texts, columns[i].own)
    return out


def _told(columns: list[Column], start: int, empty: int) -> str:
    names = ", ".join(c.label for c in columns[start:empty])
    return f"header one column short: {names} moved one column to the right; column {start + 1} has no name"


def _share_filled(data: Rows, column: int) -> float:
    return len(_values(data, column)) / max(1, len(data))


def _values(data: Rows, column: int) -> list[str]:
    cells = [r[column] for r in data[:_TESTED_ROWS] if column < len(r)]
    return [c for c in cells if c and c.lower() not in EMPTY_MARKS]


def _fit(column: Column, index: Index, data: Rows, at: int) -> float:
    """From −1 (no value is of the kind that the header says) to 1 (all are); 0 where the header says nothing."""
    kind = _kind(column, index)
    values = _values(data, at)
    if kind is None or not values:
        return 0.0
    return 2 * sum(_is(kind, v) for v in values) / len(values) - 1


def _kind(column: Column, index: Index) -> str | None:
    for text in column.texts:
        for match in index.matches(text):
            if kind := _field_kind(index.table, match.field):
                return kind
    folded = fold(re.sub(r"[(（\[【].*?[)）\]】]", "", column.label))
    return next((kind for kind, words in _WORDS if words.search(folded)), None)


def _field_kind(table: Table, name: str) -> str | None:
    return _FIELD_KINDS.get(table.fields[name].type)


def _is(kind: str, text: str) -> bool:
    number = plain_number(text)
    if kind in ("date", "period"):
        return _dated(kind, text)
    if kind == "number":
        return number is not None
    if kind == "share":
        return parse_share(text, 1) is not None  # type: ignore[arg-type]
    if kind == "code":
        return any(c.isdigit() for c in text) and len(text) >= 4
    return number is None and not _dated("date", text)


def _dated(kind: str, text: str) -> bool:
    try:
        return (parse_period(text, 2000) if kind == "period" else parse_date(text)) is not None
    except Empty:
        return True
