"""A layer of a release as a file for GIS: GeoJSON (lon/lat) and PMTiles (Web Mercator), and in a chosen coordinate system
GeoPackage, FlatGeobuf, GeoParquet and shapefile."""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyproj
import shapely

from engine.layers import geoparquet, shapefile, tiles
from engine.layers.catalogue import LAYERS, layer_of, table
from engine.layers.features import collection
from engine.layers.limits import EVERYTHING, Limits
from engine.layers.origin import dated, origin, texts, title, words
from engine.releases import Release
from engine.schema.errors import PermuError

FORMATS = ("geojson", "gpkg", "fgb", "geoparquet", "shp", "pmtiles")
DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf", "shp": "ESRI Shapefile"}
NATIVE = "EPSG:4490"  # CGCS2000, longitude and latitude in degrees
_LON_LAT = ("EPSG:4490", "EPSG:4326", "OGC:CRS84")
# Formats whose standard fixes the coordinate system: what else may be asked, and which it is.
_FIXED = {"geojson": (_LON_LAT, "lon/lat (RFC 7946)"), "pmtiles": ((NATIVE, "EPSG:3857"), "EPSG:3857")}


def export(
    release: Release, layer: str, form: str, place: Path, crs: str = NATIVE, limits: Limits = EVERYTHING
) -> dict[str, Any]:
    """Write ``layer`` to ``place``, whole or not at all; ``features`` and, of tiles, what each zoom leaves out.

    Raises:
        PermuError: bad_crs, bad_out, cannot_write, unknown_layer, no_layer, tiles_failed.
    """
    import pyogrio

    try:
        with tempfile.TemporaryDirectory(prefix=f".part-{place.name}-", dir=place.parent) as folder:
            part = Path(folder) / place.name
            told = write(release, layer, form, part, crs, limits)
            # A shapefile is several files; the one that is named comes last.
            for file in sorted(Path(folder).iterdir(), key=lambda f: f == part):
                file.replace(place.with_name(file.name))
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise PermuError(
            "cannot_write",
            f"--out {place}: {error}; name a file in a folder that exists and that you may write",
            f"--out {place}：{error}；请指定可写目录中的文件",
        ) from error
    return told


def write(
    release: Release, layer: str, form: str, place: Path, crs: str = NATIVE, limits: Limits = EVERYTHING
) -> dict[str, Any]:
    """The file itself at ``place`` (a folder of one's own: some formats are several files)."""
    if form in _FIXED and crs not in _FIXED[form][0]:
        raise _bad_crs(crs, f"{form} is always {_FIXED[form][1]}", f"{form} 固定为 {_FIXED[form][1]}")
    if form == "pmtiles":
        return tiles.write(release, layer, place, limits).told()
    rows = table(release, layer, limits)
    told = origin(release, layer, rows.height, limits)
    if form == "geojson":
        with place.open("wb") as file:
            file.writelines(collection(release, layer, rows, limits))
    elif form == "shp":
        shapefile.write(release, layer, _moved(rows, crs, layer), place, crs, told)
    elif form == "geoparquet":
        geoparquet.write(_moved(rows, crs, layer), place, crs, told)
    else:
        _geo(release, layer, form, _moved(_joined(rows), crs, layer), place, crs, told)
    return {"features": rows.height}


def put(
    rows: pl.DataFrame, place: Path, form: str, layer: str, crs: str, told: dict[str, str] | None = None, **options: str
) -> None:
    """Rows through GDAL by Arrow, without a Python object a row; ``told`` becomes the layer's metadata."""
    import pyogrio  # GDAL takes 30 MB, which a server pays only where such a file is asked

    pyogrio.write_arrow(
        rows.to_arrow(compat_level=pl.CompatLevel.oldest()), place, layer=layer, driver=DRIVERS[form], crs=crs,
        geometry_name="geometry", geometry_type=layer_of(layer).geometry, layer_metadata=told, **options,
    )  # fmt: skip


def _geo(
    release: Release, layer: str, form: str, rows: pl.DataFrame, place: Path, crs: str, told: dict[str, Any]
) -> None:
    """GeoPackage and FlatGeobuf: where they come from is the layer's metadata, which ``ogrinfo`` shows, QGIS in one line."""
    named = "IDENTIFIER" if form == "gpkg" else "TITLE"
    options = {named: title(layer), "DESCRIPTION": words(release, layer)}
    if form == "fgb" and rows["geometry"].null_count():  # its index has no place for rows without a shape
        options["SPATIAL_INDEX"] = "NO"
    put(rows, place, form, layer, crs, texts(told), **options)
    if form == "gpkg":  # GDAL writes when it wrote: the same content shall be the same bytes
        when = dated(release).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        with contextlib.closing(sqlite3.connect(place)) as db, db:
            db.execute("UPDATE gpkg_contents SET last_change = ?", (when,))
            db.execute("UPDATE gpkg_metadata_reference SET timestamp = ?", (when,))


def layers_of(release: Release) -> list[str]:
    """The layers that a release has."""
    return [name for name, layer in LAYERS.items() if all(release.has(needed) for needed in layer.needs)]


@contextlib.contextmanager
def packing(place: Path) -> Iterator[BinaryIO]:
    """A gzip file that holds no time and no name: the same content gives the same bytes."""
    with place.open("wb") as raw, gzip.GzipFile("", "wb", 5, raw, mtime=0) as file:
        yield file  # type: ignore[misc]


def _joined(rows: pl.DataFrame) -> pl.DataFrame:
    """Lists as text, for formats that have none."""
    return rows.with_columns(pl.col(pl.List(pl.String)).list.join(","))


def _moved(rows: pl.DataFrame, crs: str, layer: str) -> pl.DataFrame:
    """Shapes in ``crs``, x before y as files of GIS have it, each polygon as a multipolygon."""
    shapes = shapely.from_wkb(np.asarray(rows["geometry"].to_list(), dtype=object))
    if layer_of(layer).geometry != "Point":
        single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        shapes[single] = shapely.multipolygons(shapes[single][:, None]) if single.any() else shapes[single]
    if crs != NATIVE:
        to = _transformer(crs)
        shapes = shapely.transform(shapes, lambda xy: np.column_stack(to.transform(xy[:, 0], xy[:, 1])))
    return rows.with_columns(geometry=pl.Series(list(shapely.to_wkb(shapes)), dtype=pl.Binary))


def _transformer(crs: str) -> pyproj.Transformer:
    try:
        return pyproj.Transformer.from_crs(NATIVE, crs, always_xy=True)
    except pyproj.exceptions.CRSError as error:
        raise _bad_crs(
            crs, "not a coordinate system that is known; write EPSG:4490, EPSG:4549 or EPSG:3857",
            "无法识别的坐标系；请写作 EPSG:4490、EPSG:4549 或 EPSG:3857",
        ) from error  # fmt: skip


def _bad_crs(crs: str, en: str, zh: str) -> PermuError:
    return PermuError("bad_crs", f"--crs {crs[:60]}: {en}", f"--crs {crs[:60]}：{zh}")
