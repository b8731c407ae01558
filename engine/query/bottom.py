"""Bottom lists: the last p per cent or the last N of a group, or of every group within it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from engine.query import rows
from engine.query.board import Board
from engine.query.page import kept
from engine.query.selection import Selection
from engine.query.standing import Ordered
from engine.schema.errors import PermuError

DEFAULT_PERCENT = Fraction(5)
Key = dict[str, str | None]


@dataclass(frozen=True)
class BottomGroup:
    """One bottom list: ``key`` dimension → code, ``of`` with a value in that group, rows worst first."""

    key: Key
    of: int
    rows: list[dict[str, Any]]


def standings(board: Board, members: np.ndarray, metric: str, within: tuple[str, ...]) -> pl.DataFrame:
    """Every member that has a value: its codes, ``row``, ``rank`` in its own group, ``of``, and ``from_last``
    (1 = none is worse; ties share it)."""
    frame = board.keyed(members, within).with_columns(value=board.column(metric).gather(members))
    usable = frame.filter(pl.col("value").is_finite())
    value, keys = pl.col("value"), [pl.col(n) for n in within] or [pl.lit(0)]
    return usable.with_columns(
        rank=value.rank("min", descending=True).over(keys).cast(pl.Int64),
        from_last=value.rank("min").over(keys).cast(pl.Int64),
        of=pl.len().over(keys).cast(pl.Int64),
    )


def cut(percent: Fraction | None, count: int | None) -> pl.Expr:
    """Which rows of :func:`standings` are in the list: rank·100 > (100 − p)·of in integers, or the last ``count``
    with all that tie with the first of them."""
    if count is not None:
        return pl.col("from_last") <= count
    share = 100 - (percent or DEFAULT_PERCENT)
    return pl.col("rank") * (100 * share.denominator) > pl.col("of") * share.numerator


def _counted(board: Board, members: np.ndarray, metric: str, within: tuple[str, ...]) -> pl.DataFrame:
    """Every group with its ``of``, also those where nobody has a value; codes in order, unknown (null) last."""
    usable = pl.col("value").is_finite().fill_null(False)
    frame = board.keyed(members, within).with_columns(value=board.column(metric).gather(members))
    if not within:
        return frame.select(of=usable.sum().cast(pl.Int64))
    return frame.group_by(within).agg(of=usable.sum().cast(pl.Int64)).sort(within, nulls_last=True)


def bottom_rows(
    board: Board,
    selection: Selection,
    *,
    percent: Fraction | None = None,
    count: int | None = None,
    within: tuple[str, ...] = (),
) -> list[tuple[Key, Ordered]]:
    """Every bottom list as row numbers and ranks, worst first: what exports and JSON are both made of."""
    if percent is not None and count is not None:
        raise PermuError(
            "bad_parameter",
            "percent and count were both given: ask for one of them",
            "percent 与 count 不能同时使用：请只选其一",
            parameter="count",
            allowed="percent or count, not both",
        )
    metric, members = board.metric(selection.by), board.members(selection.members)
    listed = standings(board, members, metric, within).filter(cut(percent, count))
    listed = listed.filter(pl.Series(kept(board, selection, listed["row"].to_numpy())))
    listed = listed.sort([*within, "rank", "row"], descending=[*[False] * len(within), True, False], nulls_last=True)
    return list(_split(listed, _counted(board, members, metric, within), within))


def _split(listed: pl.DataFrame, groups: pl.DataFrame, within: tuple[str, ...]) -> Iterator[tuple[Key, Ordered]]:
    """The sorted rows cut into their groups, empty groups among them."""
    numbers, ranks = listed["row"].to_numpy(), listed["rank"].cast(pl.Int32).to_numpy()
    sizes = [listed.height]
    if within:
        held = listed.group_by(within).len()
        joined = groups.join(held, on=within, how="left", nulls_equal=True, maintain_order="left")
        sizes = joined["len"].fill_null(0).to_list()
    start = 0
    for line, size in zip(groups.iter_rows(named=True), sizes, strict=True):
        part = slice(start, start + size)
        yield {name: line[name] for name in within}, Ordered(numbers[part], ranks[part], line["of"])
        start += size


def bottom(board: Board, selection: Selection, **asked: Any) -> list[BottomGroup]:
    """The bottom lists of the group asked (``percent``, ``count``, ``within`` as in :func:`bottom_rows`)."""
    metric = board.metric(selection.by)
    lists = bottom_rows(board, selection, **asked)
    whole = np.concatenate([found.rows for _, found in lists]) if lists else np.empty(0, dtype=np.uint32)
    ranks = [rank for _, found in lists for rank in found.ranks()]
    ofs = [found.of for _, found in lists for _ in found.rows]
    built = iter(rows.build(board, whole, ranks, ofs, metric))
    return [BottomGroup(key, found.of, [next(built) for _ in found.rows]) for key, found in lists]
