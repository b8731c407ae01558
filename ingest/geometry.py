"""Areas of polygons in longitude and latitude on the GRS80 ellipsoid (EPSG:4490, EPSG:4326), to the geodesic.

What an edge is: between two corners a parcel's edge is the **geodesic**, the straight line on the ground, for that is
what a surveyor staked out; it is neither the straight line between the two pairs of degrees nor that of any map.

How: corners go to the cylindrical equal-area plane x = aλ, y = a·q(φ)/2 (Snyder 1987, eq. 3-12), where the shoelace
formula gives the area under chords. A geodesic is curved there; what lies between it and its chord is, for an edge of
Δλ that runs E = pΔλ east and N = aΔy/p north at the middle latitude φ (p: radius of the parallel),

    −sin φ · Δλ · (E² + 3N²) / 12

up to (length ÷ radius of the earth)⁴ (from the geodesic's equations dα = sin φ dλ, p·dλ = sin α ds, M·dφ = cos α ds: the
third-order term of its segment). With it thin and irregular parcels come within 1e-6 of ``pyproj.Geod``.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

_A = 6378137.0  # GRS80 semi-major axis, m
_F = 1 / 298.257222101
_E2 = _F * (2 - _F)
_E = np.sqrt(_E2)
_BATCH = 50_000  # polygons at a time: memory stays at some 100 MB whatever the layer holds

Floats = NDArray[np.float64]


def area_m2(shapes: NDArray[np.object_]) -> Floats:
    """Geodesic area in m² of each polygon or multipolygon in lon/lat; NaN for anything else and for empty ones."""
    found = [_areas(shapes[at : at + _BATCH]) for at in range(0, len(shapes), _BATCH)]
    return np.concatenate(found) if found else np.empty(0)


def _areas(shapes: NDArray[np.object_]) -> Floats:
    flat = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    parts, part_of = shapely.get_parts(shapes[flat], return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    sizes = np.abs(_ring_areas(rings))
    shell = np.diff(ring_of, prepend=-1) > 0  # a polygon's first ring is its shell, the others are holes
    within = np.bincount(part_of[ring_of], np.where(shell, sizes, -sizes), minlength=int(flat.sum()))
    areas = np.full(len(shapes), np.nan)
    areas[flat] = within
    return areas


def _ring_areas(rings: NDArray[np.object_]) -> Floats:
    """Signed geodesic area inside each closed ring, m²."""
    if not len(rings):
        return np.empty(0)
    corners, of = shapely.get_coordinates(rings, return_index=True)
    first = np.flatnonzero(np.diff(of, prepend=-1))
    lam = np.radians(corners[:, 0] - corners[first[of], 0])
    sine = np.sin(np.radians(corners[:, 1]))
    y = _authalic(sine)
    edge = of[1:] == of[:-1]  # the step from one ring to the next is no edge
    d_lam, d_y = np.diff(lam), np.diff(y)
    mid_lam, mid_y = (lam[1:] + lam[:-1]) / 2, (y[1:] + y[:-1]) / 2 - y[first[of[1:]]]
    middle = (sine[1:] + sine[:-1]) / 2
    parallel = _A * np.sqrt((1 - middle**2) / (1 - _E2 * middle**2))
    bend = middle * d_lam * ((parallel * d_lam) ** 2 + 3 * (_A * d_y / parallel) ** 2) / 12
    swept = _A * (mid_lam * d_y - mid_y * d_lam) / 2
    return np.bincount(of[1:], np.where(edge, swept - bend, 0.0), minlength=len(rings)).astype(np.float64)


def _authalic(sine: Floats) -> Floats:
    """y of the equal-area plane, m, from the sine of the latitude."""
    es = _E * sine
    return _A / 2 * (1 - _E2) * (sine / (1 - es * es) + np.arctanh(es) / _E)


def area_dm2(wkb: pl.Series) -> pl.Series:
    """Area in dm² (Int64) of each WKB polygon in lon/lat; null for null and for anything but a polygon with an area."""
    return dm2(shapely.from_wkb(wkb.to_numpy())).rename(wkb.name)


def dm2(shapes: NDArray[np.object_]) -> pl.Series:
    """:func:`area_m2` in whole dm², null where there is none."""
    areas = area_m2(shapes)
    drawn = np.where(np.isfinite(areas) & (areas > 0), np.rint(areas * 100), -1)
    return pl.Series(drawn.astype(np.int64)).replace(-1, None)
