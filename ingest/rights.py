"""Who holds which part of a parcel, day by day: shares are split, and cut where they exceed 1, only while they overlap."""

from __future__ import annotations

import polars as pl

from ingest.canonical import Year
from ingest.lookup import repeated
from ingest.periods import cut, handed_over, in_year, joined, with_days

WHOLE = 10**9  # a share of 1 in parts per billion
_SLACK = WHOLE // 10**6  # what written shares (0.333333) may be off 1 and still mean the whole
_ROW = ("parcel_code", "record_key", "area_dm2", "share_ppb", "from_on", "to_on", "origin")
_FLAGS = ("assumed", "over_one", "two_owners")


def rights(year: Year) -> pl.DataFrame | None:
    """Parcel rows with a holder as they were stated, with ``same_day`` (:func:`ingest.periods.handed_over`)."""
    rows = year.scan("land", "parcel")
    if rows is None:
        return None
    held = rows.filter(pl.col("record_key").is_not_null()).select(_ROW)
    return handed_over(held.collect(), ["parcel_code"])


def holdings(held: pl.DataFrame, year: int) -> pl.DataFrame:
    """``held`` (:func:`rights`) with the holder's own part ``part_dm2`` and ``share``, one line for every period of the
    year in which they are the same, with ``days`` and the flags ``assumed``, ``over_one`` and ``two_owners``.

    Declared shares split the parcel's area; several holders without shares hold what each row states, or, where every
    row repeats the same area, equal parts: ``assumed`` where they hold from and to the same days (co-holders whose
    shares nobody wrote), ``two_owners`` where their dates differ (a sale of which one side is missing).
    """
    dated = with_days(held, year)
    some = pl.col("end") > pl.col("start")
    codes = dated["parcel_code"].filter(dated["end"] > dated["start"])
    several = pl.col("parcel_code").is_in(codes.filter(repeated(codes)).unique().implode())
    alone, together = dated.filter(~(several & some)), dated.filter(several & some)
    split_up = joined(cut(together).pipe(_shares).pipe(split), ["part_dm2", "share", *_FLAGS])
    columns = [*_ROW, "same_day", "part_dm2", "share", *_FLAGS]
    lines = pl.concat([_sole(alone).select(columns), split_up.select(columns)])
    return lines.with_columns(days=in_year(year)).sort("origin", "from_on")


def _sole(held: pl.DataFrame) -> pl.DataFrame:
    """Parcels with one row: a declared share of the area, else the whole (no windows needed: most parcels)."""
    share = pl.col("share_ppb").fill_null(WHOLE)
    part = (pl.col("area_dm2").cast(pl.Int128) * share.clip(0, WHOLE) // WHOLE).cast(pl.Int64)
    none = pl.lit(False)
    return held.with_columns(share=share, assumed=none, two_owners=none, over_one=share > WHOLE + _SLACK, part_dm2=part)


def _shares(lines: pl.DataFrame) -> pl.DataFrame:
    """Each line's ``share`` of its ``area``, split among the lines of one ``period``."""
    period = "period"
    holders = pl.len().over(period)
    declared = pl.col("share_ppb").is_not_null().any().over(period)
    repeated = (holders > 1) & (pl.col("area_dm2").min().over(period) == pl.col("area_dm2").max().over(period))
    dates = pl.struct("from_on", "to_on").n_unique().over(period)
    rest = (WHOLE - pl.col("share_ppb").sum().over(period)).clip(0) // pl.col("share_ppb").is_null().sum().over(period)
    # the parcel's own area where it is split, the row's where each row states its own
    shared = declared | repeated
    return lines.with_columns(
        share=pl.when(declared)
        .then(pl.coalesce("share_ppb", pl.when(holders > 1).then(rest).otherwise(WHOLE)))
        .when(repeated)
        .then(WHOLE // holders)
        .otherwise(WHOLE)
        .cast(pl.Int64),
        area=pl.when(shared).then(pl.col("area_dm2").max().over(period)).otherwise("area_dm2"),
        two_owners=repeated & ~declared & (dates > 1),
        assumed=pl.col("share_ppb").is_null() & shared & (declared | (dates == 1)),
        shared=shared,
    )


def split(lines: pl.DataFrame) -> pl.DataFrame:
    """``part_dm2``: each line's share of its parcel's area by largest remainder, ties to the earlier record.

    Shares of one period that sum to 1 (± 1 ppm: a written third) give parts that sum to the area exactly;
    shares above 1 (``over_one``) are cut to 1 in proportion, so that no land is counted twice.
    """
    total = pl.col("share").sum().over("period")
    whole = pl.col("shared") & (total > WHOLE - _SLACK)
    unit = pl.when(whole).then(total).otherwise(WHOLE)
    scaled = pl.col("area").cast(pl.Int128) * pl.col("share")
    lines = lines.with_columns(
        floor=(scaled // unit).cast(pl.Int64), remainder=(scaled % unit).cast(pl.Int64), whole=whole,
        over_one=pl.col("shared") & (total > WHOLE + _SLACK),
    ).sort("period", "remainder", "origin", descending=[False, True, False])  # fmt: skip
    place = pl.int_range(pl.len())
    order = place - place.min().over("period") + 1
    missing = pl.col("area").max().over("period") - pl.col("floor").sum().over("period")
    extra = (pl.col("whole") & (order <= missing)).cast(pl.Int64)
    return lines.with_columns(part_dm2=pl.col("floor") + extra)
