"""A release ranked again under a changed pack: who changes grade, and why. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.policy.model import Policy
from engine.policy.packs import Pack
from engine.query.board import Board
from engine.query.selection import Group
from engine.ranking.merged import Merged, base_year
from engine.ranking.run import compute, own_base_year, own_year
from engine.releases import Release
from engine.schema.warehouse import Warehouse
from engine.whatif.changes import changed
from engine.whatif.graded import WITHIN, graded, scored

NO_GRADE = "-"
_KEPT = ("enterprise_id", "uscc", "name", "industry_code", "region_code", "size", "scale_group")
_SIDES = ("score", "grade", "grade_initial", "grade_rank", "grade_of", WITHIN)
_SHOWN = {
    f"{shown}_{side}": f"{name}_{side}"
    for shown, name in (("grade", "grade"), ("score", "score"), ("rank", "grade_rank"), ("of", "grade_of"))
    for side in ("before", "after")
}


@dataclass(frozen=True)
class Simulation:
    """What a changed pack would do to a release.

    ``rows``: one an enterprise in id order: description, ``grade score rank of`` each ``_before`` and ``_after`` (rank: among
    whom it is graded), ``delta__<indicator>`` (points after − before), ``line_of`` (the better of the two grades of
    the quota), ``line_before line_after`` (its lowest score in the enterprise's group) and ``why`` (codes joined by commas, "" where the grade stays).
    """

    release: Release
    pack: Pack
    changes: list[str]
    rows: pl.DataFrame

    @property
    def moved(self) -> pl.DataFrame:
        """The rows whose grade changes, in id order."""
        return self.rows.filter(pl.col("grade_before") != pl.col("grade_after"))

    @property
    def matrix(self) -> dict[str, dict[str, int]]:
        """Number of enterprises by grade before and after; ``-`` is no grade."""
        known = {(a, b): n for a, b, n in self.rows.group_by("grade_before", "grade_after").len().iter_rows()}
        used = [g for g in grades(self.release.pack.policy, self.pack.policy) if any(g in pair for pair in known)]
        return {a: {b: known.get((a, b), 0) for b in used} for a in used}

    def within(self, group: Group) -> Simulation:
        """The rows of one industry, region, size and scale group; grades stay those among all."""
        members = Board(self.release).members(group)
        return Simulation(self.release, self.pack, self.changes, self.rows[pl.Series(members)])


def simulate(warehouse: Warehouse, release: Release, changes: list[str], *, rescale: bool = False) -> Simulation:
    """``release`` beside itself under its pack with ``changes`` (see engine.whatif.changes), by the ranking's own code.

    Raises no_composite, bad_change, weights_not_100, bad_policy; no_base_year and base_gone where the changed pack takes
    bases from a year before that is not there.
    """
    scored(release)
    pack = changed(release.pack, changes, rescale=rescale)
    table = compute(pack, own_year(release), bases_year(warehouse, release, pack))
    before, after = graded(release.rankings, release.pack.policy), graded(table, pack.policy)
    return Simulation(
        release, pack, changes, beside(before, after, grades(release.pack.policy, pack.policy), release.id)
    )


def bases_year(warehouse: Warehouse, release: Release, pack: Pack) -> Merged | None:
    """The year before from which a pack takes its bases: the release's own, else its newest merge; None where it takes none."""
    if pack.policy.score is None or not pack.policy.score.last_year:
        return None
    return own_base_year(warehouse, release) or base_year(warehouse, release.manifest["year"], pack)


def beside(before: pl.DataFrame, after: pl.DataFrame, order: list[str], release: str) -> pl.DataFrame:
    """The rows of a :class:`Simulation` from two tables of :func:`engine.whatif.graded.graded`; ``order``: grades, best first."""
    items = [c for c in before.columns if c.startswith("item__") and c in after.columns]
    sides = {"before": before, "after": after}
    wide = before.select(*_KEPT, "flags")
    for side, table in sides.items():
        own = table.select("enterprise_id", *(pl.col(c).alias(f"{c}_{side}") for c in (*_SIDES, *items)))
        wide = wide.join(own, on="enterprise_id", how="left", maintain_order="left", validate="1:1")
    wide = wide.with_columns(
        *(pl.col(f"grade_{side}").fill_null(NO_GRADE) for side in sides),
        *((pl.col(f"{i}_after").fill_null(0.0) - pl.col(f"{i}_before").fill_null(0.0)).alias(i) for i in items),
        line_of=_better(order),
    )
    for side, table in sides.items():
        line = lines(table).select(
            pl.col(WITHIN).alias(f"{WITHIN}_{side}"),
            pl.col("grade_initial").alias("line_of"),
            pl.col("line").alias(f"line_{side}"),
        )
        wide = wide.join(line, on=[f"{WITHIN}_{side}", "line_of"], how="left", maintain_order="left")
    return wide.with_columns(why=_why()).select(
        *_KEPT,
        **{n: pl.col(c) for n, c in _SHOWN.items()},
        **{f"delta__{i[6:]}": pl.col(i) for i in items},
        line_of="line_of",
        line_before="line_before",
        line_after="line_after",
        why="why",
        flags="flags",
        release_id=pl.lit(release),
    )


def lines(table: pl.DataFrame) -> pl.DataFrame:
    """The lowest score that each grade of the quota took in each group: :data:`WITHIN`, ``grade_initial``, ``line``."""
    ranked = table.filter(pl.col("grade_rank").is_not_null())
    return ranked.group_by(WITHIN, "grade_initial").agg(line=pl.col("score").min()).sort(WITHIN, "grade_initial")


def _better(order: list[str]) -> pl.Expr:
    """The better of the two grades by quota; null where an enterprise has none on one side."""
    place = {
        side: pl.col(f"grade_initial_{side}").replace_strict(order, list(range(len(order))), default=None)
        for side in ("before", "after")
    }
    return (
        pl.when(place["before"] <= place["after"])
        .then("grade_initial_before")
        .when(place["before"] > place["after"])
        .then("grade_initial_after")
    )


def _why() -> pl.Expr:
    """Codes of what changed for an enterprise whose grade changes; "" for the others."""
    ranked = {side: pl.col(f"grade_rank_{side}").is_not_null() for side in ("before", "after")}
    both = ranked["before"] & ranked["after"]
    codes = {
        "now_ranked": ~ranked["before"] & ranked["after"],
        "no_longer_ranked": ranked["before"] & ~ranked["after"],
        "scope": ~ranked["before"] & ~ranked["after"],
        "score": both & (pl.col("score_before") != pl.col("score_after")),
        "line": both & pl.col("line_before").ne_missing(pl.col("line_after")),
        "group": both & (pl.col(f"{WITHIN}_before") != pl.col(f"{WITHIN}_after")),
        "adjustment": pl.col("grade_initial_before").eq_missing(pl.col("grade_initial_after")),
    }
    words = pl.concat_str(
        *(pl.when(is_so).then(pl.lit(code)) for code, is_so in codes.items()), separator=",", ignore_nulls=True
    )
    return pl.when(pl.col("grade_before") != pl.col("grade_after")).then(words).otherwise(pl.lit(""))


def grades(*policies: Policy) -> list[str]:
    """Every grade of these packs, best first, then of who is not evaluated, then :data:`NO_GRADE`."""
    scores = [p.score for p in policies if p.score is not None]
    quota = [s.grade for score in scores for group in score.groups.values() for s in group.shares]
    return list(dict.fromkeys([*quota, *(rule.grade for score in scores for rule in score.not_evaluated), NO_GRADE]))
