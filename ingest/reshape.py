"""Sheets made from sheets: a column with another standing in for it; columns named as months; rows that name their tax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from ingest.columns import clean
from ingest.read.sheet import Sheet

Change = Callable[[pl.DataFrame], pl.DataFrame]


def changed(sheet: Sheet, change: Change, name: str | None = None) -> Sheet:
    """``sheet`` with every batch changed; rows keep their numbers."""

    def read() -> Iterator[pl.DataFrame]:
        for cells in sheet.read():
            yield change(cells)

    return replace(sheet, read=read, sample=change(sheet.sample), name=sheet.name if name is None else name)


def with_stand_ins(sheet: Sheet, stand_in: dict[int, list[int]]) -> Sheet:
    """Column → the columns whose values are taken, in order, where it is empty (or holds an empty mark)."""

    def change(cells: pl.DataFrame) -> pl.DataFrame:
        filled = []
        for first, others in stand_in.items():
            own = cells[f"c{first}"]
            known = [own.set(clean(own).is_null(), None), *(clean(cells[f"c{o}"]) for o in others)]
            filled.append(pl.select(pl.coalesce(known)).to_series().rename(f"c{first}"))
        return cells.with_columns(filled)

    return changed(sheet, change) if stand_in else sheet
