"""The whole pipeline of one policy and year, from Parquet to the rankings table."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass

import narwhals as nw

from engine.policy.model import Policy
from engine.ranking.amounts import (
    MONTHS_MISSING,
    display,
    needed_facts,
    widen,
    with_amounts,
    with_groups,
    with_indicators,
)
from engine.ranking.bases import averages, based, items_of, ranged, ranges, with_bases
from engine.ranking.bounds import check_bounds
from engine.ranking.extras import with_events
from engine.ranking.grades import small_group, with_adjustments, with_grade_ranks, with_grades
from engine.ranking.groups import with_evaluation
from engine.ranking.ranks import GROUPINGS, with_ranks
from engine.ranking.scores import scored
from engine.ranking.tenants import with_tenants

Hold = Callable[[nw.LazyFrame], nw.LazyFrame]


def as_it_is(frame: nw.LazyFrame) -> nw.LazyFrame:
    """The frame: Polars sees by itself what a plan reads twice."""
    return frame


@dataclass(frozen=True)
class YearTables:
    """The merged tables of a year as lazy frames (any engine that Narwhals runs on); ``facts`` one row an enterprise.

    The others are there where the bureau's lists are. ``hold`` is how the engine keeps a frame that is read several times.
    """

    year: int
    enterprises: nw.LazyFrame
    facts: nw.LazyFrame
    events: nw.LazyFrame | None = None
    relations: nw.LazyFrame | None = None
    land_use: nw.LazyFrame | None = None
    hold: Hold = as_it_is

    @property
    def days(self) -> int:
        """Days of the year."""
        return 366 if calendar.isleap(self.year) else 365


def rankings(
    policy: Policy, this: YearTables, last: YearTables | None, *, peers: YearTables | None = None
) -> nw.LazyFrame:
    """The rankings table in enterprise_id order; ``last`` is needed where a base is last year's average.

    ``peers`` are whose rows give this year's averages and ranges, if not its own.
    """
    return table(policy, this, last, peers=peers).sort("enterprise_id")


def table(
    policy: Policy, this: YearTables, last: YearTables | None, *, peers: YearTables | None = None
) -> nw.LazyFrame:
    """The rankings table (columns of :func:`columns`), its rows in no order.

    PermuError figure_too_large where a figure is beyond what whole numbers hold.
    """
    check(policy, this, last)
    wide = ranked_frame(policy, this, last, peers=peers)
    return wide.with_columns(flags=_flags(policy)).select(*columns(policy))


def check(policy: Policy, this: YearTables, last: YearTables | None) -> None:
    """PermuError figure_too_large where a figure of either year is beyond what whole numbers hold."""
    for tables in (this, *([last] if last is not None else [])):
        check_bounds(policy, tables.year, tables.days, tables.facts)


def ranked_frame(
    policy: Policy, this: YearTables, last: YearTables | None, *, peers: YearTables | None = None
) -> nw.LazyFrame:
    """Every column of the work on it: what :func:`table` takes its own from."""
    if policy.score is None:
        return with_ranks(_unscored(measured(policy, this)), policy.metrics)
    return _finished(policy, ready(policy, this, last, peers=peers), policy.metrics, this.hold)


@dataclass(frozen=True)
class Ready:
    """What weights, limits, missing rules and shares of a composite leave as it is: facts, indicators, groups, bases and
    events in ``wide``, the items' ``ranges`` by group, and whose means stand for missing values where not its own."""

    wide: nw.LazyFrame
    ranges: nw.LazyFrame | None
    among: nw.LazyFrame | None = None


def finished(policy: Policy, made: Ready) -> nw.LazyFrame:
    """Points, totals and grades over :func:`ready` tables, with the columns of the rankings table but its ranks."""
    wide = _finished(policy, made, ["score"], as_it_is)
    shown = [c for c in columns(policy) if not c.startswith(("rank__", "of__"))]
    return wide.with_columns(flags=_flags(policy)).select(*shown)


def _finished(policy: Policy, made: Ready, metrics: list[str], hold: Hold) -> nw.LazyFrame:
    assert policy.score is not None
    wide = hold(scored(made.wide, policy.score, made.ranges, made.among))
    return graded(with_ranks(wide, metrics), policy)


def graded(wide: nw.LazyFrame, policy: Policy) -> nw.LazyFrame:
    """Quota, grade, adjustments of a frame with scores and ranks."""
    assert policy.score is not None
    wide = with_grade_ranks(wide, policy)
    return with_adjustments(with_grades(wide, policy.score), policy)


def _unscored(wide: nw.LazyFrame) -> nw.LazyFrame:
    text = {name: nw.lit(None, dtype=nw.String) for name in ("grade_initial", "grade")}
    return wide.with_columns(
        score_e10=nw.lit(None, dtype=nw.Int64), score=nw.lit(None, dtype=nw.Float64), evaluation=nw.lit("in"), **text
    )


