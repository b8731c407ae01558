"""Why one policy grades an enterprise otherwise than another over the same facts: which part of the rules does it.

From policy A to policy B, one part at a time::

    scope        evaluated under one of them only
    group        A's scores placed in B's group (its level, its scale group)
    items        B's own scores there: indicators, weights, bases, forms, missing rules, extras
    shares       B's shares in place of A's
    adjustments  what either policy does to a grade after the quota
"""

from __future__ import annotations

import polars as pl

from engine.policy.model import Policy
from engine.policy.scoring import Share
from engine.ranking.ranks import GROUPINGS

PARTS = ("scope", "group", "items", "shares", "adjustments")


def policy_parts(before: pl.DataFrame, after: pl.DataFrame, a: Policy, b: Policy) -> pl.DataFrame:
    """``enterprise_id policy_part``: the part that moved the grade furthest, null where the grades are the same.

    ``before`` and ``after`` are rankings tables of the same facts under ``a`` and ``b``; both must grade.
    """
    chosen = ("enterprise_id", "score_e10", "score_group", "grade_rank", "grade_of", "grade_initial", "grade")
    place = pl.coalesce(pl.lit(None, dtype=pl.String), *(_key(level, after) for level in _levels(after)))
    theirs = after.with_columns(key=place).select(*chosen, "grade_within", "key")
    rows = before.select(chosen).join(theirs, on="enterprise_id", suffix="_b")
    both = pl.col("grade_rank").is_not_null() & pl.col("grade_rank_b").is_not_null()
    cell = ("score_group_b", "grade_within", "key")
    value = pl.when(both).then("score_e10")
    rows = rows.with_columns(
        rank_there=value.rank("min", descending=True).over(cell), of_there=value.count().over(cell), both=both
    )
    grades = {
        "0": pl.col("grade_initial"),
        "group": _graded(a, "score_group", pl.col("rank_there"), pl.col("of_there")),
        "items": _graded(a, "score_group", pl.col("grade_rank_b"), pl.col("grade_of_b")),
        "shares": pl.col("grade_initial_b"),
    }
    rows = rows.with_columns(**{f"level_{n}": _level(a, b, g) for n, g in grades.items()})
    return rows.select(
        "enterprise_id", policy_part=pl.when(pl.col("grade").ne_missing(pl.col("grade_b"))).then(_part())
    )


def _part() -> pl.Expr:
    steps = [("group", "0", "group"), ("items", "group", "items"), ("shares", "items", "shares")]
    moves = {n: (pl.col(f"level_{new}") - pl.col(f"level_{old}")).abs().fill_null(0) for n, old, new in steps}
    most = pl.max_horizontal(*moves.values())
    named = pl.coalesce(*(pl.when((move == most) & (most > 0)).then(pl.lit(n)) for n, move in moves.items()))
    inside = pl.coalesce(
        pl.when(pl.col("grade_initial").eq_missing(pl.col("grade_initial_b"))).then(pl.lit("adjustments")),
        named,
        pl.lit("adjustments"),
    )
    return pl.when(pl.col("both")).then(inside).otherwise(pl.lit("scope"))


def _levels(table: pl.DataFrame) -> list[str]:
    return sorted(table["grade_within"].drop_nulls().unique().to_list())


def _key(level: str, table: pl.DataFrame) -> pl.Expr:
    (column,) = GROUPINGS[level]
    value = pl.col(column) if column in table.columns else pl.lit("")
    return pl.when(pl.col("grade_within") == level).then(value)


def _graded(policy: Policy, group_column: str, rank: pl.Expr, of: pl.Expr) -> pl.Expr:
    """The grade by the shares of the enterprise's group, in whole numbers."""
    assert policy.score is not None
    found = [
        pl.when(pl.col(group_column) == name).then(_by_shares(group.shares, rank, of))
        for name, group in policy.score.groups.items()
        if group.shares
    ]
    return pl.coalesce(pl.lit(None, dtype=pl.String), *found)


def _by_shares(shares: tuple[Share, ...], rank: pl.Expr, of: pl.Expr) -> pl.Expr:
    inside = []
    for share in shares:
        top, bottom = share.up_to_percent.as_integer_ratio()
        inside.append(pl.when(rank.cast(pl.Int64) * 100 * bottom <= of.cast(pl.Int64) * top).then(pl.lit(share.grade)))
    return pl.coalesce(*inside)


def _level(a: Policy, b: Policy, grade: pl.Expr) -> pl.Expr:
    """A grade's place among the grades of both policies, best first."""
    names: list[str] = []
    for policy in (a, b):
        for group in policy.score.groups.values() if policy.score else ():
            names += [s.grade for s in group.shares if s.grade not in names]
    return pl.coalesce(
        pl.lit(None, dtype=pl.Int64), *(pl.when(grade == name).then(pl.lit(n)) for n, name in enumerate(names))
    )
