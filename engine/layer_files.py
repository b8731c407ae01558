"""A layer of a release as a file for GIS: GeoJSON (lon/lat), and in a chosen coordinate system GeoPackage, FlatGeobuf,
GeoParquet and shapefile (UTF-8, a .cpg says so; its names have ten characters: ``SHORT``)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import geopandas
import polars as pl
import pyogrio
import shapely

from engine.layers import geojson, table
from engine.releases import Release
from engine.schema.errors import PermuError

DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf", "shp": "ESRI Shapefile"}
FORMATS = ("geojson", "gpkg", "fgb", "geoparquet", "shp")
# Field names of shapefiles, where the first ten characters would not tell two apart or say little.
SHORT = {
    "parcel_code": "parcel", "enterprise_id": "ent_id", "enterprise_ids": "ent_ids", "enterprises": "ent_count",
    "industry_code": "industry", "region_code": "region_cd", "scale_group": "scale_grp", "output_per_mu": "out_mu",
    "benefit_per_mu": "ben_mu", "rank_output_per_mu": "rank_out", "rank_benefit_per_mu": "rank_ben",
}  # fmt: skip
_TEN = 10


def export(release: Release, layer: str, form: str, place: Path, crs: str = "EPSG:4490") -> int:
    """Write ``layer`` to ``place``, whole or not at all; how many features. PermuError bad_crs, cannot_write."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".part-{place.name}-", dir=place.parent) as folder:
            part = Path(folder) / place.name
            features = _write(release, layer, form, part, crs)
            # A shapefile is several files; the one that is named comes last.
            for file in sorted(Path(folder).iterdir(), key=lambda f: f == part):
                file.replace(place.with_name(file.name))
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise PermuError(
            "cannot_write",
            f"--out {place}: {error}; name a file in a folder that exists and that you may write",
            f"--out {place}：{error}；请指定可写目录中的文件",
        ) from error
    return features


def _write(release: Release, layer: str, form: str, part: Path, crs: str) -> int:
    if form == "geojson":
        part.write_bytes(geojson(release, layer))
        return int(pyogrio.read_info(part, force_feature_count=True)["features"])
    frame = _frame(table(release, layer), crs)
    if form == "geoparquet":
        frame.to_parquet(part, index=False, compression="zstd", write_covering_bbox=True)
        return len(frame)
    if form == "shp":
        part = _named_shp(part)
        frame = frame.rename(columns=shortened(c for c in frame.columns if c != "geometry"))
        frame.to_file(part, driver=DRIVERS[form], engine="pyogrio", encoding="UTF-8")
    else:
        # FlatGeobuf's index has no place for rows without a shape.
        plain = {"SPATIAL_INDEX": "NO"} if form == "fgb" and frame.geometry.isna().any() else {}
        frame.to_file(part, layer=layer, driver=DRIVERS[form], engine="pyogrio", **plain)
    return int(pyogrio.read_info(part, force_feature_count=True)["features"])


def _named_shp(part: Path) -> Path:
    if part.suffix.lower() == ".shp":
        return part
    raise PermuError(
        "bad_out",
        f"--out {part.name}: a shapefile's name ends in .shp (its .dbf, .shx, .prj and .cpg are written beside it)",
        f"--out {part.name}：shapefile 的文件名须以 .shp 结尾（.dbf、.shx、.prj、.cpg 同时写出）",
    )


def shortened(names: Iterable[str]) -> dict[str, str]:
    """Long name → one of at most ten characters, each of them once."""
    found: dict[str, str] = {}
    for name in names:
        short, number = SHORT.get(name, name)[:_TEN], 1
        while short in found.values():
            number += 1
            short = f"{name[: _TEN - len(str(number))]}{number}"
        found[name] = short
    return found


def _frame(rows: pl.DataFrame, crs: str) -> geopandas.GeoDataFrame:
    lists = [c for c, kind in rows.schema.items() if kind == pl.List(pl.String)]
    rows = rows.with_columns(pl.col(lists).list.join(","))
    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    columns = {name: rows[name].to_list() for name in rows.columns if name != "geometry"}
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4490")
    try:
        return frame.to_crs(crs)
    except Exception as error:  # pyproj raises several kinds for a text that names no system
        raise PermuError(
            "bad_crs",
            f"--crs {crs}: not a coordinate system that is known; write EPSG:4490, EPSG:4549 or EPSG:3857",
            f"--crs {crs}：无法识别的坐标系；请写作 EPSG:4490、EPSG:4549 或 EPSG:3857",
        ) from error
