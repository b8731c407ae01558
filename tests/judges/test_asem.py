"""An outside judge of the composite: the ASEM Sustainable Connectivity example, whose every step COINr published.

51 countries, 49 indicators, eight pillars, two sub-indices, one index. From the treated indicators on, every published
figure is computed again with the engine's own parts: :func:`minmax` scored 0 to 100 with its direction, sums of
item scores under weights that sum to 100, competition ranks. (Imputation and treatment of outliers are not permu's:
a missing or an extreme figure of an enterprise is a case for a person.)
"""

from __future__ import annotations

from pathlib import Path

import narwhals as nw
import polars as pl
import pytest

from engine.ranking.forms import minmax, ratio, weighted_sum
from engine.ranking.ranks import GROUPINGS, with_ranks

CLOSE = 1e-12
# Published ranks follow scores rounded to two digits, ours the scores: these two are tied only when rounded.
FOLLOW_ROUNDING = {("ConEcFin", "RUS"), ("Instit", "PRT")}
COUNTRIES, INDICATORS, AGGREGATES = 51, 49, 11


def read(folder: Path, name: str) -> pl.DataFrame:
    """One of the published tables, every column but the names of units and groups as a number."""
    table = pl.read_csv(folder / f"{name}.csv", infer_schema_length=None)
    text = ("UnitCode", "UnitName", *(c for c in table.columns if c.startswith("Group_")))
    meta = name.endswith("Meta")
    return table if meta else table.with_columns(pl.exclude(text).cast(pl.Float64))


@pytest.fixture(scope="module")
def asem(shared: Path) -> Path:
    return shared / "judges" / "asem"


@pytest.fixture(scope="module")
def indicators(asem: Path) -> list[dict[str, object]]:
    found = read(asem, "input_IndMeta").rows(named=True)
    assert len(found) == INDICATORS
    return found


def largest_difference(ours: pl.DataFrame, published: pl.DataFrame, columns: list[str]) -> float:
    """Over all cells, relative where the published figure is larger than 1; every country and column must be there."""
    both = ours.select("UnitCode", *columns).join(published, on="UnitCode", suffix="__published", validate="1:1")
    assert both.height == COUNTRIES
    apart = [
        ((pl.col(c) - pl.col(f"{c}__published")).abs() / pl.col(f"{c}__published").abs().clip(1.0)).max().alias(c)
        for c in columns
    ]
    found = both.select(apart).row(0)
    assert None not in found
    return max(found)


def test_denomination(asem: Path, indicators: list[dict[str, object]]) -> None:
    """Raw ÷ denominator: one division by a column, as every indicator of permu is made. (Missing stays missing.)"""
    table = nw.from_native(read(asem, "raw").join(read(asem, "input_Denominators"), on="UnitCode").lazy())
    made = {
        str(i["IndCode"]): ratio(nw.col(str(i["IndCode"])), nw.col(str(i["Denominator"])), 1.0)
        for i in indicators
        if i["Denominator"]
    }
    ours = table.with_columns(**made).to_native().collect()
    published = read(asem, "denominated")
    names = [str(i["IndCode"]) for i in indicators]
    assert len(made) > 10
    assert ours.select(names).null_count().equals(published.select(names).null_count())
    for name in names:
        worst = ((ours[name] - published[name]) / published[name].abs().clip(1e-300)).abs().max()
        assert worst is not None and worst <= CLOSE, name


def normalised(asem: Path, indicators: list[dict[str, object]], weights: dict[str, float]) -> pl.DataFrame:
    """The treated indicators scored 0 to ``weight`` between the worst and the best country."""
    table = nw.from_native(read(asem, "treated").lazy())
    scores = {}
    for one in indicators:
        value, name = nw.col(str(one["IndCode"])), str(one["IndCode"])
        less = one["Direction"] == -1
        scores[name] = minmax(value, value.min(), value.max(), weights[name], least=0, most=100, less=less)
    return table.with_columns(**scores).to_native().collect()


