"""The layer of regions: outlines with group figures (Σ numerator ÷ Σ denominator) and how many hold each grade."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine.query.board import Board
from engine.query.selection import Selection
from engine.query.summary import summary
from engine.releases import Release
from engine.schema.columns import GRADES

# Digits of a region's code → the ranking's grouping by it.
_LEVELS = {4: "region_city", 6: "region_county", 9: "region_town"}
_TOTALS = ("land_mu", "output_wan_yuan", "tax_wan_yuan")


def regions(release: Release) -> pl.DataFrame:
    """The bureau's regions as drawn, in order of their code; a zone has a ``zone_code`` and its own members' figures.

    ``enterprises`` and ``ranked`` (those with a rank by the main metric) count members; ``land_mu``, ``output_wan_yuan``,
    ``tax_wan_yuan`` are sums and every metric is Σ/Σ (null where the release lacks its amounts); ``grade_A`` … ``grade_T``
    count members of each grade, where the policy grades.
    """
    drawn = pl.read_parquet(release.folder / "regions.parquet", glob=False)
    code = pl.when(pl.col("zone_code").is_not_null()).then("zone_code").otherwise("region_code")
    named = drawn.with_columns(region=pl.coalesce(code, "name"), level_by=_grouping())
    joined = named.join(_figures(release), on=["region", "level_by"], how="left", maintain_order="left")
    lead = ["region", "region_code", "zone_code", "name", "level"]
    return joined.select(*lead, pl.exclude(*lead, "geometry", "level_by"), "geometry").sort("region", "level")


def _grouping() -> pl.Expr:
    digits = pl.col("region_code").str.len_chars().cast(pl.Int64)
    level = digits.replace_strict(_LEVELS, default=None, return_dtype=pl.String)
    return pl.when(pl.col("zone_code").is_not_null()).then(pl.lit("zone")).otherwise(level)


def _figures(release: Release) -> pl.DataFrame:
    """One row for each region that has members: ``region``, ``level_by`` and the figures."""
    board, everybody = Board(release), Selection.parse()
    metrics = [m for m in release.manifest["metrics"] if m != "score"]
    rows = [
        {"region": line["key"][level], "level_by": level, **_line(line, release.manifest["default_metric"], metrics)}
        for level in (*_LEVELS.values(), "zone")
        for line in summary(board, everybody, (level,))
        if line["key"][level] is not None
    ]
    kinds: dict[str, Any] = {"region": pl.String, "level_by": pl.String, "enterprises": pl.Int64, "ranked": pl.Int64}
    kinds |= dict.fromkeys((*_TOTALS, *metrics), pl.Float64)
    if "grade" in release.rankings.columns and release.rankings["grade"].null_count() < release.rankings.height:
        kinds |= {f"grade_{g}": pl.Int64 for g in GRADES}
    return pl.DataFrame(rows, schema=kinds)


def _line(line: dict[str, Any], main: str, metrics: list[str]) -> dict[str, Any]:
    """Figures of one group as columns. Whoever has a value of the main metric is ranked by it."""
    shown = {"enterprises": line["enterprises"], "ranked": line["metrics"][main]["of"]}
    shown |= {name: line[name] for name in _TOTALS}
    shown |= {m: line["metrics"][m]["ratio"] for m in metrics}
    return shown | {f"grade_{g}": line["grades"].get(g, 0) for g in GRADES}
