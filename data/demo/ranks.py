"""Ranks of ``sunan-2017`` from the truth, in numpy alone: a judge of the engine that shares no code with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from data.demo.settings import BY_NAME, NOT_LINKABLE, Flags, Floats, Ints
from data.demo.truth import Uses, YearTruth
from data.demo.world import World

_STATE = ("vat_fen", "corporate_income_tax_fen", "consumption_tax_fen", "export_credit_fen", "vat_refund_fen")
_LOCAL = (
    "land_use_tax_fen",
    "property_tax_fen",
    "stamp_tax_fen",
    "urban_maintenance_tax_fen",
    "land_value_added_tax_fen",
    "resource_tax_fen",
    "environment_tax_fen",
    "vehicle_vessel_tax_fen",
)
METRICS, GROUPINGS = ("output_per_mu", "benefit_per_mu"), ("all", "industry_2", "region_city")


def competition_ranks(values: Floats, group: Ints) -> tuple[Ints, Ints]:
    """Rank (1, 2, 2, 4; the largest first; 0 for NaN) and number of ranked members, within each group."""
    order = np.lexsort((-values, group))
    order = order[~np.isnan(values[order])]
    v, g = values[order], group[order]
    place = np.arange(len(order))
    new_group = np.concatenate([[True], g[1:] != g[:-1]])[: len(order)]
    new_value = new_group | np.concatenate([[True], v[1:] != v[:-1]])[: len(order)]
    start = np.maximum.accumulate(np.where(new_group, place, 0))
    first = np.maximum.accumulate(np.where(new_value, place, 0))
    rank = np.zeros(len(values), np.int64)
    rank[order] = first - start + 1
    of = np.bincount(g, minlength=int(group.max(initial=0)) + 1)[group]
    return rank, of


def _sum(truth: YearTruth, fields: tuple[str, ...], level: int) -> tuple[Ints, Flags]:
    total, present = np.zeros(len(truth.uscc), np.int64), np.zeros(len(truth.uscc), bool)
    for name in fields:
        fact = truth.facts[name]
        total += fact.sums[level]
        present |= fact.present[level]
    return total, present


def _per_mu(amount: Ints, present: Flags, dm2_days: Ints, days: int) -> Floats:
    """万元 per mu of the land used on average over the year: fen · days ÷ (15 · dm²·days)."""
    land = present & (dm2_days > 0)
    out = np.full(len(amount), np.nan)
    out[land] = amount[land].astype(float) * days / (15.0 * dm2_days[land])
    return out


def metrics(truth: YearTruth, uses: Uses, days: int, level: int) -> dict[str, Floats]:
    """Output and benefit per mu of the pool; NaN where there is no land or no amount."""
    land = uses.total(len(truth.uscc), level)
    sales, with_sales = _sum(truth, ("invoiced_sales_fen",), level)
    revenue, with_revenue = _sum(truth, ("main_revenue_fen",), level)
    output = np.where(with_sales, sales, revenue)
    taxes, with_taxes = _sum(truth, _STATE + _LOCAL, level)
    return {
        "output_per_mu": _per_mu(output, with_sales | with_revenue, land, days),
        "benefit_per_mu": _per_mu(taxes, with_taxes, land, days),
    }


def ranks(world: World, truth: YearTruth, uses: Uses, days: int) -> Iterator[pl.DataFrame]:
    """``year uscc metric grouping value rank of rank_true``: ranks from what is linkable, and from everything."""
    at = world.active(truth.year)
    division = np.array([int(d) for d in world.division])[world.industry[at]]
    groups = {"all": np.zeros(len(at), np.int64), "industry_2": division, "region_city": world.city[at]}
    linkable, whole = (metrics(truth, uses, days, level) for level in (BY_NAME, NOT_LINKABLE))
    order = ["year", "uscc", "metric", "grouping", "value", "rank", "of", "rank_true"]
    for metric in METRICS:
        for grouping in GROUPINGS:
            rank, of = competition_ranks(linkable[metric][at], groups[grouping])
            true_rank, _ = competition_ranks(whole[metric][at], groups[grouping])
            columns = {"value": linkable[metric][at], "rank": rank, "of": of, "rank_true": true_rank}
            frame = pl.DataFrame({"uscc": truth.uscc.gather(at), **columns}).with_columns(
                year=pl.lit(truth.year, dtype=pl.Int32), metric=pl.lit(metric), grouping=pl.lit(grouping)
            )
            yield frame.filter(pl.col("rank") > 0).select(order)
