"""Where enterprises stand in a rankings table, and where one would stand if its own figures alone changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.policy.model import Policy
from engine.ranking.ranks import GROUPINGS, value_of
from engine.releases import Release
from engine.schema.errors import PermuError


@dataclass(frozen=True)
class Place:
    """By which metric and in which grouping places are counted; None: by what decides the grade under each policy."""

    by: str | None
    within: str | None
    fallback: str  # the grouping under a policy that grades nobody

    @classmethod
    def of(cls, a: Release, b: Release, by: str | None, within: str | None) -> Place:
        """As asked for two releases; bad_parameter where one of them does not rank so."""
        known = [m for m in b.manifest["metrics"] if m in a.manifest["metrics"]]
        if by is not None and by not in known:
            raise _unknown("by", by, known)
        if within is not None and within not in GROUPINGS:
            raise _unknown("within", within, list(GROUPINGS))
        graded = [g.graded_within for r in (b, a) if r.pack.policy.score for g in r.pack.policy.score.groups.values()]
        return cls(by, within, within or next(iter(graded), "all"))

    def columns(self, table: pl.DataFrame, policy: Policy) -> tuple[str, str]:
        """The columns of rank and of."""
        if self.by is None and self.within is None and "grade_rank" in table.columns and policy.score is not None:
            return "grade_rank", "grade_of"
        metric = self.by or policy.metrics[0]
        return f"rank__{metric}__{self.fallback}", f"of__{metric}__{self.fallback}"


def places(table: pl.DataFrame, policy: Policy, place: Place) -> pl.DataFrame:
    """``enterprise_id rank of grade`` of a rankings table."""
    rank, of = place.columns(table, policy)
    whole = {"rank": pl.col(rank).cast(pl.Int64), "of": pl.col(of).cast(pl.Int64)}
    return table.select("enterprise_id", **whole, grade=pl.col("grade").cast(pl.String))


def own_places(own: pl.DataFrame, before: pl.DataFrame, policy: Policy, place: Place) -> pl.DataFrame:
    """Where each enterprise of ``own`` (scored against the bases of ``before``) would stand among the others of
    ``before``; grades as before: a quota is the whole group's matter.
    """
    graded = place.columns(own, policy)[0] == "grade_rank"
    value = "score_e10" if graded else value_of(place.by or policy.metrics[0])
    levels = own["grade_within"].drop_nulls().unique().to_list() if graded else [place.fallback]
    worse = graded and policy.score is not None and policy.score.ties == "share_worse_rank"
    parts = []
    for level in sorted(levels):
        keys = [*(["score_group"] if graded else []), *(k for k in GROUPINGS[level] if k in own.columns)]
        mine = own.filter(pl.col("grade_within") == level) if graded else own
        parts.append(_among(mine, before, value, keys, worse))
    ranks = (
        pl.concat(parts)
        if parts
        else pl.DataFrame(schema={"enterprise_id": pl.String, "rank": pl.Int64, "of": pl.Int64})
    )
    grades = before.select("enterprise_id", "grade")
    return (
        own.select("enterprise_id")
        .join(ranks, on="enterprise_id", how="left")
        .join(grades, on="enterprise_id", how="left")
    )


def _among(mine: pl.DataFrame, before: pl.DataFrame, value: str, keys: list[str], worse: bool) -> pl.DataFrame:
    """Rank of each own value among the group's values of before, its own former value left out."""
    usable = pl.col(value).is_not_null() & pl.all_horizontal(pl.lit(True), *(pl.col(k).is_not_null() for k in keys))
    if mine.schema[value] == pl.Float64:
        usable = usable & pl.col(value).is_finite()
    key = pl.concat_str([pl.col(k) for k in keys], separator="\x1f") if keys else pl.lit("")
    others = before.filter(usable).select("enterprise_id", key=key, value=value)
    rows = mine.filter(usable).select("enterprise_id", key=key, value=value)
    rows = rows.join(others.rename({"value": "former"}), on=["enterprise_id", "key"], how="left")
    groups = {k: np.sort(g["value"].to_numpy()) for (k,), g in others.group_by("key")}
    found = []
    for (k,), group in rows.group_by("key", maintain_order=True):
        found.append(_placed(group, groups.get(k, np.empty(0)), worse))
    shape = {"enterprise_id": pl.String, "rank": pl.Int64, "of": pl.Int64}
    return pl.concat(found) if found else pl.DataFrame(schema=shape)


def _placed(group: pl.DataFrame, values: np.ndarray, worse: bool) -> pl.DataFrame:
    own = group["value"].to_numpy()
    better = len(values) - np.searchsorted(values, own, side="left" if worse else "right")
    former = group["former"]
    was_better = ((former >= group["value"]) if worse else (former > group["value"])).fill_null(False).to_numpy()
    of = len(values) + 1 - former.is_not_null().to_numpy().astype(np.int64)
    rank = better - was_better + 1
    return group.select("enterprise_id").with_columns(
        rank=pl.Series(rank, dtype=pl.Int64), of=pl.Series(of, dtype=pl.Int64)
    )


def _unknown(name: str, given: str, known: list[str]) -> PermuError:
    listed = ", ".join(known)
    return PermuError(
        "bad_parameter",
        f"--{name} {given}: both releases rank {listed}; name one of them",
        f"--{name} {given}：两个发布版本共有 {listed}；请使用其中之一",
        parameter=name,
    )