def measured(policy: Policy, tables: YearTables) -> nw.LazyFrame:
    """One row an enterprise: facts (tenants' as the pack says), amounts, groups, indicators."""
    facts = needed_facts(policy)
    wide = widen(tables.enterprises, tables.facts, [*facts, MONTHS_MISSING])
    wide = with_tenants(wide, facts, policy, tables.year, tables.relations, tables.land_use)
    wide = with_groups(with_amounts(wide, policy), tables.days)
    return tables.hold(with_indicators(wide, policy, tables.days).with_columns(**display(tables.days)))


def evaluated(policy: Policy, tables: YearTables) -> nw.LazyFrame:
    """Amounts, indicators, group and state of everybody: averages run over those whose ``evaluation`` is ``in``."""
    return with_evaluation(measured(policy, tables), policy, tables.year, tables.days)


def ready(policy: Policy, this: YearTables, last: YearTables | None, *, peers: YearTables | None = None) -> Ready:
    """Everything before the points of a pack that has a score."""
    score = policy.score
    assert score is not None
    wide = evaluated(policy, this)
    others = wide if peers is None else evaluated(policy, peers)
    found = [averages(others, policy, this.days, "this_year")]
    if last is not None:
        found.append(averages(evaluated(policy, last), policy, last.days, "last_year"))
    bases = [b for b in found if b is not None]
    wide = with_events(with_bases(wide, score, bases), this.events, score, this.year)
    among = None if peers is None else with_bases(others, score, bases)
    return Ready(wide, ranges(others, score), among)


def _flags(policy: Policy) -> nw.Expr:
    """The enterprise's flags joined by commas, "" where there is none."""
    land = nw.col("land_dm2_days")
    marks = {
        "landless": land.is_null() | (land == 0),
        "negative_land": land < 0,
        "no_output": nw.col("output_fen").is_null(),
        "no_tax": nw.col("tax_fen").is_null(),
        "size_unknown": nw.col("size").is_null(),
        "industry_unknown": nw.col("industry_2").is_null(),
        "industry_ambiguous": nw.col("industry_note") == "ambiguous",
        "region_unknown": nw.col("region_county").is_null(),
        "months_missing": nw.col(MONTHS_MISSING) > 0,
        "deregistered": nw.col("status").is_in(["注销", "吊销", "已注销", "已吊销", "注销企业", "吊销未注销"]),
    }
    if policy.tenants.rule != "alone":
        marks["tenant"] = nw.col("is_tenant")
    marks |= _score_flags(policy)
    words = [nw.when(mark.fill_null(False)).then(nw.lit(name)) for name, mark in marks.items()]
    return nw.concat_str(*words, separator=",", ignore_nulls=True)


def _score_flags(policy: Policy) -> dict[str, nw.Expr]:
    if policy.score is None:
        return {}
    marks = {
        "out_of_scope": nw.col("evaluation") == "out_of_scope",
        "not_evaluated": nw.col("evaluation") == "not_evaluated",
        "no_base": (nw.col("evaluation") == "in") & nw.col("score_e10").is_null(),
        "small_group": small_group(policy.score),
    }
    return marks | ({"adjusted": nw.col("grade") != nw.col("grade_initial")} if policy.score.adjustments else {})


def columns(policy: Policy) -> list[str]:
    """The columns of the rankings table in dictionary order."""
    base = [
        "enterprise_id", "uscc", "name", "industry_code", "industry_section", "industry_2", "industry_3", "industry_4",
        "region_code", "region_city", "region_county", "region_town", "zone_code", "size", "scale_group", "land_group",
        "land_dm2_days", "output_fen", "tax_fen", "land_mu", "output_wan_yuan", "tax_wan_yuan",
    ]  # fmt: skip
    ranks = [f"{kind}__{m}__{g}" for m in policy.metrics for g in GROUPINGS for kind in ("rank", "of")]
    before, after = _score_columns(policy)
    return [*base, *policy.computed, *before, "score_e10", "score", "grade_initial", "grade", *after, "flags", *ranks]


def _score_columns(policy: Policy) -> tuple[list[str], list[str]]:
    """The columns that lead to the score, and those that lead from it to the grade."""
    score = policy.score
    if score is None:
        return [], []
    items = items_of(score)
    limits = [f"{end}__{n}" for n in ranged(score) for end in ("low", "high")]
    before = ["score_group", *(f"base__{n}" for n in based(score)), *limits, *(f"item__{n}" for n in items)]
    if score.extras:
        before += ["score_items", "bonus", "deduction"]
    after = ["grade_rank", "grade_of", "grade_within"]
    return before, after + (["adjustment"] if score.adjustments else [])
