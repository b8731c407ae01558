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
    move = _transform(crs)
    if seen and pyproj.CRS.from_user_input(crs).is_geographic and not _within(seen, _WORLD):
        if not _meets(seen, _WORLD):
            raise _no_crs(path, *_why_beyond(seen))
        notes.append("some coordinates lie outside the globe: those features are refused")
        move = _as_they_are_beyond(move)
    if stated is None:
        notes.append(f"coordinate system {'declared' if declared else 'not stated; by its coordinates'} {crs}")
    return move


def misplaced(bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of shapes said to be in lon/lat, by their ``bounds`` (n × 4; NaN where there is none): which have their axes
    swapped (latitude first: turned round they lie in China, as they are they do not) and which are no degrees at all."""
    west, south, east, north = bounds.T
    with np.errstate(invalid="ignore"):
        beyond = (west < _WORLD[0]) | (east > _WORLD[2]) | (south < _WORLD[1]) | (north > _WORLD[3])
        turned = (west >= _CHINA[1]) & (east <= _CHINA[3]) & (south >= _CHINA[0]) & (north <= _CHINA[2])
    return turned, beyond & ~turned & np.isfinite(bounds).all(axis=1)


def _why_beyond(seen: Bounds) -> tuple[str, str]:
    """What coordinates that should be degrees and are nowhere on the globe seem to be, in English and Chinese."""
    swapped, _ = misplaced(np.array([seen]))
    if swapped[0]:
        en = "the axes are swapped: latitude comes first; export the layer again with longitude first"
        return en, "经纬度顺序颠倒（纬度在前）；请按先经度后纬度重新导出"
    x, y = f"{seen[0]:.0f}", f"{seen[1]:.0f}"
    en = f"stated as degrees, but they are metres or another unit, outside the globe ({x} {y}); state the true system"
    return en, f"声明为经纬度，但数值（{x} {y}）超出范围，应为米等单位；请注明真实坐标系"


def _as_they_are_beyond(move: Move) -> Move:
    """``move`` for the points on the globe; the others stay as they are, to be refused one by one under their reason."""

    def moved(points: np.ndarray) -> np.ndarray:
        on = (np.abs(points[:, 0]) <= _WORLD[2]) & (np.abs(points[:, 1]) <= _WORLD[3])
        out = points.copy()
        out[on] = move(points[on])
        return out

    return moved


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


def _meets(bounds: Bounds, area: Bounds) -> bool:
    west, south, east, north = bounds
    return west <= area[2] and east >= area[0] and south <= area[3] and north >= area[1]


def _no_crs(path: Path, en: str, zh: str) -> PermuError:
    return PermuError(
        "no_crs",
        f"{path}: coordinate system unclear: {en}; add the .prj, or write crs: EPSG:… (or crs: gcj02) into a file for --mapping",
        f"{path}：坐标系不明：{zh}；请补上 .prj，或在 --mapping 文件中写明 crs: EPSG:…（或 crs: gcj02）",
        path=str(path),
    )
