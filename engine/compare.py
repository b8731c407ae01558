"""Two releases beside each other: who moved, from which place and grade to which, and by which cause.

The movement is taken apart by ranking again with one thing changed at a time, from release A to release B::

    A as published → code of today → B's policy → A's own corrections undone → the enterprise's own figures of B
      → everybody's figures (and bases) of B → B's own corrections → B as published (code of today undone)

Each state is a ranking of the whole year, only "own figures" is one per enterprise: its figures of B scored against
A's bases and placed among the others as they stood. Effects are differences of neighbouring states, so they add up
to the movement exactly. The order decides what joint effects are counted under; docs/decisions/0022-causes.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import polars as pl

from engine.compare_effects import attributed
from engine.compare_places import Place, own_places, places
from engine.compare_policies import policy_parts
from engine.policy.packs import Pack
from engine.ranking.pipeline import YearTables, rankings
from engine.ranking.run import own_base_year, own_year
from engine.releases import Release
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

_DESCRIBED = ("uscc", "name", "industry_code", "region_code", "zone_code", "scale_group", "size")


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found.

    ``rows``: one line for every enterprise of either release, in id order: description, ``rank_a of_a grade_a rank_b
    of_b grade_b``, ``places`` (up is positive; null where it has no rank in one of them), ``by_<cause>`` for every
    cause (they sum to ``places``), ``cause`` (the one that weighed most; null where nothing moved), ``policy_part`` (of
    two policies that both grade: the part of the rules that moved the grade; see engine.compare_policies).
    """

    a: Release
    b: Release
    place: Place
    rows: pl.DataFrame

    def within(self, region: str) -> Comparison:
        """The lines of one region (2, 4, 6 or 9 digits, or a zone's code); places stay those among all.

        PermuError bad_parameter where nobody is there.
        """
        code = region[:4] if len(region) == 6 and region.endswith("00") else region
        inside = pl.col("region_code").str.starts_with(code) | (pl.col("zone_code") == region)
        rows = self.rows.filter(inside)
        if rows.is_empty():
            raise PermuError(
                "bad_parameter",
                f"--region {region}: no enterprise there; give 2, 4, 6 or 9 digits (province, city, county, town) or a "
                "zone's code",
                f"--region {region}：没有企业；请给出 2、4、6 或 9 位数字（省、市、县、乡镇）或开发区代码",
                parameter="region",
            )
        return replace(self, rows=rows)


@dataclass(frozen=True)
class _Side:
    """A release with the year it was ranked from; without the corrections that only it has where ``raw``."""

    release: Release
    tables: YearTables
    raw: YearTables
    base: YearTables | None

    @property
    def pack(self) -> Pack:
        return self.release.pack

    @property
    def corrected(self) -> bool:
        """Whether it has corrections that the other release has not."""
        return self.raw is not self.tables


def compare(
    warehouse: Warehouse, a: Release, b: Release, by: str | None = None, within: str | None = None
) -> Comparison:
    """Who moved between two releases, how far and why; over years, policies, or versions of one year.

    ``by``: a metric that both rank (default: what each decides by: the grade's own place, else its first metric);
    ``within``: a grouping (default: the policy's own). Raises bad_parameter, base_gone.
    """
    place = Place.of(a, b, by, within)
    one, two = _sides(warehouse, a, b)
    today = _ranked(one.pack, one.tables, one.base)
    theirs = _ranked(two.pack, one.tables, one.base or two.base)
    rows = attributed(list(_states(one, two, place, today, theirs)))
    rows = rows.join(_parts(one.pack, two.pack, today, theirs), on="enterprise_id", how="left")
    return Comparison(a, b, place, _described(a, b).join(rows, on="enterprise_id").sort("enterprise_id"))


