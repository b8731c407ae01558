"""Areas of polygons in longitude and latitude, and the parcels' table with declared against drawn area.

Area: polygons are mapped to the GRS80 cylindrical equal-area plane (longitude × authalic latitude) and measured there
with shapely. Rectangular parcels come within 1e-6 of the geodesic area; irregular ones with sides of some 100 m within
1e-5, because a straight edge of that plane is not quite a geodesic.
Source of the formula: Snyder, Map Projections: A Working Manual (1987), eq. 3-12.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import shapely

_A = 6378137.0  # GRS80 semi-major axis, m
_F = 1 / 298.257222101
_E2 = _F * (2 - _F)
_E = np.sqrt(_E2)


def _equal_area(lonlat: np.ndarray) -> np.ndarray:
    sine = np.sin(np.radians(lonlat[:, 1]))
    es = _E * sine
    q = (1 - _E2) * (sine / (1 - es * es) - np.log((1 - es) / (1 + es)) / (2 * _E))
    return np.column_stack((_A * np.radians(lonlat[:, 0]), _A * q / 2))


def area_dm2(wkb: pl.Series) -> pl.Series:
    """Area in dm² (Int64) of each WKB polygon in lon/lat on GRS80; null for null and for anything but a polygon."""
    shapes = shapely.from_wkb(wkb.to_numpy())
    areas = shapely.area(shapely.transform(shapes, _equal_area))
    drawn = np.where(np.isfinite(areas) & (areas > 0), np.rint(areas * 100), -1)
    return pl.Series(wkb.name, drawn.astype(np.int64)).replace(-1, None)


def union_parcels(declared: pl.DataFrame, shapes: pl.DataFrame) -> pl.DataFrame:
    """One row a parcel: declared ``area_dm2``, ``drawn_dm2`` (its polygons summed), geometry (WKB) and its bounds.

    ``declared``: parcel_code, area_dm2. ``shapes``: parcel_code, geometry; several polygons of a parcel are collected.
    """
    drawn = shapes.with_columns(drawn_dm2=area_dm2(shapes["geometry"])).group_by("parcel_code", maintain_order=True)
    whole = drawn.agg(pl.col("drawn_dm2").sum(), polygons=pl.len().cast(pl.Int32), geometry=pl.col("geometry"))
    joined = declared.join(whole, on="parcel_code", how="full", coalesce=True).sort("parcel_code")
    collected = pl.Series("geometry", [_collect(parts) for parts in joined["geometry"]], dtype=pl.Binary)
    bounds = shapely.bounds(shapely.from_wkb(collected.to_numpy()))
    corners = {name: bounds[:, n] for n, name in enumerate(("minx", "miny", "maxx", "maxy"))}
    return joined.with_columns(collected, **{k: pl.Series(v).fill_nan(None) for k, v in corners.items()})


def _collect(parts: pl.Series | None) -> bytes | None:
    if parts is None:
        return None
    if len(parts) == 1:
        return parts[0]
    pieces = [p for shape in shapely.from_wkb(parts.to_list()) for p in shapely.get_parts(shape)]
    return shapely.to_wkb(shapely.multipolygons(pieces))


def area_disputes(parcels: pl.DataFrame, percent: int, least_dm2: int) -> pl.DataFrame:
    """Parcels whose declared area is off the drawn one by more than ``percent`` of it and ``least_dm2``."""
    off = (pl.col("area_dm2") - pl.col("drawn_dm2")).abs()
    return parcels.filter(
        (pl.col("area_dm2") > 0) & (off * 100 > pl.col("drawn_dm2") * percent) & (off > least_dm2)
    ).select("parcel_code", "area_dm2", "drawn_dm2", "polygons")
