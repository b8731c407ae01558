"""A layer of a release as a file for GIS: GeoJSON (lon/lat) and GeoPackage, FlatGeobuf, shapefile in a chosen system."""

from __future__ import annotations

from pathlib import Path

import geopandas
import polars as pl
import pyogrio
import shapely

from engine.layers import geojson, parcels
from engine.releases import Release
from engine.schema.errors import PermuError

DRIVERS = {"geojson": "GeoJSON", "gpkg": "GPKG", "fgb": "FlatGeobuf"}


def export(release: Release, layer: str, form: str, place: Path, crs: str = "EPSG:4490") -> int:
    """Write ``layer`` to ``place``, whole or not at all; how many features. PermuError bad_crs, cannot_write."""
    part = place.with_name(f".part-{place.name}")
    try:
        if form == "geojson":
            part.write_bytes(geojson(release, layer))
        else:
            _frame(release, crs).to_file(part, layer=layer, driver=DRIVERS[form], engine="pyogrio")
        features = pyogrio.read_info(part)["features"]
        part.replace(place)
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise PermuError(
            "cannot_write",
            f"--out {place}: {error}; name a file in a folder that exists and that you may write",
            f"--out {place}：{error}；请指定可写目录中的文件",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return int(features)


def _frame(release: Release, crs: str) -> geopandas.GeoDataFrame:
    table = parcels(release).with_columns(pl.col("enterprise_ids").list.join(","))
    shapes = shapely.from_wkb(table["geometry"].to_list())
    columns = {name: table[name].to_list() for name in table.columns if name != "geometry"}
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4490")
    try:
        return frame.to_crs(crs)
    except Exception as error:  # pyproj raises several kinds for a text that names no system
        raise PermuError(
            "bad_crs",
            f"--crs {crs}: not a coordinate system that is known; write EPSG:4490, EPSG:4549 or EPSG:3857",
            f"--crs {crs}：无法识别的坐标系；请写作 EPSG:4490、EPSG:4549 或 EPSG:3857",
        ) from error