def test_normalisation(asem: Path, indicators: list[dict[str, object]]) -> None:
    weights = {str(i["IndCode"]): 100.0 for i in indicators}
    ours = normalised(asem, indicators, weights)
    assert {i["Direction"] for i in indicators} == {1, -1}, "both directions are judged"
    assert largest_difference(ours, read(asem, "normalised"), list(weights)) <= CLOSE


def hundredths(parents: dict[str, str], weights: dict[str, float]) -> dict[str, float]:
    """Each child's weight so that those of one parent sum to 100."""
    whole = {p: sum(weights[c] for c in parents if parents[c] == p) for p in set(parents.values())}
    return {child: 100.0 * weights[child] / whole[parent] for child, parent in parents.items()}


def aggregated(asem: Path, indicators: list[dict[str, object]]) -> pl.DataFrame:
    """Every pillar, sub-index and the index, each a composite of what is below it."""
    pillar = {str(i["IndCode"]): str(i["Agg1"]) for i in indicators}
    above = {str(i["Agg1"]): str(i["Agg2"]) for i in indicators} | {str(i["Agg2"]): str(i["Agg3"]) for i in indicators}
    weights = {str(i["IndCode"]): float(str(i["IndWeight"])) for i in indicators}
    weights |= dict(read(asem, "input_AggMeta").select("Code", "Weight").iter_rows())
    table = normalised(asem, indicators, hundredths(pillar, weights)).lazy()
    for parents in (pillar, {c: p for c, p in above.items() if c in pillar.values()}, above):
        share = hundredths(parents, weights)
        for parent in sorted(set(parents.values())):
            children = [c for c in parents if parents[c] == parent]
            points = [nw.col(c) if c in pillar else ratio(nw.col(c), nw.lit(100.0), share[c]) for c in children]
            table = nw.from_native(table).with_columns(weighted_sum(points).alias(parent)).to_native()
    return table.collect()


def test_aggregation(asem: Path, indicators: list[dict[str, object]]) -> None:
    names = read(asem, "input_AggMeta")["Code"].to_list()
    assert len(names) == AGGREGATES
    ours = aggregated(asem, indicators)
    assert largest_difference(ours, read(asem, "aggregated"), names) <= CLOSE


def test_published_scores_are_ours_to_their_two_digits(asem: Path, indicators: list[dict[str, object]]) -> None:
    published = read(asem, "results_AggregatesScore")
    names = [c for c in published.columns if c not in ("UnitCode", "UnitName", "Rank")]
    both = aggregated(asem, indicators).join(published, on="UnitCode", suffix="__p", validate="1:1")
    assert both.height == COUNTRIES and len(names) == AGGREGATES
    for name in names:
        assert (both[name] - both[f"{name}__p"]).abs().max() <= 0.005 + CLOSE, name


def test_ranks(asem: Path, indicators: list[dict[str, object]]) -> None:
    """All 561 published ranks but the two that follow rounding; those are one place apart, and tied when rounded."""
    published = read(asem, "results_AggregatesRank")
    names = [c for c in published.columns if c not in ("UnitCode", "UnitName")]
    keys = {key for keys in GROUPINGS.values() for key in keys}
    table = aggregated(asem, indicators).with_columns(**{k: pl.lit("all") for k in keys})
    ours = with_ranks(nw.from_native(table.lazy()), names).to_native().collect()
    both = ours.join(published, on="UnitCode", suffix="__p", validate="1:1")
    assert both.height == COUNTRIES and len(names) == AGGREGATES
    apart = {
        (name, code): (rank, int(seen))
        for name in names
        for code, rank, seen in both.select("UnitCode", f"rank__{name}__all", f"{name}__p").iter_rows()
        if rank != seen
    }
    assert set(apart) == FOLLOW_ROUNDING
    for (name, code), (rank, seen) in apart.items():
        assert abs(rank - seen) == 1
        score = table.filter(pl.col("UnitCode") == code)[name].round(2)[0]
        assert (table[name].round(2) == score).sum() == 2, "tied with one other when rounded"
