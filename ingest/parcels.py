"""The parcels of a year with declared and drawn area, and where the two disagree."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ingest.canonical import Year
from ingest.geometry import area_disputes, area_dm2, union_parcels
from ingest.rules import Rules

_DECLARED = {"parcel_code": pl.String, "area_dm2": pl.Int64}
_SHAPES = {"parcel_code": pl.String, "geometry": pl.Binary, "stated_dm2": pl.Int64}


def write(year: Year, folder: Path, rules: Rules) -> tuple[pl.DataFrame, dict[str, int]]:
    """``parcels.parquet`` and ``area_disputes.parquet``; the parcels without geometry, and counts."""
    declared, shapes = _declared(year), _shapes(year)
    parcels = union_parcels(declared, shapes.drop("stated_dm2"))
    parcels.write_parquet(folder / "parcels.parquet", row_group_size=20_000)
    limits = rules.area_dispute
    disputes = area_disputes(parcels, limits.percent, limits.least_dm2)
    disputes.write_parquet(folder / "area_disputes.parquet")
    single = shapes.with_columns(drawn_dm2=area_dm2(shapes["geometry"]), polygons=pl.lit(1)).join(
        declared, on="parcel_code"
    )
    counts = {
        "parcels": parcels.height,
        "polygons": shapes.height,
        "polygons_of_declared_parcels": single.height,
        "polygons_with_declared_area": single.filter(pl.col("area_dm2") > 0).height,
        "polygon_disputes": area_disputes(single, limits.percent, limits.least_dm2).height,
        "parcels_without_polygon": parcels.filter(pl.col("geometry").is_null()).height,
        "polygons_without_parcel": shapes.height - single.height,
        "area_disputes": disputes.height,
    }
    return parcels.drop("geometry"), counts


def _declared(year: Year) -> pl.DataFrame:
    """One area a parcel: the largest that its rows state (co-holders repeat the parcel's area)."""
    rows = year.scan("land", "parcel")
    if rows is None:
        return pl.DataFrame(schema=_DECLARED)
    return rows.group_by("parcel_code").agg(pl.col("area_dm2").max()).sort("parcel_code").collect()


def _shapes(year: Year) -> pl.DataFrame:
    found = []
    for table in ("parcel", "parcel_shape"):
        rows = year.scan("land", table)
        if rows is not None and "geometry" in rows.collect_schema().names():
            drawn = rows.filter(pl.col("geometry").is_not_null()).sort("origin")
            found.append(drawn.select("parcel_code", "geometry", stated_dm2="area_dm2").collect())
    return pl.concat(found) if found else pl.DataFrame(schema=_SHAPES)
