"""Which coordinate system a layer is in, and its points as lon/lat in EPSG:4490 (CGCS2000).

A declaration may say it (``crs: gcj02`` or ``crs: EPSG:4549`` in the source or mapping file); GCJ-02 has no code that a
.prj could state, so that declaration stands above what the file says. Else the file's own statement counts, else what the
coordinates themselves show: degrees within China, or a Gauss-Krüger easting with its zone number. Nothing else is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyproj

from engine.schema.errors import PermuError
from ingest.read import gcj02

TARGET = "EPSG:4490"
GCJ02 = "gcj02"
_CHINA = (73.0, 3.0, 136.0, 54.5)
_WORLD = (-180.001, -90.001, 180.001, 90.001)
Move = Callable[[np.ndarray], np.ndarray]
Bounds = tuple[float, float, float, float]


def known(crs: str) -> bool:
    """Whether a declaration's ``crs`` names a system: ``gcj02`` or what PROJ knows (``EPSG:4549``)."""
    if crs.lower() == GCJ02:
        return True
    try:
        pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return False
    return True


def mover(path: Path, stated: str | None, bounds: Bounds | None, declared: str | None, notes: list[str]) -> Move:
    """A function from the layer's points (n × 2) to lon/lat; what was decided goes into ``notes``.

    Raises:
        PermuError: ``no_crs`` where neither file, declaration nor coordinates settle it, or they contradict each other.
    """
    if declared and not known(declared):
        told = (f"{declared} is no coordinate system that is known", f"不认识坐标系 {declared}")
        raise _no_crs(path, *told)
    seen = bounds if bounds is not None and np.isfinite(bounds).all() else None
    if declared and declared.lower() == GCJ02:
        if seen and not _within(seen, _WORLD):
            raise _no_crs(path, "declared as gcj02, but they are not degrees", "声明为 gcj02，但坐标不是经纬度")
        notes.append("coordinates declared as GCJ-02: moved to EPSG:4490")
        return gcj02.to_lonlat
    crs = stated or declared or _shown(seen)
    if crs is None:
        raise _no_crs(path, "the .prj is missing and they do not show a system", "缺少 .prj，坐标值也无法判断坐标系")
    if seen and pyproj.CRS.from_user_input(crs).is_geographic and not _within(seen, _WORLD):
        raise _no_crs(path, "stated as degrees, but they lie outside the globe", "声明为经纬度，但数值超出范围")
    if stated is None:
        notes.append(f"coordinate system {'declared' if declared else 'not stated; by its coordinates'} {crs}")
    return _transform(crs)


@cache
def _transform(crs: str) -> Move:
    transformer = pyproj.Transformer.from_crs(crs, TARGET, always_xy=True)

    def move(points: np.ndarray) -> np.ndarray:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return move


def _shown(bounds: Bounds | None) -> str | None:
    """Degrees within China are CGCS2000; an easting with a 3-degree zone number before it is that Gauss-Krüger zone."""
    if bounds is None or _within(bounds, _CHINA):
        return TARGET
    west, south, east, north = bounds
    zone = int(west // 1_000_000)
    same = zone == int(east // 1_000_000)
    return f"EPSG:{4513 + zone - 25}" if same and 25 <= zone <= 45 and 0 < south < north < 10_000_000 else None


def _within(bounds: Bounds, area: Bounds) -> bool:
    west, south, east, north = bounds
    return area[0] <= west <= east <= area[2] and area[1] <= south <= north <= area[3]


def _no_crs(path: Path, en: str, zh: str) -> PermuError:
    return PermuError(
        "no_crs",
        f"{path}: coordinate system unclear: {en}; add the .prj, or write crs: EPSG:… (or crs: gcj02) into a file for --mapping",
        f"{path}：坐标系不明：{zh}；请补上 .prj，或在 --mapping 文件中写明 crs: EPSG:…（或 crs: gcj02）",
        path=str(path),
    )
