"""Among whom an enterprise was graded: the columns of a rankings table that what-if and robustness start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.policy.model import Level, Policy, Score
from engine.ranking.groups import key_of
from engine.releases import Release
from engine.schema.errors import PermuError

# The group of the pack, the level, and the enterprise's place at it: where its grade was decided, and where its group
# is graded when no place is too small.
WITHIN, HOME = "graded_among", "graded_at_home"


@dataclass(frozen=True)
class Field:
    """One field of competitors: rows that are ranked together, and those of them whose grade this rank decides."""

    group: str
    rows: np.ndarray
    decided: np.ndarray  # places in ``rows``


def scored(release: Release) -> Score:
    """The composite of the release's pack; PermuError no_composite where it has none."""
    score = release.pack.policy.score
    if score is None:
        raise PermuError(
            "no_composite",
            f"release {release.id}: policy {release.pack.policy.id} ranks each indicator on its own, without weights or "
            "grades, so there is nothing to vary; name a policy with a score (--policy, `permu policy list`)",
            f"发布 {release.id}：办法 {release.pack.policy.id} 各指标单独排名，无权重与等级，不适用本命令；"
            "请用 --policy 指定设有综合分的办法（permu policy list）",
        )
    return score


def graded(table: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """``table`` with ``score_group grade_rank grade_of grade_within``, :data:`WITHIN` and :data:`HOME`.

    The latter are null for who has no rank.

    Tables of releases made before a pack could have several groups get them from the one level they were graded at.
    """
    assert policy.score is not None
    if "grade_rank" not in table.columns:
        group, of = next(iter(policy.score.groups.items()))
        ranked = pl.col(f"rank__score__{of.graded_within}").is_not_null()
        table = table.with_columns(
            score_group=pl.when(ranked).then(pl.lit(group)),
            grade_rank=pl.col(f"rank__score__{of.graded_within}"),
            grade_of=pl.when(ranked).then(pl.col(f"of__score__{of.graded_within}")),
            grade_within=pl.when(ranked).then(pl.lit(of.graded_within)),
        )
    home = {name: g.graded_within for name, g in policy.score.groups.items()}
    pairs = table.select("score_group", "grade_within").unique().drop_nulls().sort(pl.all()).rows()
    decided = pl.lit(None, dtype=pl.String)
    for group, level in pairs:
        here = (pl.col("score_group") == group) & (pl.col("grade_within") == level)
        decided = pl.when(here).then(_place(table, policy, group, level)).otherwise(decided)
    at_home = pl.lit(None, dtype=pl.String)
    for group, level in home.items():
        at_home = pl.when(pl.col("score_group") == group).then(_place(table, policy, group, level)).otherwise(at_home)
    ranked = pl.col("grade_rank").is_not_null()
    return table.with_columns(pl.when(ranked).then(decided).alias(WITHIN), pl.when(ranked).then(at_home).alias(HOME))


def _place(table: pl.DataFrame, policy: Policy, group: str, level: Level) -> pl.Expr:
    """Group, level and value of the level, with tenants apart where they have a list of their own."""
    assert policy.score is not None
    value = [pl.col(c) for c in (key_of(level),) if c in table.columns]  # `all` has no column
    parts = [pl.lit(f"{group}|{level}"), *value]
    if policy.tenants.rule == "own_list":
        parts.append(pl.when(_tenant()).then(pl.lit("tenants")).otherwise(pl.lit("")))
    return pl.concat_str(*parts, separator="|")


def _tenant() -> pl.Expr:
    return pl.col("flags").str.split(",").list.contains("tenant")


def fields(table: pl.DataFrame, policy: Policy) -> list[Field]:
    """The fields of a table that :func:`graded` has prepared, in a fixed order.

    Where a small place is graded by a wider level, all of the group there are ranked, also those graded at home.
    """
    assert policy.score is not None
    numbered = table.select("score_group", "grade_within", WITHIN, row=pl.int_range(pl.len(), dtype=pl.Int64))
    found = []
    for (_, group, level), part in sorted(
        numbered.drop_nulls().partition_by(WITHIN, "score_group", "grade_within", as_dict=True).items()
    ):
        rows = decided = part["row"].to_numpy()
        if level != policy.score.groups[str(group)].graded_within:
            key = key_of(str(level))
            same = pl.lit(True) if key not in table.columns else pl.col(key) == table[key][int(rows[0])]
            if policy.tenants.rule == "own_list":
                same = same & (_tenant() == table.select(_tenant()).to_series()[int(rows[0])])
            among = (pl.col("score_group") == group) & pl.col("score_e10").is_not_null() & same
            rows = table.select(pl.arg_where(among)).to_series().to_numpy().astype(np.int64)
        found.append(Field(str(group), rows, np.searchsorted(rows, decided)))
    return found
