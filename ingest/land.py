"""Which enterprise uses how much land: own + rented in − rented out, in dm² × days of the year.

Every use is a line that says parcel, kind, area, share, days and the record it comes from, so that the sum of an
enterprise can be read line by line. Parts of a parcel are split by largest remainder: they sum to the parcel.
Source: DOMAIN facts of 苏政办发〔2017〕44号 practice; "own + rented in − rented out" as used by county platforms.
"""

from __future__ import annotations

import calendar
from datetime import date

import polars as pl

from ingest.canonical import Year

WHOLE = 10**9  # a share of 1 in parts per billion
_SLACK = WHOLE // 10**6  # what written shares (0.333333) may be off 1 and still mean the whole

_DAYS = 2**32  # more than any date's day number

USE_COLUMNS = ("enterprise_id", "parcel_code", "kind", "area_dm2", "share_ppb", "from_on", "to_on", "days", "dm2_days")


def days_of(year: int) -> int:
    """Days of the year: 366 in a leap year."""
    return 366 if calendar.isleap(year) else 365


def holdings(year: Year) -> pl.DataFrame | None:
    """Parcel rows with a holder: ``parcel_code``, ``record_key``, the holder's own part ``part_dm2`` and its share.

    Rows with declared shares split the parcel's area; several holders without shares hold what each row states, or,
    where every row repeats the same area, equal parts (``assumed``).
    """
    rows = year.scan("land", "parcel")
    if rows is None:
        return None
    held = rows.filter(pl.col("record_key").is_not_null()).select(
        "parcel_code", "record_key", "area_dm2", "share_ppb", "from_on", "to_on", "origin"
    )
    rows_held = held.collect()
    several = rows_held["parcel_code"].is_duplicated()
    alone, together = rows_held.filter(~several), rows_held.filter(several)
    return pl.concat([alone.pipe(_sole), together.pipe(_shares).pipe(split)])


