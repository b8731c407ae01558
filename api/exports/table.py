"""The table of an export, column by column from a board: the contract's row with its ranks spread out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.query import Board, Selection
from engine.query.bottom import bottom_rows
from engine.query.cursor import read as place_of
from engine.query.page import ordered
from engine.query.rows import ranked_columns
from engine.query.standing import Ordered
from engine.schema.codes import industry_name, region_name
from engine.schema.columns import ROW

_AT_ONCE = 8  # columns between two looks at the memory that mapped files take


@dataclass(frozen=True)
class Part:
    """One bottom list within a table: its group, ``of`` with a value there, its rows."""

    key: dict[str, str | None]
    of: int
    start: int
    rows: int


@dataclass(frozen=True)
class Sheet:
    """A table to write: columns of the dictionary, the metric asked, rows that the question has in all."""

    frame: pl.DataFrame
    metric: str
    total: int
    kind: str  # ranking | bottom | comparison | simulation | robustness
    parts: tuple[Part, ...] = ()  # of a bottom sheet: its lists


def _named(codes: pl.Series, name: Callable[[str], str | None]) -> pl.Series:
    known = codes.drop_nulls().unique().to_list()
    return codes.replace_strict(known, [name(c) for c in known], default=None, return_dtype=pl.String)


def _gathered(board: Board, names: list[str], rows: pl.Series) -> pl.DataFrame:
    """Rows of a table that is mapped: a few rows in each page touch all of it, so pages are given back between columns."""
    parts = []
    for start in range(0, len(names), _AT_ONCE):
        parts.append(board.table.select(pl.col(names[start : start + _AT_ONCE]).gather(rows)))
        if board.served is not None:
            board.served.tidy()
    return pl.concat(parts, how="horizontal")


def table(board: Board, found: Ordered, of: np.ndarray, metric: str) -> pl.DataFrame:
    """These rows with rank, of and percentile of the asked group, then indicators, then stored ranks."""
    names = [c for c in ROW[3:] if not c.endswith("_name") or c == "name"]
    pairs = [f"{k}__{m}__{g}" for m, groups in ranked_columns(board).items() for g in groups for k in ("rank", "of")]
    wanted = list(dict.fromkeys([*names, *board.indicators, metric, *board.parts, "flags", *pairs]))
    known = [c for c in wanted if c in board.table.columns]
    frame = _gathered(board, known, pl.Series(found.rows))
    frame = frame.with_columns(
        rank=pl.Series(found.rank, dtype=pl.Int32).replace(0, None),
        of=pl.Series(of, dtype=pl.Int32),
        release_id=pl.lit(board.release_id),
        industry_name=_named(frame["industry_code"], industry_name),
        region_name=_named(frame["region_code"], region_name),
    )
    above, below = (pl.col("of") - pl.col("rank")) * 100, pl.col("of") - 1
    frame = frame.with_columns(percentile=pl.when(below > 0).then(above / below))
    order = [
        c for c in [*ROW, *board.indicators, metric, *board.parts, "flags", *pairs, "release_id"] if c in frame.columns
    ]
    return frame.select(list(dict.fromkeys(order)))


@dataclass(frozen=True)
class Rows:
    """The rows of a question, each with rank and ``of`` in its group; their columns are made when asked, in slices."""

    board: Board
    rows: np.ndarray
    rank: np.ndarray
    of: np.ndarray
    metric: str
    total: int
    kind: str
    parts: tuple[Part, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self.rows.nbytes + self.rank.nbytes + self.of.nbytes) + 200 * (len(self.parts) + 1)

    def frame(self, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        """The table of some rows; bottom lists have the codes of their group in front."""
        cut = slice(start, stop)
        frame = table(self.board, Ordered(self.rows[cut], self.rank[cut], 0), self.of[cut], self.metric)
        keys = self._keys(cut)
        return frame.with_columns(**keys).select(*keys, *frame.columns)

    def _keys(self, cut: slice) -> dict[str, pl.Series]:
        if not self.parts:
            return {}
        number = pl.Series(np.repeat(np.arange(len(self.parts), dtype=np.uint32), [p.rows for p in self.parts])[cut])
        names = self.parts[0].key
        return {f"within_{n}": pl.Series([p.key[n] for p in self.parts], dtype=pl.String).gather(number) for n in names}

    def sheet(self) -> Sheet:
        """All of them as one table."""
        return Sheet(self.frame(), self.metric, self.total, self.kind, self.parts)


def ranking_rows(board: Board, selection: Selection) -> Rows:
    """A ranking from the cursor on, up to the limit; without a limit, every row."""
    metric = board.metric(selection.by)
    found, start = ordered(board, selection), place_of(board, selection)
    cut = slice(start, None if selection.limit is None else start + selection.limit)
    rows, rank = found.rows[cut], found.rank[cut]
    return Rows(board, rows, rank, np.full(len(rows), found.of), metric, len(found.rows), "ranking")


def bottom_list_rows(board: Board, selection: Selection, **asked: Any) -> Rows:
    """Every bottom list of a question, one below the other, each row with the codes of its group."""
    lists = bottom_rows(board, selection, **asked)
    sizes = [len(found.rows) for _, found in lists]
    rows = np.concatenate([found.rows for _, found in lists] or [np.empty(0, np.uint32)])
    rank = np.concatenate([found.rank for _, found in lists] or [np.empty(0, np.int32)])
    of = np.repeat([found.of for _, found in lists], sizes)
    starts = np.cumsum([0, *sizes])
    parts = tuple(Part(key, o.of, int(at), len(o.rows)) for (key, o), at in zip(lists, starts[:-1], strict=True))
    return Rows(board, rows, rank, of, board.metric(selection.by), sum(sizes), "bottom", parts)


def ranking_sheet(board: Board, selection: Selection) -> Sheet:
    """:func:`ranking_rows` as one table."""
    return ranking_rows(board, selection).sheet()


def bottom_sheet(board: Board, selection: Selection, **asked: Any) -> Sheet:
    """:func:`bottom_list_rows` as one table."""
    return bottom_list_rows(board, selection, **asked).sheet()
