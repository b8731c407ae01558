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
    start = int.from_bytes(data[8:10], "little")
    records = data[start:]
    found = encoding_of(records) if not records.isascii() else _names_encoding(data[32:start])
    return {"utf-8": "UTF-8", "gb18030": "GB18030", "cp1252": "CP1252"}[found]


def _names_encoding(descriptors: bytes) -> str:
    """By the field names, each of which may be cut off within a character."""
    names = [descriptors[i : i + 11].split(b"\0")[0] for i in range(0, len(descriptors) - 31, 32)]
    found = {encoding_of(name) for name in names if not name.isascii()}
    return "utf-8" if found <= {"utf-8"} else "gb18030"


def _layer(path: Path, layer: str, stated: str | None) -> Sheet:
    encoding, bytewise = stated, None
    try:
        info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    except UnicodeDecodeError:
        # A .dbf cuts names at ten bytes, within a character: read bytes as Latin-1, decode them here.
        encoding, bytewise = "ISO-8859-1", stated or "UTF-8"
        info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    fields = [str(name) for name in info["fields"]]
    notes: list[str] = [f"encoding {stated}"] if stated else []
    crs = None if info["geometry_type"] is None else _crs(path, info["crs"], info["total_bounds"], notes)

    def read() -> Iterator[pl.DataFrame]:
        at = 1
        options = {"layer": layer, "encoding": encoding, "batch_size": _BATCH_FEATURES, "use_pyarrow": True}
        with pyogrio.open_arrow(path, **options) as (meta, reader):
            for batch in reader:
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                cells = _texts(frame, fields, meta["geometry_name"] or "wkb_geometry", crs, at)
                yield _decoded(cells, bytewise) if bytewise else cells
                at += frame.height

    empty = pl.DataFrame(schema={"row": pl.Int32, **{f"c{i}": pl.String for i in range(len(fields))}})
    sample = next(read(), empty).head(SAMPLE_ROWS)
    cut = path.suffix.lower() in (".shp", ".dbf")
    header = [_redecoded(f, bytewise) for f in fields] if bytewise else fields
    return Sheet(layer, "spatial", sample, read, header=header, cut_headers=cut, rows=info["features"], notes=notes)


def _redecoded(text: str, encoding: str) -> str:
    """Bytes that were read as Latin-1, in their true encoding; a character that was cut off is dropped."""
    return text.encode("latin-1", "ignore").decode(encoding, "ignore")


def _decoded(cells: pl.DataFrame, encoding: str) -> pl.DataFrame:
    names = [c for c in cells.columns if c.startswith("c")]
    texts = {n: [t and _redecoded(t, encoding) for t in cells[n].to_list()] for n in names}
    return cells.with_columns(pl.Series(n, v, dtype=pl.String) for n, v in texts.items())


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
