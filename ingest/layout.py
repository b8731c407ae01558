"""Tables laid out otherwise, where the declaration allows it: a column for each month, or a row for each kind of tax.

``wide: power_wh`` says that columns named as months (1月 … 12月, 2024-01, 一月用电量) hold that amount: every filled cell is a
record, and the months become sheets of their own (``Sheet1 1月``), so that a row number still leads to its cell.
``long: {kind: [税种], value: [金额]}`` says that a row names its tax: its amount goes to the field of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from ingest.columns import clean
from ingest.declarations import Table
from ingest.headers import Index, Match, bracketed, fold, normal
from ingest.map_use import Use
from ingest.read.sheet import Sheet
from ingest.reshape import Change, changed

_CHINESE = {
    m: i
    for i, m in enumerate(
        ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"], 1
    )
}
_MONTH = re.compile(r"^(?:(20\d\d)年?)?(1[0-2]|0?[1-9])月份?$|^(20\d\d)(1[0-2]|0[1-9])$")
_AMOUNT = re.compile(r"[+-]?(?:\d+\.\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?)")
_YEAR_MONTH = re.compile(r"20\d\d\.\d{1,2}")
_BRACKET = re.compile(r"[(（\[【].*?[)）\]】]")
_LEAST, _LONGEST = 2, 12


@dataclass(frozen=True)
class Month:
    """A column of a wide table: its place, and the month (with the year where the header states one)."""

    column: int
    month: int
    year: int | None
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Kinds:
    """The two columns of a long table."""

    kind: int
    value: int
    value_texts: tuple[str, ...]


def months(index: Index, columns: list[tuple[int, list[str]]]) -> list[Month]:
    """The columns named as months; [] where the declaration has no ``wide`` or fewer than two are there."""
    name = index.table.wide
    if name is None:
        return []
    words = sorted({fold(h) for h in index.table.fields[name].headers}, key=len, reverse=True)
    found: dict[tuple[int | None, int], Month] = {}
    for at, texts in columns:
        month = next((m for text in texts if (m := _month(text, words))), None)
        if month:
            found.setdefault(month, Month(at, month[1], month[0], tuple(texts)))
    return sorted(found.values(), key=lambda m: m.column) if len(found) >= _LEAST else []


def month_named(text: str) -> tuple[int | None, int] | None:
    """(year, month) of a text that is nothing but a month: 1月, 2024-01, 一月."""
    return _month(text, []) if len(text) <= _LONGEST else None


def _month(text: str, words: list[str]) -> tuple[int | None, int] | None:
    if _AMOUNT.fullmatch(said := normal(text).strip()) and not _YEAR_MONTH.fullmatch(said):
        return None  # 20.4901 and 204,901 are amounts of a first row, not January of 2049
    folded = fold(_BRACKET.sub("", said))
    readings = [folded, *(folded.replace(word, "", 1) for word in words if word and word in folded)]
    return next((month for reading in readings if (month := _bare_month(reading))), None)


def _bare_month(folded: str) -> tuple[int | None, int] | None:
    if folded in _CHINESE:
        return None, _CHINESE[folded]
    found = _MONTH.match(folded)
    if found is None:
        return None
    year = found[1] or found[3]
    return (int(year) if year else None), int(found[2] or found[4])


def kinds(table: Table, columns: list[tuple[int, list[str]]]) -> Kinds | None:
    """The columns that name the kind and hold the amount; None where they are not both there."""
    if table.long is None:
        return None
    kind = _named(columns, table.long.kind)
    value = _named(columns, table.long.value)
    if kind is None or value is None or kind[0] == value[0]:
        return None
    return Kinds(kind[0], value[0], tuple(value[1]))


def _named(columns: list[tuple[int, list[str]]], headers: list[str]) -> tuple[int, list[str]] | None:
    wanted = [fold(h) for h in headers]
    known = {fold(_BRACKET.sub("", normal(t))): (at, texts) for at, texts in reversed(columns) for t in texts}
    return next((known[w] for w in wanted if w in known), None)


def stated_unit(texts: tuple[str, ...]) -> str | None:
    """The unit in the brackets of a header."""
    return next((unit for text in texts for unit in bracketed(text)), None)


# --- the sheets -----------------------------------------------------------------------------------------------


def month_sheets(sheet: Sheet, found: list[Month], header_rows: int) -> Iterator[tuple[Month, Sheet]]:
    """For each month the rows that have a value in its column; rows without any, and what stands above, in the first."""
    places = [f"c{m.column}" for m in found]
    for number, month in enumerate(found):
        name = f"{sheet.name} {month.month}月".strip()
        yield month, changed(sheet, _rows_of(places, number, header_rows), name)


def _rows_of(places: list[str], number: int, header_rows: int) -> Change:
    def rows(cells: pl.DataFrame) -> pl.DataFrame:
        empty = {p: clean(cells[p]).is_null() for p in places}
        mine = ~empty[places[number]] & (cells["row"] > header_rows)
        if number == 0:
            none = pl.select(pl.all_horizontal(list(empty.values()))).to_series()
            mine = mine | none | (cells["row"] <= header_rows)
        return cells.filter(mine)

    return rows


def spread(sheet: Sheet, found: Kinds, index: Index, uses: dict[str, Use]) -> tuple[Sheet, dict[str, Use]]:
    """The sheet with a column for each amount: filled in the rows of its kind. A kind nobody knows fails as a number."""
    names = [n for n, f in index.table.fields.items() if f.type == "amount"]
    start = len(sheet.columns)

    def change(cells: pl.DataFrame) -> pl.DataFrame:
        values = cells[f"c{found.value}"]
        which = clean(cells[f"c{found.kind}"])
        texts = which.unique().drop_nulls().to_list()
        place = {t: _field(index, t, names) for t in texts}
        at = which.replace_strict(list(place), list(place.values()), default=-1, return_dtype=pl.Int32).fill_null(-1)
        columns = [values.set(at != i, None).rename(f"c{start + i}") for i in range(len(names))]
        told = pl.select(pl.concat_str(pl.lit("？"), which.fill_null("")).alias("told")).to_series()
        columns[0] = columns[0].zip_with(at >= 0, told).rename(f"c{start}")
        geometry = [c for c in cells.columns if c == "geometry"]
        return cells.drop(geometry).with_columns(columns)

    moved = {n: replace(uses[n], index=start + i) for i, n in enumerate(names) if n in uses}
    return changed(sheet, change), uses | moved


def _field(index: Index, kind: str, names: list[str]) -> int:
    """The amount that a kind's text names, by the declared headers; −1 where none."""
    match = next((m for m in index.matches(kind) if m.field in names), None)
    return names.index(match.field) if match else -1


def value_matches(index: Index, unit: str | None) -> dict[str, Match]:
    """Every amount of a long table, as if its column had been found."""
    return {n: Match(n, 0, 0, unit) for n, f in index.table.fields.items() if f.type == "amount"}
