"""Dated rows within a year: their days, the periods in which the same rows hold, and sums that run over the days."""

from __future__ import annotations

import calendar
from datetime import date

import polars as pl


def days_of(year: int) -> int:
    """Days of the year: 366 in a leap year."""
    return 366 if calendar.isleap(year) else 365


def in_year(year: int) -> pl.Expr:
    """Days of ``year`` from ``from_on`` to ``to_on``, both included; an open end reaches the year's."""
    start, end = _ends(year)
    return ((end - start).dt.total_days() + 1).clip(0).cast(pl.Int64)


def _ends(year: int) -> tuple[pl.Expr, pl.Expr]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    start = pl.max_horizontal(pl.col("from_on").fill_null(first), pl.lit(first))
    return start, pl.min_horizontal(pl.col("to_on").fill_null(last), pl.lit(last))


def with_days(rows: pl.DataFrame, year: int) -> pl.DataFrame:
    """``start`` (first day in the year) and ``end`` (the day after the last), as days since 1970; end ≤ start: none."""
    start, end = (e.to_physical().cast(pl.Int32) for e in _ends(year))
    return rows.with_columns(start=start, end=end + 1)


def handed_over(rows: pl.DataFrame, same: list[str]) -> pl.DataFrame:
    """``same_day``: whether a row ends on the day on which another one of the ``same`` begins; it then ends (``to_on``)
    on the day before: offices write one day for both sides of a sale, and that day belongs to whoever takes over."""
    ends = rows["to_on"].drop_nulls().unique()
    begin = rows.filter(pl.col("from_on").is_in(ends.implode()))
    if begin.is_empty():  # as in most years: nothing to look up
        return rows.with_columns(same_day=pl.lit(False))
    begins = begin.select(*same, to_on="from_on").drop_nulls().unique().with_columns(same_day=True)
    long = pl.col("to_on") > pl.col("from_on").fill_null(date.min)
    marked = rows.join(begins, on=[*same, "to_on"], how="left", maintain_order="left")
    marked = marked.with_columns(same_day=pl.col("same_day").fill_null(False) & long.fill_null(False))
    return marked.with_columns(to_on=pl.when("same_day").then(pl.col("to_on").dt.offset_by("-1d")).otherwise("to_on"))


def cut(rows: pl.DataFrame) -> pl.DataFrame:
    """Each row once for every period of its parcel in which the same rows hold: ``since``, ``until`` and ``period``
    (a number for the parcel's period). Rows have parcel_code, start, end (:func:`with_days`), and some days."""
    points = pl.concat([rows.select("parcel_code", since=c) for c in ("start", "end")]).unique()
    points = points.sort("parcel_code", "since").with_columns(
        until=pl.col("since").shift(-1).over("parcel_code"), period=pl.int_range(pl.len())
    )
    within = (pl.col("start") <= pl.col("since")) & (pl.col("since") < pl.col("end"))
    return rows.join(points.drop_nulls("until"), on="parcel_code", how="inner").filter(within)


def joined(lines: pl.DataFrame, same: list[str]) -> pl.DataFrame:
    """Periods of a row (``origin``) that follow each other with the ``same`` values become one again, ``from_on`` and
    ``to_on`` its first and last day; where the row itself begins or ends there, its own date stands (or none: open)."""
    lines = lines.sort("origin", "since")
    new = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift()) for c in ["origin", *same])
    lines = lines.with_columns(run=(new | (pl.col("since") != pl.col("until").shift())).fill_null(True).cum_sum())
    since, until = pl.col("since").first(), pl.col("until").last()
    day = lambda e: e.cast(pl.Date)  # noqa: E731
    dates = {
        "from_on": pl.when(since == pl.col("start").first()).then(pl.col("from_on").first()).otherwise(day(since)),
        "to_on": pl.when(until == pl.col("end").first()).then(pl.col("to_on").first()).otherwise(day(until - 1)),
    }
    rest = [c for c in lines.columns if c not in ("run", "since", "until", "period", "start", "end", *dates)]
    return lines.group_by("run", maintain_order=True).agg(*(pl.col(c).first() for c in rest), **dates).drop("run")


def running(lines: pl.DataFrame, key: list[str], amount: str) -> pl.DataFrame:
    """``least`` and ``most`` of the sum of ``amount`` over the days, by ``key``; lines have start and end."""
    some = lines.filter(pl.col("end") > pl.col("start"))
    steps = [some.select(*key, day="start", step=amount), some.select(*key, day="end", step=-pl.col(amount))]
    daily = pl.concat(steps).group_by(*key, "day").agg(pl.col("step").sum()).sort(*key, "day")
    sums = daily.with_columns(level=pl.col("step").cum_sum().over(key))
    return sums.group_by(key).agg(least=pl.col("level").min(), most=pl.col("level").max()).sort(key)
