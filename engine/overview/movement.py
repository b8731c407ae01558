"""Who moved from which grade to which between two releases of one policy, whole: entered, left and ungraded too."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine.compare_bands import band
from engine.query.board import Board
from engine.query.selection import Group
from engine.schema.columns import GRADES

UNGRADED, OUTSIDE, ABSENT = "ungraded", "outside", "absent"


def movement(before: Board, after: Board, group: Group, least: int = 1) -> dict[str, Any]:
    """``links`` {from, to, count} between the ``states`` of two years, with how many hold each state ``before`` and
    ``after``; links of fewer than ``least`` are left out and counted as ``hidden``.

    A state is a grade; under a policy that grades nobody, a band of the rank by its default metric within the group.
    Besides: ``ungraded`` (no grade or rank), ``outside`` (in the release, not in the group asked) and ``absent`` (not
    in the release). Who is in the group in neither year is not counted.
    """
    graded = all(_graded(b) for b in (before, after))
    one, two = (_states(b, group, graded, name) for b, name in ((before, "from"), (after, "to")))
    paired = one.join(two, on="enterprise_id", how="full", coalesce=True)
    paired = paired.with_columns(pl.col("from", "to").fill_null(ABSENT))
    out = pl.col("from", "to").is_in([ABSENT, OUTSIDE])
    counted = paired.filter(~pl.all_horizontal(out)).group_by("from", "to").len("count")
    order = _order(after, graded)
    links = sorted(counted.to_dicts(), key=lambda x: (order.index(x["from"]), order.index(x["to"])))
    return {
        "kind": "grade" if graded else "band",
        "by": None if graded else after.metric(None),
        "states": [
            {"state": s, **{side: sum(x["count"] for x in links if x[key] == s) for side, key in _SIDES}}
            for s in order
            if any(s in (x["from"], x["to"]) for x in links)
        ],
        "links": [x for x in links if x["count"] >= least],
        "hidden": sum(x["count"] for x in links if x["count"] < least),
    }


_SIDES = (("before", "from"), ("after", "to"))


def _graded(board: Board) -> bool:
    return "grade" in board.table.columns and board.table["grade"].is_in(list(GRADES)).any()


def _order(board: Board, graded: bool) -> list[str]:
    bands = list(GRADES) if graded else bands_of(board)
    return [*bands, UNGRADED, OUTSIDE, ABSENT]


def bands_of(board: Board) -> list[str]:
    """The names of the rank bands of a release's policy, best first."""
    ranks = pl.DataFrame({"rank": range(1, 101)})
    named = ranks.select(band(pl.col("rank"), pl.lit(100), board.release.pack.policy.bottom_percent))
    return named.to_series().unique(maintain_order=True).to_list()


def _states(board: Board, group: Group, graded: bool, name: str) -> pl.DataFrame:
    """``enterprise_id`` and state of everybody in a release."""
    table, rows = board.table, board.members(group)
    inside = pl.int_range(pl.len()).is_in(pl.Series(rows).implode())
    if graded:
        state = pl.when(pl.col("grade").is_in(list(GRADES))).then("grade")
        held = table.select("enterprise_id", inside.alias("in"), state.alias("state"))
    else:
        held = table.select("enterprise_id", inside.alias("in")).with_columns(_banded(board, group))
    shown = pl.when("in").then(pl.col("state").fill_null(UNGRADED)).otherwise(pl.lit(OUTSIDE))
    return held.select("enterprise_id", shown.alias(name))


def _banded(board: Board, group: Group) -> pl.Series:
    """The rank band of everybody in the group; null for the others."""
    standing = board.standing(group, board.metric(None))
    ranked = pl.DataFrame({"rank": standing.rank}).select(
        band(pl.col("rank").cast(pl.Int64), pl.lit(standing.of), board.release.pack.policy.bottom_percent)
    )
    every = pl.Series("state", [None], dtype=pl.String).new_from_index(0, board.table.height)
    return every.scatter(standing.rows, ranked.to_series())
