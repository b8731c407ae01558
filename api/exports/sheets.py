"""The sheets of a workbook: one for the whole table, or one for each bottom list, with a name that spreadsheets take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from api.exports.table import Part, Sheet
from api.exports.words import FLAGS, worded
from engine.schema.codes import industry_name, region_name, zone_name
from engine.schema.columns import DIMENSION_TITLES, GRADES, SCALE_GROUPS, SIZES, column
from engine.schema.errors import PermuError

MOST_SHEETS = 255  # beyond that no one finds a sheet again
LONGEST_NAME = 31
_ILLEGAL = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_IN_GROUPINGS = ("industry_2", "region_county", "size", "industry_region_size")
_WORDS = {"size": SIZES, "scale_group": SCALE_GROUPS, "grade": GRADES}


@dataclass(frozen=True)
class Page:
    """A sheet of the workbook without its rows: what it is called, of which group, its columns, how many rows."""

    name: str
    group: str  # in words; empty for the whole table
    of: int | None
    rows: int
    columns: tuple[str, ...]
    text: tuple[bool, ...]


def shown(sheet: Sheet) -> list[str]:
    """The columns of the spreadsheet: the row, the indicators, and the asked metric's rank in four groupings."""
    names = sheet.frame.columns
    ranks = [f"{k}__{sheet.metric}__{g}" for g in _IN_GROUPINGS for k in ("rank", "of")]
    plain = [n for n in names if not n.startswith(("rank__", "of__")) and n not in ("flags", "release_id")]
    empty = [n for n in ("score", "grade") if n in plain and sheet.frame[n].null_count() == sheet.frame.height]
    return [
        *(n for n in plain if n not in empty),
        *(n for n in (*ranks, "flags", "release_id") if n in names),
    ]


def pages(sheet: Sheet, lang: str, split: bool) -> list[tuple[Page, pl.DataFrame]]:
    """Each sheet with its rows, in the reader's words; ``split``: one for each bottom list that has rows."""
    frame = sheet.frame.select(shown(sheet)).with_columns(_worded(sheet.frame, lang))
    text = tuple(t == pl.String for t in frame.dtypes)
    parts = [p for p in sheet.parts if p.rows] if split else []
    if not parts:
        name = "排名" if lang == "zh" else "Ranking"
        return [(Page(name, "", None, frame.height, tuple(frame.columns), text), frame)]
    if len(parts) > MOST_SHEETS:
        raise _too_many(len(parts))
    groups = [group_words(p, lang) for p in parts]
    return [
        (Page(name, group, p.of, p.rows, tuple(frame.columns), text), frame[p.start : p.start + p.rows])
        for p, group, name in zip(parts, groups, legal_names(groups, RESERVED), strict=True)
    ]


RESERVED = (
    "目录",
    "说明",
    "Contents",
    "Notes",
    "History",
)  # our own, and the one that spreadsheets keep for themselves


def _worded(frame: pl.DataFrame, lang: str) -> list[pl.Series]:
    """Size and scale group in the reader's words; a Chinese sheet does not say ``small``."""
    pick = 0 if lang == "zh" else 1
    found = {n: words for n, words in (("size", SIZES), ("scale_group", SCALE_GROUPS)) if n in frame.columns}
    plain = [frame[n].replace({code: both[pick] for code, both in words.items()}) for n, words in found.items()]
    return [*plain, *([_flags(frame["flags"])] if lang == "zh" and "flags" in frame.columns else [])]


def _flags(codes: pl.Series) -> pl.Series:
    """Marks in Chinese words; there are few combinations of them."""
    known = codes.drop_nulls().unique().to_list()
    words = ["、".join(worded(FLAGS, code) for code in text.split(",") if code) for text in known]
    return codes.replace_strict(known, words, default=None, return_dtype=pl.String)


def group_words(part: Part, lang: str) -> str:
    """A bottom list's group in words: ``26 化学原料和化学制品制造业 · 320507 相城区 · 小型``."""
    if not part.key:
        return "全部" if lang == "zh" else "All"
    return " · ".join(_value_words(name, code, lang) for name, code in part.key.items())


def _value_words(dimension: str, code: str | None, lang: str) -> str:
    pick = 0 if lang == "zh" else 1
    if code is None:
        title = DIMENSION_TITLES.get(dimension, (dimension, dimension))[pick]
        return f"{title}不详" if pick == 0 else f"{title} unknown"
    if dimension in _WORDS:
        word = _WORDS[dimension].get(code, (code, code))[pick]
        return f"{code} {word}" if dimension == "grade" else word
    named = zone_name if dimension == "zone" else region_name if dimension.startswith("region") else industry_name
    return f"{code} {named(code) or ''}".strip()


def legal_names(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names of at most 31 characters without what spreadsheets refuse, no two alike whatever their case."""
    used, names = {t.casefold() for t in taken}, []
    for text in wanted:
        plain = _ILLEGAL.sub("", text).strip().strip("'").strip() or "-"
        name, n = plain[:LONGEST_NAME].rstrip("'"), 1
        while name.casefold() in used:
            n += 1
            name = plain[: LONGEST_NAME - len(str(n)) - 2] + f"({n})"
        used.add(name.casefold())
        names.append(name)
    return names


def titles(page: Page, lang: str) -> list[tuple[str, str]]:
    """Of each column its title, in the asked language over the other one, and its unit."""
    other = "en" if lang == "zh" else "zh"
    columns = [column(n) for n in page.columns]
    return [(f"{c.title(lang)}\n{c.title(other)}", c.unit(lang) or "–") for c in columns]


def _too_many(groups: int) -> PermuError:
    return PermuError(
        "bad_parameter",
        f"sheets='group': {groups} groups are more than {MOST_SHEETS} sheets: group by less, or leave sheets out (one "
        "sheet then holds every list)",
        f"sheets='group'：共 {groups} 组，超出 {MOST_SHEETS} 个工作表：请减少分组，或去掉 sheets（全部名单放在一张表中）",
        parameter="sheets",
        allowed=f"group, for at most {MOST_SHEETS} groups",
    )