def _parts(a: Pack, b: Pack, today: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    if a.sha256 == b.sha256 or a.policy.score is None or b.policy.score is None:
        return pl.DataFrame(schema={"enterprise_id": pl.String, "policy_part": pl.String})
    return policy_parts(today, theirs, a.policy, b.policy)


def _states(
    a: _Side, b: _Side, place: Place, today: pl.DataFrame, before: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The states from A to B: the cause that leads there, and everyone's rank, of and grade.

    ``today`` is A ranked by the code of today, ``before`` A's facts under B's policy.
    """
    base, policy = a.base or b.base, b.pack.policy
    yield "", places(a.release.rankings, a.pack.policy, place)
    yield "code", places(today, a.pack.policy, place)
    yield "policy", places(before, policy, place)
    if a.corrected:
        before = _ranked(b.pack, a.raw, base)
        yield "correction", places(before, policy, place)
    own = _ranked(b.pack, b.raw, base, peers=a.raw)
    yield "data_own", own_places(own, before, policy, place)
    after = _ranked(b.pack, b.raw, b.base)
    yield "data_peers", places(after, policy, place)
    if b.corrected:
        yield "correction", places(_ranked(b.pack, b.tables, b.base), policy, place)
    yield "code", places(b.release.rankings, policy, place)


def _ranked(pack: Pack, this: YearTables, last: YearTables | None, peers: YearTables | None = None) -> pl.DataFrame:
    needs_last = pack.policy.score is not None and pack.policy.score.last_year
    lazy = rankings(pack.policy, this, last if needs_last else None, peers=peers)
    return lazy.to_native().collect(engine="streaming")


def _sides(warehouse: Warehouse, a: Release, b: Release) -> tuple[_Side, _Side]:
    ours, theirs = _corrections(a), _corrections(b)
    return _side(warehouse, a, ours, theirs), _side(warehouse, b, theirs, ours)


def _side(warehouse: Warehouse, release: Release, own: pl.DataFrame, other: pl.DataFrame) -> _Side:
    tables = own_year(release).tables()
    alone = own.join(other, on=own.columns, how="anti", nulls_equal=True)
    base = own_base_year(warehouse, release)
    raw = replace(tables, facts=_undone(tables.facts, alone)) if alone.height else tables
    return _Side(release, tables, raw, base.tables() if base else None)


def _corrections(release: Release) -> pl.DataFrame:
    shape = {"enterprise_id": pl.String, "field": pl.String, "year": pl.Int32, "before": pl.Int64, "value": pl.Int64}
    if not release.has("corrections"):
        return pl.DataFrame(schema=shape)
    return release.table("corrections").select(pl.col(n).cast(t) for n, t in shape.items()).collect()


def _undone(facts: nw.LazyFrame, corrections: pl.DataFrame) -> nw.LazyFrame:
    """Facts (wide) as they were before these corrections."""
    wide: pl.LazyFrame = facts.to_native()
    for (field,), some in corrections.group_by("field", maintain_order=True):
        was = some.select("enterprise_id", was="before", hit=pl.lit(True)).lazy()
        value = pl.when(pl.col("hit")).then("was").otherwise(field)
        wide = wide.join(was, on="enterprise_id", how="left").with_columns(value.alias(str(field))).drop("was", "hit")
    return nw.from_native(wide)


def _described(a: Release, b: Release) -> pl.DataFrame:
    """Id and description of every enterprise of either release, as the later one says where both know it."""
    frames = [r.rankings.select("enterprise_id", *_DESCRIBED) for r in (b, a)]
    return pl.concat(frames).unique("enterprise_id", keep="first", maintain_order=True)


def summary(found: Comparison) -> dict[str, Any]:
    """How many moved, from which grade to which, and by which cause (with the places moved, up and down)."""
    rows = found.rows
    both = rows.filter(pl.col("places").is_not_null())
    changed = (pl.col("grade_a") != pl.col("grade_b")).fill_null(False)
    causes = (
        rows.filter(pl.col("cause").is_not_null())
        .group_by("cause")
        .agg(
            enterprises=pl.len(),
            grade_changes=changed.sum(),
            places_up=pl.col("places").filter(pl.col("places") > 0).sum(),
            places_down=-pl.col("places").filter(pl.col("places") < 0).sum(),
        )
        .sort("enterprises", "cause", descending=[True, False])
    )
    grades = rows.group_by("grade_a", "grade_b").agg(enterprises=pl.len()).sort("grade_a", "grade_b", nulls_last=True)
    return {
        "of": rows.height,
        "moved": rows["cause"].count(),
        "grade_changes": rows.select(changed.sum()).item(),
        "entered": rows.filter(pl.col("rank_a").is_null() & pl.col("rank_b").is_not_null()).height,
        "left": rows.filter(pl.col("rank_a").is_not_null() & pl.col("rank_b").is_null()).height,
        "places": {n: both[n].sum() for n in both.columns if n == "places" or n.startswith("by_")},
        "causes": causes.to_dicts(),
        "policy_parts": _counted(rows, "policy_part"),
        "grades": grades.to_dicts(),
    }


def _counted(rows: pl.DataFrame, name: str) -> dict[str, int]:
    found = rows.filter(pl.col(name).is_not_null()).group_by(name).len().sort("len", name, descending=[True, False])
    return dict(found.iter_rows())
