"""GCJ-02, the coordinates that Chinese map services shift (Amap, Tencent, most downloads) ⇄ CGCS2000.

The shift is a published sum of sines over a Krasovsky ellipsoid; its inverse has no closed form and is found by iteration
(converges by three digits a step; stops at 1e-10 degrees, a hundredth of a millimetre). Outside China nothing is shifted.
WGS 84 and CGCS2000 agree within centimetres, so that the result counts as EPSG:4490.
"""

from __future__ import annotations

import numpy as np

_A, _E2 = 6378245.0, 0.00669342162296594323
_STEPS, _CLOSE = 12, 1e-10
# West, south, east, north: the rectangle within which services shift.
CHINA = (72.004, 0.8293, 137.8347, 55.8271)

Points = np.ndarray  # n × 2: longitude, latitude in degrees


def from_lonlat(points: Points) -> Points:
    """CGCS2000 (or WGS 84) → GCJ-02."""
    lon, lat = points[:, 0], points[:, 1]
    inside = (lon >= CHINA[0]) & (lon <= CHINA[2]) & (lat >= CHINA[1]) & (lat <= CHINA[3])
    return points + np.where(inside[:, None], _shift(lon, lat), 0.0)


def to_lonlat(points: Points) -> Points:
    """GCJ-02 → CGCS2000: the point that is shifted to the given one."""
    found = points.copy()
    for _ in range(_STEPS):
        off = from_lonlat(found) - points
        found = found - off
        if not np.any(np.abs(off) > _CLOSE):
            break
    return found


def _shift(lon: np.ndarray, lat: np.ndarray) -> Points:
    x, y = lon - 105.0, lat - 35.0
    phi = np.radians(lat)
    magic = 1 - _E2 * np.sin(phi) ** 2
    north = _north(x, y) * 180.0 / (_A * (1 - _E2) / (magic * np.sqrt(magic)) * np.pi)
    east = _east(x, y) * 180.0 / (_A / np.sqrt(magic) * np.cos(phi) * np.pi)
    return np.column_stack((east, north))


def _waves(v: np.ndarray, *terms: tuple[float, float]) -> np.ndarray:
    return sum((weight * np.sin(v * np.pi * rate) for weight, rate in terms), np.zeros_like(v)) * 2 / 3


def _common(x: np.ndarray) -> np.ndarray:
    return _waves(x, (20.0, 6.0), (20.0, 2.0))


def _north(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    plain = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    return plain + _common(x) + _waves(y, (20.0, 1.0), (40.0, 1 / 3)) + _waves(y, (160.0, 1 / 12), (320.0, 1 / 30))


def _east(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    plain = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    return plain + _common(x) + _waves(x, (20.0, 1.0), (40.0, 1 / 3)) + _waves(x, (150.0, 1 / 12), (300.0, 1 / 30))