def _sole(held: pl.DataFrame) -> pl.DataFrame:
    """Parcels with one row: a declared share of the area, else the whole (no windows needed: most parcels)."""
    share = pl.col("share_ppb").fill_null(WHOLE)
    part = (pl.col("area_dm2").cast(pl.Int128) * share.clip(0, WHOLE) // WHOLE).cast(pl.Int64)
    return held.with_columns(
        share=share, area="area_dm2", assumed=pl.lit(False), shared=pl.col("share_ppb").is_not_null(),
        over_one=share > WHOLE + _SLACK, part_dm2=part,
    )  # fmt: skip


def _shares(held: pl.DataFrame) -> pl.DataFrame:
    """Each row's ``share`` of its ``area``, split among the rows of one ``period``: rights that overlap in time."""
    held = held.sort("parcel_code", pl.col("from_on").fill_null(date.min), "origin")
    held = held.with_columns(period=(~_overlapping()).cum_sum())
    period = "period"
    holders = pl.len().over(period)
    declared = pl.col("share_ppb").is_not_null().any().over(period)
    repeated = (holders > 1) & (pl.col("area_dm2").min().over(period) == pl.col("area_dm2").max().over(period))
    rest = (WHOLE - pl.col("share_ppb").sum().over(period)).clip(0) // pl.col("share_ppb").is_null().sum().over(period)
    return held.with_columns(
        share=pl.when(declared)
        .then(pl.coalesce("share_ppb", rest))
        .when(repeated)
        .then(WHOLE // holders)
        .otherwise(WHOLE)
        .cast(pl.Int64),
        # the parcel's own area where it is split, the row's where each row states its own
        area=pl.when(declared | repeated).then(pl.col("area_dm2").max().over(period)).otherwise("area_dm2"),
        assumed=pl.col("share_ppb").is_null() & (declared | repeated),
        shared=declared | repeated,
    )


def _overlapping() -> pl.Expr:
    """Whether the right of a row begins before a right of an earlier row of its parcel has ended.

    A right that begins on the day on which the one before ends follows it: offices write a sale so.
    Rows are sorted by parcel and begin. One running maximum over the whole table serves every parcel: a parcel's
    number is the high part of the key, so that the maximum starts anew with it (windows per parcel are slow).
    """
    parcel = pl.col("parcel_code").rle_id().cast(pl.Int64) * _DAYS
    until = (parcel + pl.col("to_on").fill_null(date.max).to_physical()).cum_max().shift(fill_value=-1)
    return until > parcel + pl.col("from_on").fill_null(date.min).to_physical().clip(0)


def split(rows: pl.DataFrame) -> pl.DataFrame:
    """``part_dm2``: each row's share of its parcel's area by largest remainder, ties to the earlier record.

    Shares of one period that sum to 1 (± 1 ppm: a written third) give parts that sum to the area exactly;
    shares above 1 (``over_one``) are cut to 1 in proportion, so that no land is counted twice.
    """
    total = pl.col("share").sum().over("period")
    whole = pl.col("shared") & (total > WHOLE - _SLACK)
    unit = pl.when(whole).then(total).otherwise(WHOLE)
    scaled = pl.col("area").cast(pl.Int128) * pl.col("share")
    rows = rows.with_columns(
        floor=(scaled // unit).cast(pl.Int64), remainder=(scaled % unit).cast(pl.Int64), whole=whole,
        over_one=pl.col("shared") & (total > WHOLE + _SLACK),
    ).sort("period", "remainder", "origin", descending=[False, True, False])  # fmt: skip
    place = pl.int_range(pl.len())
    order = place - place.min().over("period") + 1
    missing = pl.col("area").max().over("period") - pl.col("floor").sum().over("period")
    extra = (pl.col("whole") & (order <= missing)).cast(pl.Int64)
    return rows.with_columns(part_dm2=pl.col("floor") + extra).drop("floor", "remainder", "whole", "period")


def in_year(year: int) -> pl.Expr:
    """Days of ``year`` from ``from_on`` to ``to_on``, both included; an open end reaches the year's."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    start = pl.max_horizontal(pl.col("from_on").fill_null(first), pl.lit(first))
    end = pl.min_horizontal(pl.col("to_on").fill_null(last), pl.lit(last))
    return ((end - start).dt.total_days() + 1).clip(0).cast(pl.Int64)


def own_uses(held: pl.DataFrame, links: pl.DataFrame, year: int) -> pl.DataFrame:
    """Lines of kind ``own`` for the holders that are linked."""
    return (
        held.join(links.select("record_key", "enterprise_id"), on="record_key", how="inner")
        .with_columns(days=in_year(year), kind=pl.lit("own"), area_dm2=pl.col("part_dm2"), share_ppb=pl.col("share"))
        .with_columns(dm2_days=pl.col("area_dm2") * pl.col("days"))
        .select(*USE_COLUMNS, "assumed", "origin")
    )


def leases(year: Year, areas: pl.DataFrame) -> pl.DataFrame | None:
    """Occupancy rows with the leased area: as stated, else share × the parcel's area (``areas``: parcel_code, area)."""
    rows = year.scan("land", "occupancy")
    if rows is None:
        return None
    stated = rows.select(
        "parcel_code", "lessor_key", "lessee_key", "area_dm2", "share_ppb", "from_on", "to_on", "origin"
    ).collect()
    by_share = ((pl.col("parcel_area").cast(pl.Int128) * pl.col("share_ppb") + WHOLE // 2) // WHOLE).cast(pl.Int64)
    return stated.join(areas.rename({"area": "parcel_area"}), on="parcel_code", how="left").with_columns(
        area_dm2=pl.coalesce("area_dm2", by_share)
    )


def lease_uses(leased: pl.DataFrame, links: pl.DataFrame, year: int) -> pl.DataFrame:
    """Two lines a lease: ``rented_in`` for the lessee, ``rented_out`` (negative) for the lessor, where linked."""
    sides = []
    for kind, key, sign in (("rented_in", "lessee_key", 1), ("rented_out", "lessor_key", -1)):
        line = leased.filter(pl.col("area_dm2").is_not_null()).join(
            links.select("record_key", "enterprise_id"), left_on=key, right_on="record_key", how="inner"
        )
        line = line.with_columns(days=in_year(year), kind=pl.lit(kind), assumed=pl.lit(False))
        sides.append(line.with_columns(dm2_days=sign * pl.col("area_dm2") * pl.col("days")))
    return pl.concat(sides).select(*USE_COLUMNS, "assumed", "origin")


_KEYS = {"record_key": pl.String, "rows": pl.Int32, "origin": pl.Int64}


def keys(held: pl.DataFrame | None, leased: pl.DataFrame | None) -> pl.DataFrame:
    """The distinct record keys that land records name: holders, lessors, lessees."""
    named = [] if held is None else [held.select("record_key", "origin")]
    if leased is not None:
        named += [leased.select("origin", record_key=side) for side in ("lessor_key", "lessee_key")]
    if not named:
        return pl.DataFrame(schema=_KEYS)
    every = pl.concat([n.select("record_key", "origin") for n in named]).drop_nulls("record_key")
    return every.group_by("record_key").agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min()).sort("origin")


def uses(held: pl.DataFrame | None, leased: pl.DataFrame | None, links: pl.DataFrame, year: int) -> pl.DataFrame:
    """Every line of land used in ``year``, in enterprise order."""
    lines = [] if held is None else [own_uses(held, links, year)]
    if leased is not None:
        lines.append(lease_uses(leased, links, year))
    return pl.concat(lines).sort("enterprise_id", "origin", "kind")


def used(lines: pl.DataFrame) -> pl.DataFrame:
    """One record an enterprise: Σ of its lines in dm² × days, with the origin of the first."""
    return (
        lines.group_by("enterprise_id", maintain_order=True)
        .agg(land_dm2_days=pl.col("dm2_days").sum(), rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
        .with_columns(
            record_key=pl.lit("land_use"),
            method=pl.lit("land_use"),
            share_ppb=pl.lit(None, dtype=pl.Int64),
            sharer_no=pl.lit(0, dtype=pl.Int32),
        )
    )


def findings(held: pl.DataFrame | None, leased: pl.DataFrame | None, lines: pl.DataFrame) -> pl.DataFrame:
    """What a person should look at: shares above 1 or assumed, leases without an area, more rented out than held.

    ``lines``: the uses. The record key of the last kind is the enterprise's id.
    """
    below = used(lines).filter(pl.col("land_dm2_days") < 0)
    nowhere = pl.lit(None, dtype=pl.String)
    found = [
        below.select("origin", parcel_code=nowhere, record_key="enterprise_id", finding=pl.lit("rented_out_over_held"))
    ]
    if held is not None:
        over = held.filter(pl.col("over_one"))
        found.append(over.select("parcel_code", "record_key", "origin", finding=pl.lit("parcel_shares_over_one")))
        taken = held.filter(pl.col("assumed"))
        found.append(taken.select("parcel_code", "record_key", "origin", finding=pl.lit("share_assumed")))
    if leased is not None:
        bare = leased.filter(pl.col("area_dm2").is_null())
        found.append(
            bare.select("parcel_code", "origin", record_key="lessee_key", finding=pl.lit("lease_without_area"))
        )
    columns = ["finding", "parcel_code", "record_key", "origin"]
    return pl.concat([f.select(columns) for f in found]).sort("finding", "origin")
