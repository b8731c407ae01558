"""The whole pipeline of one policy and year, from Parquet to the rankings table."""

from __future__ import annotations

import calendar
from dataclasses import dataclass

import narwhals as nw

from engine.policy.model import Policy
from engine.ranking.amounts import display, needed_facts, widen, with_amounts, with_groups, with_indicators
from engine.ranking.ranks import GROUPINGS, with_grades, with_ranks
from engine.ranking.scores import base_table, with_bases, with_evaluation, with_score


@dataclass(frozen=True)
class YearTables:
    """The merged tables of a year as lazy frames (any engine that Narwhals runs on); ``facts`` one row an enterprise."""

    year: int
    enterprises: nw.LazyFrame
    facts: nw.LazyFrame

    @property
    def days(self) -> int:
        """Days of the year."""
        return 366 if calendar.isleap(self.year) else 365


def rankings(policy: Policy, this: YearTables, last: YearTables | None) -> nw.LazyFrame:
    """The rankings table in enterprise_id order; ``last`` is needed where a base is last year's average."""
    return table(policy, this, last).sort("enterprise_id")


def table(policy: Policy, this: YearTables, last: YearTables | None) -> nw.LazyFrame:
    """The rankings table (columns of :func:`columns`), its rows in no order."""
    wide = _measured(policy, this)
    if policy.score is not None:
        wide = _scored(policy, this, last, wide)
    else:
        wide = wide.with_columns(
            score_e10=nw.lit(None, dtype=nw.Int64), score=nw.lit(None, dtype=nw.Float64),
            grade_initial=nw.lit(None, dtype=nw.String), grade=nw.lit(None, dtype=nw.String),
            evaluation=nw.lit("in"),
        )  # fmt: skip
    wide = with_ranks(wide, policy.metrics)
    if policy.score is not None:
        wide = with_grades(wide, policy.score)
    return wide.with_columns(flags=_flags(policy)).select(*columns(policy))


def _measured(policy: Policy, tables: YearTables) -> nw.LazyFrame:
    wide = widen(tables.enterprises, tables.facts, needed_facts(policy))
    wide = with_groups(with_amounts(wide, policy), tables.days)
    return with_indicators(wide, policy, tables.days).with_columns(**display(tables.days))


def _scored(policy: Policy, this: YearTables, last: YearTables | None, wide: nw.LazyFrame) -> nw.LazyFrame:
    assert policy.score is not None
    wide = with_evaluation(wide, policy, this.year, this.days)
    bases = [base_table(wide, policy.score, this.days, "this_year")]
    if last is not None:
        before = with_evaluation(_measured(policy, last), policy, last.year, last.days)
        bases.append(base_table(before, policy.score, last.days, "last_year"))
    return with_score(with_bases(wide, policy.score, [b for b in bases if b is not None]), policy.score)


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
        "deregistered": nw.col("status").is_in(["注销", "吊销", "已注销", "已吊销", "注销企业", "吊销未注销"]),
    }
    if policy.score is not None:
        marks |= {
            "out_of_scope": nw.col("evaluation") == "out_of_scope",
            "not_evaluated": nw.col("evaluation") == "not_evaluated",
            "no_base": (nw.col("evaluation") == "in") & nw.col("score_e10").is_null(),
        }
    words = [nw.when(mark.fill_null(False)).then(nw.lit(name)) for name, mark in marks.items()]
    return nw.concat_str(*words, separator=",", ignore_nulls=True)


def columns(policy: Policy) -> list[str]:
    """The columns of the rankings table in dictionary order."""
    base = [
        "enterprise_id", "uscc", "name", "industry_code", "industry_section", "industry_2", "industry_3", "industry_4",
        "region_code", "region_city", "region_county", "region_town", "zone_code", "size", "scale_group", "land_group",
        "land_dm2_days", "output_fen", "tax_fen", "land_mu", "output_wan_yuan", "tax_wan_yuan",
    ]  # fmt: skip
    items = list(policy.score.items) if policy.score else []
    scored = [f"base__{n}" for n in items] + [f"item__{n}" for n in items]
    ranks = [f"{kind}__{m}__{g}" for m in policy.metrics for g in GROUPINGS for kind in ("rank", "of")]
    return [*base, *policy.computed, *scored, "score_e10", "score", "grade_initial", "grade", "flags", *ranks]
