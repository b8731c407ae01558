"""Through the years: movement from year to year, and for how many years on end an enterprise stood in the bottom."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import polars as pl

from engine.compare_places import Place, places
from engine.releases import Release


def through_years(standings: pl.DataFrame, bottom_percent: int | Decimal) -> pl.DataFrame:
    """``enterprise_id year rank of`` (one row an enterprise and year), in that order, with what the years say.

    ``percentile`` = 100·(of − rank)/(of − 1), null for a group of one; ``places`` and ``percentile_change`` against the
    year before (up is positive; null where that year has no rank); ``in_bottom``: rank·100 > (100 − p)·of, compared in
    integers, null without a rank; ``years_in_bottom``: consecutive years up to this one, 0 outside the bottom, and a
    year without a rank or without a release begins the count anew.
    """
    share = Fraction(bottom_percent)
    above, of = pl.col("of").cast(pl.Int64) - pl.col("rank"), pl.col("of").cast(pl.Int64)
    line = (100 * share.denominator - share.numerator) * of
    rows = standings.sort("enterprise_id", "year").with_columns(
        percentile=pl.when(of > 1).then(above * 100 / (of - 1)),
        in_bottom=pl.col("rank").cast(pl.Int64) * 100 * share.denominator > line,
    )
    own = pl.col("enterprise_id")
    follows = (pl.col("year").diff() == 1).over(own).fill_null(False)
    goes_on = (follows & pl.col("in_bottom").shift().over(own)).fill_null(False)
    runs = rows.with_columns(
        places=pl.when(follows).then(pl.col("rank").shift().over(own).cast(pl.Int64) - pl.col("rank")),
        percentile_change=pl.when(follows).then(pl.col("percentile") - pl.col("percentile").shift().over(own)),
        run=(~(goes_on & pl.col("in_bottom").fill_null(False))).cast(pl.Int64).cum_sum().over(own),
    )
    years = pl.col("in_bottom").fill_null(False).cast(pl.Int64).cum_sum().over("enterprise_id", "run")
    return runs.with_columns(years_in_bottom=years).drop("run")


def history(releases: Iterable[Release], enterprise_id: str | None = None) -> pl.DataFrame:
    """:func:`through_years` of every enterprise (or of one) over releases of one policy, one a year.

    Places are those that decide the grade; under a policy without grades, those among all by its first metric. The
    bottom is the one that the newest release's policy states (``bottom_percent``).
    """
    ordered = sorted(releases, key=lambda r: int(r.manifest["year"]))
    parts = []
    for release in ordered:
        place = Place(None, None, "all")
        table = release.rankings
        if enterprise_id is not None:
            table = table.filter(pl.col("enterprise_id") == enterprise_id)
        found = places(table, release.pack.policy, place)
        parts.append(found.with_columns(year=pl.lit(int(release.manifest["year"]), dtype=pl.Int32)))
    return through_years(pl.concat(parts), ordered[-1].pack.policy.bottom_percent)
