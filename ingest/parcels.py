"""The parcels of a year: declared and drawn area, where the two disagree, and what is wrong with the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import shapely

from ingest.canonical import Year
from ingest.drawn import outside_regions, overlaps
from ingest.geometry import area_dm2, dm2
from ingest.regions import write_regions
from ingest.rules import Rules

_DECLARED = {"parcel_code": pl.String, "area_dm2": pl.Int64, "origin": pl.Int64}
_SHAPES = {"parcel_code": pl.String, "geometry": pl.Binary, "ring_dm2": pl.Int64, "origin": pl.Int64}
FINDING = {"finding": pl.String, "parcel_code": pl.String, "other": pl.String, "region_code": pl.String,
           "value": pl.Int64, "origin": pl.Int64}  # fmt: skip


@dataclass(frozen=True)
class Parcels:
    """``table`` without geometry, ``found`` about drawings (``FINDING``), ``places``: origin of each parcel's first
    row, and counts."""

    table: pl.DataFrame
    found: pl.DataFrame
    places: pl.DataFrame
    counts: dict[str, int]


def write(year: Year, folder: Path, rules: Rules) -> Parcels:
    """``parcels.parquet``, ``area_disputes.parquet`` and, where the bureau drew them, ``regions.parquet``."""
    declared, shapes = _declared(year), drawings(year)
    parcels = union_parcels(declared.drop("origin"), shapes.select("parcel_code", "geometry"))
    parcels.write_parquet(folder / "parcels.parquet", row_group_size=20_000)
    limits = rules.area_dispute
    # A ring that had to be repaired says little of the area: it is a finding of its own.
    repaired = shapes.filter(pl.col("ring_dm2").is_not_null())
    sound = parcels.filter(~pl.col("parcel_code").is_in(repaired["parcel_code"].implode()).fill_null(False))
    disputes = area_disputes(sound, limits.percent, limits.least_dm2)
    disputes.write_parquet(folder / "area_disputes.parquet")
    single = shapes.with_columns(drawn_dm2=area_dm2(shapes["geometry"]), polygons=pl.lit(1))
    single = single.join(declared.drop("origin"), on="parcel_code")
    found = pl.concat([_repaired(shapes), *_placed(parcels, write_regions(year, folder), rules)])
    drawn = shapes.group_by("parcel_code").agg(place=pl.col("origin").min())
    found = found.join(drawn, on="parcel_code", how="left", maintain_order="left")
    found = found.with_columns(origin=pl.coalesce("origin", "place")).drop("place")
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
    return Parcels(parcels.drop("geometry"), found, _places(declared, shapes), counts)


def _places(declared: pl.DataFrame, shapes: pl.DataFrame) -> pl.DataFrame:
    """``parcel_code`` and the origin of its first row, in either table."""
    rows = [frame.select("parcel_code", "origin") for frame in (declared, shapes)]
    if shapes.is_empty():  # then each parcel has its one row
        return rows[0]
    return pl.concat(rows).group_by("parcel_code").agg(pl.col("origin").min())


def _declared(year: Year) -> pl.DataFrame:
    """One area a parcel: the largest that its rows state (co-holders repeat the parcel's area)."""
    rows = year.scan("land", "parcel")
    if rows is None:
        return pl.DataFrame(schema=_DECLARED)
    return (
        rows.group_by("parcel_code").agg(pl.col("area_dm2").max(), pl.col("origin").min()).sort("parcel_code").collect()
    )


def drawings(year: Year) -> pl.DataFrame:
    """Every polygon of the year's layers: parcel_code, geometry, ``ring_dm2`` (before its repair, else null), origin."""
    found = []
    for table in ("parcel", "parcel_shape"):
        rows = year.scan("land", table)
        if rows is not None and "geometry" in (names := rows.collect_schema().names()):
            before = pl.col("ring_dm2") if "ring_dm2" in names else pl.lit(None, dtype=pl.Int64).alias("ring_dm2")
            drawn = rows.filter(pl.col("geometry").is_not_null()).sort("origin")
            found.append(drawn.select("parcel_code", "geometry", before, "origin").collect())
    return pl.concat(found) if found else pl.DataFrame(schema=_SHAPES)


def union_parcels(declared: pl.DataFrame, shapes: pl.DataFrame) -> pl.DataFrame:
    """One row a parcel: declared ``area_dm2``, ``drawn_dm2`` (its polygons together), geometry (WKB) and its bounds.

    ``declared``: parcel_code, area_dm2. ``shapes``: parcel_code, geometry. Several polygons of a parcel are collected;
    where they cover each other (a parcel drawn in two layers) the ground counts once.
    """
    grouped = shapes.group_by("parcel_code", maintain_order=True).agg(
        polygons=pl.len().cast(pl.Int32), geometry=pl.col("geometry")
    )
    joined = declared.join(grouped, on="parcel_code", how="full", coalesce=True).sort("parcel_code")
    several = (joined["polygons"] > 1).fill_null(False).arg_true()
    collected = joined["geometry"].list.first()
    collected = collected.scatter(several, [_collect(parts) for parts in joined["geometry"].gather(several)])
    drawn = shapely.from_wkb(collected.to_numpy())
    corners = dict(zip(("minx", "miny", "maxx", "maxy"), shapely.bounds(drawn).T, strict=True))
    bounds = {name: pl.Series(values).fill_nan(None) for name, values in corners.items()}
    order = ["parcel_code", "area_dm2", "drawn_dm2", "polygons", "geometry", *bounds]
    return joined.with_columns(collected, dm2(drawn).alias("drawn_dm2"), **bounds).select(order)


def _collect(parts: pl.Series) -> bytes:
    shapes = shapely.from_wkb(parts.to_list())
    together = shapely.multipolygons([p for shape in shapes for p in shapely.get_parts(shape)])
    return bytes(shapely.to_wkb(together if together.is_valid else shapely.union_all(shapely.make_valid(shapes))))


def area_disputes(parcels: pl.DataFrame, percent: int, least_dm2: int) -> pl.DataFrame:
    """Parcels whose declared area is off the drawn one by more than ``percent`` of it and ``least_dm2``."""
    off = (pl.col("area_dm2") - pl.col("drawn_dm2")).abs()
    return parcels.filter(
        (pl.col("area_dm2") > 0) & (off * 100 > pl.col("drawn_dm2") * percent) & (off > least_dm2)
    ).select("parcel_code", "area_dm2", "drawn_dm2", "polygons")


# --- what is wrong with the drawing --------------------------------------------------------------------------------


def _repaired(shapes: pl.DataFrame) -> pl.DataFrame:
    """Polygons whose rings had to be made valid; ``value`` is the area before."""
    broken = shapes.filter(pl.col("ring_dm2").is_not_null())
    return _found(broken.select("parcel_code", "origin", value="ring_dm2"), "geometry_repaired")


def _placed(parcels: pl.DataFrame, counties: dict[str, shapely.Geometry], rules: Rules) -> list[pl.DataFrame]:
    drawn = parcels.filter(pl.col("geometry").is_not_null())
    shapes = np.asarray(shapely.from_wkb(drawn["geometry"].to_numpy()), dtype=object)
    codes, areas = drawn["parcel_code"], drawn["drawn_dm2"]
    limits = rules.parcel_overlap
    pairs = overlaps(codes, areas, shapes, limits.percent, limits.least_dm2)
    limits = rules.outside_region
    strays = outside_regions(codes, areas, shapes, counties, limits.percent, limits.least_dm2)
    return [_found(pairs, "parcel_overlap"), _found(strays, "outside_region")]


def _found(rows: pl.DataFrame, finding: str) -> pl.DataFrame:
    named = rows.with_columns(finding=pl.lit(finding))
    return named.select(
        pl.col(n) if n in named.columns else pl.lit(None, dtype=kind).alias(n) for n, kind in FINDING.items()
    )
