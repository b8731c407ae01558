"""Rows below the header that are no records: totals, notes, section lines, repeated headers."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from ingest.map import Plan
from ingest.values import SPACES

TOTAL = r"(?i)^(?:合计|总计|小计|共计|累计|全部合计|合计数|总合计|total|subtotal|sub-total|grandtotal|sum)[:：]?$|(?:合计|小计|总计)[:：]?$"
_NOTE = (
    r"(?i)^(?:[（(]?注[：:0-9一二三]|注$|备注[:：]|说明[:：]|附注|资料来源|数据来源|摘编自|摘自|填表|制表|审核|复核|填报|报表|单位负责|统计负责|负责人|经办|"
    r"联系(?:人|电话)|打印|导出|第\d+页|共\d+页|以上|以下|note|source|※|★|\*)"
)
_SECTION = r"^(?:[一二三四五六七八九十]+[、.．]|[（(][一二三四五六七八九十]+[)）])"
_KEYS = ("uscc", "org_code", "reg_no", "permit", "account", "parcel")
_LONG = 40


def is_furniture(plan: Plan, cells: pl.DataFrame, values: dict[str, pl.Series]) -> np.ndarray:
    """Which of these rows (cells and their typed values) are furniture; asked only of rows that look like no record."""
    names = [c for c in cells.columns if c != "row"]
    packed = [pl.col(n).str.replace_all(rf"[\s{SPACES}]+", "").replace("", None) for n in names]
    texts = cells.select(packed)
    head = texts.select(
        pl.coalesce(names).alias("first"), pl.sum_horizontal(pl.col(n).is_not_null() for n in names).alias("cells")
    )
    fields = plan.table.fields
    texts_used = [f"c{u.index}" for n, u in plan.uses.items() if fields[n].type in ("name", "text", *_KEYS)]
    looked = list(dict.fromkeys([*names[:3], *texts_used]))
    total = texts.select(pl.any_horizontal(pl.col(n).str.contains(TOTAL).fill_null(False) for n in looked))
    no_id = ~_has_id(plan, values, cells.height)
    note = head["first"].str.contains(_NOTE).fill_null(False).to_numpy() & _no_amount(plan, values, cells.height)
    alone = (head["cells"] == 1).to_numpy() & (len(plan.uses) >= 3)
    section = head["first"].str.contains(_SECTION).fill_null(False).to_numpy()
    long = (head["first"].str.len_chars() > _LONG).fill_null(False).to_numpy()
    found: np.ndarray = (no_id & (total.to_series().to_numpy() | note | (alone & (section | long)))) | _repeats_header(
        plan, texts
    )
    return found


def _has_id(plan: Plan, values: dict[str, pl.Series], height: int) -> np.ndarray:
    """Rows with a valid id; a total word in an id column is none."""
    found = np.zeros(height, dtype=bool)
    for name, declared in plan.table.fields.items():
        if declared.type in _KEYS and name in values:
            found |= values[name].str.contains(r"\d").fill_null(False).to_numpy()
    return found


def _no_amount(plan: Plan, values: dict[str, pl.Series], height: int) -> np.ndarray:
    held = np.zeros(height, dtype=bool)
    for name, declared in plan.table.fields.items():
        if declared.type == "amount" and name in values:
            held |= values[name].is_not_null().to_numpy()
    return ~held


def _repeats_header(plan: Plan, texts: pl.DataFrame) -> np.ndarray:
    """Rows that hold the header's own words in half or more of the mapped columns (page breaks)."""
    used = [u for u in plan.uses.values() if u.index >= 0 and u.header]
    same = [(pl.col(f"c{u.index}") == re.sub(r"\s+", "", u.header)).fill_null(False).cast(pl.Int32) for u in used]
    if len(same) < 2:
        return np.zeros(texts.height, dtype=bool)
    hits = texts.select(pl.sum_horizontal(same)).to_series().to_numpy()
    return np.asarray(hits >= max(2, len(same) / 2))
