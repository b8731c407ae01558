"""Which months and counties each source covers, and where it has holes.

A row's county is the one it states, else that of the enterprise which its key names in the year's register. A source
is expected to cover every county of the register, a monthly one every month of the year, a quarterly one its quarters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import polars as pl

from engine.schema.codes import region_name
from engine.schema.names import name_key
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year

COUNTY_DIGITS = 6
_QUARTERS = {3, 6, 9, 12}
_MONTHS = set(range(1, 13))
_MONTHS_FROM = 9999  # periods above are yyyymm, others are yyyy
_FIRST = 20_000  # rows of a month in which all counties are looked for first
# Lists of the bureau, not records of enterprises by place.
WITHOUT_PLACE = ("regions", "relations", "exemptions", "events")


@dataclass
class Covered:
    """Months held by one source in one year, by county ("" where no county is known); {0} for rows of a whole year."""

    months: dict[str, set[int]] = field(default_factory=dict)

    def add(self, period: int | None, county: str) -> None:
        """A row of ``period`` (yyyymm, or a whole year) and county."""
        month = period % 100 if period is not None and period > _MONTHS_FROM else 0
        self.months.setdefault(county, set()).add(month)

    @property
    def held(self) -> list[int]:
        """Months 1 … 12 of which any row is held."""
        return sorted({m for months in self.months.values() for m in months} - {0})

    @property
    def expected(self) -> set[int]:
        """The months that a county must have: all, the quarters' last ones, or none for yearly records."""
        held = set(self.held)
        return set() if not held else _QUARTERS if held <= _QUARTERS else _MONTHS

    def holes(self, counties: set[str]) -> list[dict[str, Any]]:
        """Counties without any row (``months`` [] for a yearly source), or without some of the months."""
        found = []
        for county in sorted(counties | (set(self.months) - {""})):
            held = self.months.get(county, set())
            missing = sorted(self.expected - held) if 0 not in held else []
            if missing or not held:
                found.append({"county": county, "name": region_name(county), "months": missing})
        if not counties and not set(self.months) - {""} and (missing := sorted(self.expected - set(self.held))):
            found.append({"county": None, "name": None, "months": missing})
        return found


def covered(warehouse: Warehouse, year: int) -> tuple[dict[str, Covered], set[str]]:
    """What each source of the year covers, and the counties of its register."""
    rows = Year(warehouse, year)
    register = _register(rows)
    found: dict[str, Covered] = {}
    for source, table in sorted(rows.tables()):
        scan = rows.scan(source, table)
        if scan is not None and source not in WITHOUT_PLACE:
            _add(found.setdefault(source, Covered()), scan, register)
    return found, register.counties if register is not None else set()


def _add(into: Covered, rows: pl.LazyFrame, register: _Register | None) -> None:
    columns = rows.collect_schema().names()
    month = pl.col("period") if "period" in columns else pl.lit(None, dtype=pl.Int32)
    stated = pl.col("region_code").str.slice(0, COUNTY_DIGITS) if "region_code" in columns else pl.lit(None, pl.String)
    keys: list[str] = [k for k in ("record_key", "uscc", "name") if k in columns]
    placed = rows.select(*keys, month=month, county=stated)
    if register is not None:
        whole = _whole(placed, keys, register)
        for period, county in product(whole, register.counties):
            into.add(period, county)
        settled = pl.col("month").is_in(whole.implode(), nulls_equal=True)
        asked = placed.filter(pl.col("county").is_null(), ~settled)
        placed = pl.concat([placed.filter(pl.col("county").is_not_null()), register.by_codes(asked, keys)])
    pairs = _pairs(placed)
    if register is not None and "name" in keys and (pairs["county"] == "").any():
        # Folding names is dear: once a distinct name, and only where codes left rows without a county.
        pairs = _pairs(register.by_names(placed, rows))
    for period, county in pairs.iter_rows():
        into.add(period, county)


def _whole(placed: pl.LazyFrame, keys: list[str], register: _Register) -> pl.Series:
    """The months whose first rows name every county of the register already: what their other rows would be looked up
    for is known."""
    months = placed.select("month").unique().collect(engine="streaming")["month"]
    first = [placed.filter(pl.col("month").eq_missing(pl.lit(m, dtype=months.dtype))).head(_FIRST) for m in months]
    told = _pairs(register.by_codes(pl.concat([placed.head(0), *first]), keys))
    counties = told.filter(pl.col("county").is_in(register.counties)).group_by("month").len()
    return counties.filter(pl.col("len") == len(register.counties))["month"]


def _pairs(placed: pl.LazyFrame) -> pl.DataFrame:
    """Distinct month and county ("" where none is known)."""
    return placed.select("month", pl.col("county").fill_null("")).unique().collect(engine="streaming")


@dataclass(frozen=True)
class _Register:
    """Keys of the year's enterprises → county; a key of two counties tells none."""

    codes: pl.LazyFrame
    names: pl.LazyFrame
    counties: set[str]

    def by_codes(self, placed: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
        """Counties of rows that state none, by record key or credit code."""
        for key in [k for k in ("record_key", "uscc") if k in keys]:
            asked = pl.col(key) if key == "record_key" else "uscc:" + pl.col(key)
            found = placed.with_columns(key=asked).join(self.codes, on="key", how="left")
            placed = found.with_columns(county=pl.coalesce("county", "known")).drop("key", "known")
        return placed

    def by_names(self, placed: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Counties of rows that still have none, by name."""
        spelt = rows.select("name").unique().with_columns(key=name_key(pl.col("name")))
        known = spelt.join(self.names, on="key").select("name", "known").collect(engine="streaming").lazy()
        found = placed.join(known, on="name", how="left")
        return found.with_columns(county=pl.coalesce("county", "known"))


def _register(year: Year) -> _Register | None:
    rows = year.scan("commerce", "enterprise")
    if rows is None:
        return None
    firms = rows.select("record_key", "uscc", "name", known=pl.col("region_code").str.slice(0, COUNTY_DIGITS))
    firms = firms.drop_nulls("known").collect(engine="streaming").lazy()
    codes = [
        firms.select("known", key="record_key"),
        firms.select("known", key="uscc:" + pl.col("uscc")),
        firms.select("known", key="org_code:" + pl.col("uscc").str.slice(8, 9)),
    ]
    counties = firms.select("known").unique().collect()["known"].to_list()
    named = firms.select("known", key=name_key(pl.col("name")))
    return _Register(_distinct(pl.concat(codes)).collect().lazy(), _distinct(named), set(counties))


def _distinct(keys: pl.LazyFrame) -> pl.LazyFrame:
    return keys.drop_nulls().unique().unique("key", keep="none")
