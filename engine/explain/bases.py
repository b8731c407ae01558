"""Where a base value comes from: a published constant with its legal basis, or a group's average with its sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import polars as pl

from engine.explain.telling import Telling, exact
from engine.policy.scoring import Base
from engine.ranking.amounts import ATTRIBUTES
from engine.ranking.merged import Merged
from engine.ranking.pipeline import YearTables, evaluated
from engine.ranking.ranks import GROUPINGS
from engine.ranking.run import own_year


@dataclass(frozen=True)
class Sums:
    """Of the evaluated enterprises of a group that have a value: Σ numerator, Σ denominator (smallest units), how many."""

    numerator: int
    denominator: int
    count: int


def constant(told: Telling, base: Base) -> str:
    """The published figure and where it stands."""
    basis = told.policy.basis[0]
    parts = (basis.title, basis.number, basis.article, base.source or basis.source)
    cited = " ".join(p for p in parts if p)
    return told.say(f"公布的基准值：{cited}", f"constant published in {cited}")


def average(told: Telling, name: str, base: Base) -> str:
    """Of whom the base is the average, with the sums that it divides and the data it was taken from."""
    found = sums(told, name, base)
    year = told.year - (base.average_of == "last_year")
    among = told.peers(base.within)
    manifest = told.release.manifest
    merge = manifest["base_merge_id" if base.average_of == "last_year" else "merge_id"]
    one = told.policy.all_indicators[name]
    times = "" if base.times == 1 else f"{exact(base.times)} × "
    mean = told.say("企业指标的简单平均", "the simple mean of the enterprises' values")
    if base.average == "sigma_over_sigma":
        mean = told.say("平均值", "the average")
    divided = "" if found is None or base.average != "sigma_over_sigma" else (
        f" Σ {one.numerator} {found.numerator} ÷ Σ {one.denominator} {found.denominator}"
    )  # fmt: skip
    count = "" if found is None else told.say(f"，{found.count} 家", f", {found.count} enterprises")
    chosen = "" if base.chosen is None else told.say(f"；本系统的选择：{base.chosen}", f"; chosen here: {base.chosen}")
    return told.say(
        f"{times}{year} 年 {among} 参评企业的{mean}{divided}{count}（合并 {merge}）{chosen}",
        f"{times}{mean} of {year} over those evaluated in {among}:{divided}{count} (merge {merge}){chosen}",
    )


def year_of(told: Telling, average_of: str | None) -> YearTables | None:
    """The merged tables that averages of this or last year were taken from; None where the release holds them not."""
    if average_of == "this_year":
        return own_year(told.release).tables() if told.release.has("facts_wide") else None
    if not told.release.has("base/facts_wide"):
        return None
    merge = told.release.manifest["base_merge_id"]
    return Merged(told.year - 1, merge, told.release.folder / "base", [], {}, 0.0).tables()


def sums(told: Telling, name: str, base: Base) -> Sums | None:
    """The sums behind an average; None where the release does not hold the year that it was taken from."""
    rows = evaluated_at(told, base)
    if rows is None:
        return None
    one = told.policy.all_indicators[name]
    known = rows.filter(pl.col(name).is_not_null())
    return Sums(int(known[one.numerator].sum()), int(known[one.denominator].sum()), known.height)


def evaluated_at(told: Telling, base: Base) -> pl.DataFrame | None:
    """The enterprises that an average runs over, read once: the items' indicators and the amounts that they divide."""
    key = (base.average_of, base.within)
    if key not in told.evaluated:
        told.evaluated[key] = _evaluated(told, base)
    return told.evaluated[key]


def _evaluated(told: Telling, base: Base) -> pl.DataFrame | None:
    """The evaluated enterprises that the averages of a level run over: the items' indicators and what they divide."""
    tables = year_of(told, base.average_of)
    if tables is None or told.group is None:
        return None
    if told.policy.tenants.rule == "alone":  # else an owner's figures may come from another place
        tables = _only(tables, told.row, base.within)
    alike = (nw.col("evaluation") == "in") & (nw.col("score_group") == told.row["score_group"])
    for key in GROUPINGS[base.within]:
        if key in told.row:
            alike = alike & (nw.col(key) == told.row[key])
    divided = [told.policy.all_indicators[n] for n in told.group.items]
    wanted = dict.fromkeys([*told.group.items, *(n for one in divided for n in (one.numerator, one.denominator))])
    return evaluated(told.policy, tables).filter(alike).select(*wanted).to_native().collect()


def _only(tables: YearTables, row: dict[str, Any], level: str) -> YearTables:
    """The year's tables without the enterprises of other places: what is not summed need not be computed."""
    keys = [k for k in GROUPINGS[level] if k in ATTRIBUTES]
    enterprises = tables.enterprises
    for key in keys:
        enterprises = enterprises.filter(nw.col(key) == row[key])
    return replace(tables, enterprises=enterprises)
