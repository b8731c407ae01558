"""Layers: shapefile, GeoPackage, GeoJSON, FlatGeobuf, a lone .dbf; geometry becomes lon/lat in EPSG:4490 as WKB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyogrio
import pyproj
import shapely

from engine.schema.errors import PermuError
from ingest.read.sheet import SAMPLE_ROWS, Sheet
from ingest.read.text import encoding_of

_BATCH_FEATURES = 16_384
_TARGET = "EPSG:4490"
_DBF_TEXT = 1 << 22


def open_sheets(path: Path) -> list[Sheet]:
    """One sheet a layer; ``row`` is the feature's number, attribute columns are the header."""
    encoding = _dbf_encoding(path)
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    return [_layer(path, name, encoding) for name in layers]


def _dbf_encoding(path: Path) -> str | None:
    """For shapefiles without .cpg: UTF-8 where the .dbf is valid UTF-8, else GB18030 (what Chinese GIS writes)."""
    dbf = next((f for s in (".dbf", ".DBF") if (f := path.with_suffix(s)).is_file()), None)
    if dbf is None or any(path.with_suffix(s).is_file() for s in (".cpg", ".CPG")):
        return None
    with dbf.open("rb") as handle:
        data = handle.read(_DBF_TEXT)
    return {"utf-8": "UTF-8", "gb18030": "GB18030", "cp1252": "CP1252"}.get(encoding_of(data[32:]), None)


def _layer(path: Path, layer: str, encoding: str | None) -> Sheet:
    info = pyogrio.read_info(path, layer=layer, encoding=encoding)

    fields = [str(name) for name in info["fields"]]
    notes: list[str] = [f"encoding {encoding}"] if encoding else []
    has_shape = info["geometry_type"] is not None
    crs = _crs(path, info["crs"], info["total_bounds"], notes) if has_shape else None

    def read() -> Iterator[pl.DataFrame]:
        at = 1
        options = {"layer": layer, "encoding": encoding, "batch_size": _BATCH_FEATURES, "use_pyarrow": True}
        with pyogrio.open_arrow(path, **options) as (meta, reader):
            for batch in reader:
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                yield _texts(frame, fields, meta["geometry_name"] or "wkb_geometry", crs, at)
                at += frame.height

    empty = pl.DataFrame(schema={"row": pl.Int32, **{f"c{i}": pl.String for i in range(len(fields))}})
    sample = next(read(), empty).head(SAMPLE_ROWS)
    cut = path.suffix.lower() in (".shp", ".dbf")
    return Sheet(layer, "spatial", sample, read, header=fields, cut_headers=cut, rows=info["features"], notes=notes)


def _texts(
    frame: pl.DataFrame, fields: list[str], shape: str, crs: pyproj.Transformer | None, first: int
) -> pl.DataFrame:
    texts = [pl.col(name).cast(pl.String).alias(f"c{i}") for i, name in enumerate(fields)]
    out = frame.select(texts).with_row_index("row", offset=first).with_columns(pl.col("row").cast(pl.Int32))
    if crs is None or shape not in frame.columns:
        return out
    return out.with_columns(pl.Series("geometry", _lonlat(frame[shape], crs), dtype=pl.Binary))


def _lonlat(wkb: pl.Series, crs: pyproj.Transformer) -> list[bytes | None]:
    """WKB in the file's system → WKB in lon/lat; no heights. Validity is judged later, where it is counted."""
    shapes = shapely.force_2d(shapely.from_wkb(np.array(wkb.to_list(), dtype=object)))

    def move(points: np.ndarray) -> np.ndarray:
        return np.column_stack(crs.transform(points[:, 0], points[:, 1]))

    return list(shapely.to_wkb(shapely.transform(shapes, move)))


def _crs(path: Path, stated: str | None, bounds: tuple | None, notes: list[str]) -> pyproj.Transformer:
    """From the stated system, else from what the coordinates themselves show; never a guess beyond that."""
    crs = stated or _shown(bounds)
    if crs is None:
        raise PermuError(
            "no_crs",
            f"{path}: no coordinate system: the .prj is missing and the coordinates do not show one; add the .prj",
            f"{path}：没有坐标系：缺少 .prj，坐标值也无法判断；请补上 .prj",
            path=str(path),
        )
    if stated is None:
        notes.append(f"no coordinate system stated; by its coordinates {crs}")
    return pyproj.Transformer.from_crs(crs, _TARGET, always_xy=True)


def _shown(bounds: tuple | None) -> str | None:
    """Degrees are CGCS2000 lon/lat; an easting with a 3-degree zone number before it is that Gauss-Kruger zone."""
    if bounds is None or not np.isfinite(bounds).all():
        return _TARGET
    west, south, east, north = bounds
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        return _TARGET
    zone = int(west // 1_000_000)
    same = zone == int(east // 1_000_000)
    return f"EPSG:{4513 + zone - 25}" if same and 25 <= zone <= 45 and 0 < south < 10_000_000 else None
