"""What of a layer somebody may see: columns by the dictionary, rows by enterprise and region. Cut before anything is
written, so that a file, a feature and a tile hold the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from engine.releases import Release

_COUNTY = 6  # digits of the region that a parcel code begins with (GB/T 37346: county 6 + cadastral district 3 + …)


@dataclass(frozen=True)
class Limits:
    """The view of somebody: which columns are seen (None: all), ``rows`` of the rankings (None: all), the ``region``
    that the rows belong to (None: any), and the ``key`` under which files made for the view are kept."""

    key: str = "all"
    sees: Callable[[str], bool] | None = None
    rows: pl.Expr | None = None
    region: str | None = None


EVERYTHING = Limits()


def cut(frame: pl.DataFrame, release: Release, limits: Limits, identity: str) -> pl.DataFrame:
    """The rows and columns of a layer's table that may be seen; ``identity`` names a feature and is always there."""
    if limits.rows is not None:
        frame = _rows(frame, release.rankings.filter(limits.rows)["enterprise_id"], limits)
    sees = limits.sees
    return frame if sees is None else frame.select(c for c in frame.columns if c == identity or sees(c))


def _rows(frame: pl.DataFrame, seen: pl.Series, limits: Limits) -> pl.DataFrame:
    if "level" in frame.columns:
        return _regions(frame, limits)
    if "enterprise_ids" in frame.columns:
        return _parcels(frame, seen, limits)
    return frame.filter(pl.col("enterprise_id").is_in(seen.implode()))


def _regions(frame: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Figures only within one's own region: of the others the outline is left."""
    inside = pl.col("region_code").str.starts_with(limits.region) if limits.region else pl.lit(False)
    outline = {"region", "region_code", "zone_code", "name", "level", "geometry"}
    figures = [c for c in frame.columns if c not in outline]
    return frame.with_columns(pl.when(inside.fill_null(False)).then(pl.col(c)).alias(c) for c in figures)


def _parcels(frame: pl.DataFrame, seen: pl.Series, limits: Limits) -> pl.DataFrame:
    """The parcels that somebody seen uses, and those without a user in the region; others' names and figures go."""
    of_seen = pl.element().filter(pl.element().is_in(seen.implode()))
    unused = pl.col("enterprise_ids").list.len() == 0
    # a parcel's code says its county and no town
    county = limits.region if limits.region and len(limits.region) <= _COUNTY else None
    inside = pl.col("parcel_code").str.starts_with(county) if county else pl.lit(False)
    kept = frame.with_columns(__seen=pl.col("enterprise_ids").list.eval(of_seen)).filter(
        (pl.col("__seen").list.len() > 0) | (unused & inside)
    )
    own = pl.col("enterprise_id").is_in(seen.implode())
    parcels = {"parcel_code", "area_mu", "drawn_mu", "enterprise_ids", "enterprises", "note_zh", "note_en", "geometry"}
    figures = [c for c in frame.columns if c not in parcels]
    return kept.with_columns(
        *(pl.when(own).then(pl.col(c)).alias(c) for c in figures), enterprise_ids=pl.col("__seen")
    ).drop("__seen")
