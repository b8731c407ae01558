"""What the departments' rows say of records that no code identified: name, address, region; for land the parcel's."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingest.canonical import Year

ASKED = {"record_key": pl.String, "name": pl.String, "address": pl.String, "region_code": pl.String}
# Reasons of ingest.link that leave a record to its name; a code that the register does not know is evidence against
# the name, so that those records are only ever proposed.
BY_NAME = ("no_enterprise_of_this_name", "several_enterprises_of_this_name")
BY_CODE = ("code_not_in_register",)


@dataclass(frozen=True)
class _Side:
    """A table's columns that tell of one key: key, name, and what stands for address and region."""

    table: str
    key: str
    name: str
    address: str | None
    region: str | None


_LAND = (
    _Side("parcel", "record_key", "holder_name", "location", "parcel_code"),
    _Side("occupancy", "lessor_key", "lessor_name", None, "parcel_code"),
    _Side("occupancy", "lessee_key", "lessee_name", None, "parcel_code"),
)


def attributes(year: Year, source: str, keys: pl.Series) -> pl.DataFrame:
    """One row a key of ``keys`` that any row of the source holds: ASKED, each the first that is not empty."""
    sides = _LAND if source == "land" else _sides(year, source)
    told = [part for side in sides if (part := _told(year, source, side, keys)) is not None]
    if not told:
        return pl.DataFrame(schema=ASKED)
    firsts = [pl.col(c).drop_nulls().first() for c in ("name", "address", "region_code")]
    grouped = pl.concat(told).sort("record_key", "at", "origin").group_by("record_key", maintain_order=True).agg(firsts)
    named = pl.col("record_key").str.strip_prefix("name:")
    own = pl.when(pl.col("record_key").str.starts_with("name:")).then(named)
    return grouped.with_columns(name=pl.coalesce("name", own)).select(list(ASKED))


def _sides(year: Year, source: str) -> list[_Side]:
    tables = sorted(table for found, table in year.tables() if found == source)
    own = [_Side(table, "record_key", "name", "address", "region_code") for table in tables]
    return [*own, *(_Side(table, "sharer_key", "name", None, None) for table in tables if table == "meter_share")]


def _told(year: Year, source: str, side: _Side, keys: pl.Series) -> pl.DataFrame | None:
    rows = year.scan(source, side.table)
    held = [] if rows is None else rows.collect_schema().names()
    if rows is None or side.key not in held or (side.table == "meter_share" and side.key == "record_key"):
        return None
    nothing = pl.lit(None, dtype=pl.String)
    wanted = {"name": side.name, "address": side.address, "region_code": side.region}
    columns = {name: pl.col(c) if c in held else nothing for name, c in wanted.items()}
    asked = rows.select(
        "origin", record_key=pl.col(side.key), at=pl.lit(f"{side.table}.{side.key}"), **columns
    ).join(keys.alias("record_key").to_frame().lazy(), on="record_key", how="semi")  # fmt: skip
    once = ("record_key", "name", "address", "region_code")
    return asked.sort("origin").unique(once, keep="first", maintain_order=True).collect()
