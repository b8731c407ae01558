"""Canonical tables made by hand, for the parts of merging that read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

Row = dict[str, Any]
TEXT = ("parcel_code", "record_key", "lessor_key", "lessee_key")
SHAPE = {
    **dict.fromkeys(TEXT, pl.String),
    "area_dm2": pl.Int64,
    "share_ppb": pl.Int64,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "floor_area_dm2": pl.Int64,
    "total_floor_dm2": pl.Int64,
    "plot_ratio": pl.Float64,
}
THIRD = 333_333_333
HALF = 500_000_000


class OneYear:
    """What ``ingest.canonical.Year`` is to the land functions: tables by name, each row with its origin."""

    def __init__(self, **tables: Iterable[Row]) -> None:
        self._tables = {
            name: pl.DataFrame(list(rows), schema=SHAPE).with_columns(
                origin=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
            )
            for name, rows in tables.items()
        }

    def scan(self, source: str, table: str) -> pl.LazyFrame | None:
        """The table, or None where the year has none."""
        assert source == "land"
        found = self._tables.get(table)
        return None if found is None else found.lazy()


def day(text: str | None) -> date | None:
    """``2024-07-01``."""
    return None if text is None else date.fromisoformat(text)


def holding(
    parcel: str, who: str | None, area: int, share: int | None = None, begin: str | None = None, end: str | None = None
) -> Row:
    """A row of the parcel table."""
    return {
        "parcel_code": parcel, "record_key": who, "area_dm2": area, "share_ppb": share, "from_on": day(begin), "to_on": day(end),
    }  # fmt: skip


def lease(parcel: str | None, lessor: str | None, lessee: str | None, area: int | None = None, share: int | None = None,
          begin: str | None = None, end: str | None = None) -> Row:  # fmt: skip
    """A row of the occupancy table."""
    return {
        "parcel_code": parcel, "lessor_key": lessor, "lessee_key": lessee, "area_dm2": area, "share_ppb": share,
        "from_on": day(begin), "to_on": day(end),
    }  # fmt: skip


def links(*names: str) -> pl.DataFrame:
    """Each record key linked to the enterprise ``E-<key>``."""
    return pl.DataFrame({"record_key": list(names), "enterprise_id": [f"E-{n}" for n in names]})
