"""Layers: shapefile, GeoPackage, GeoJSON, FlatGeobuf, FileGDB, a lone .dbf; geometry becomes lon/lat (EPSG:4490) as WKB."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyogrio
import shapely

from ingest.read.crs import Move, mover
from ingest.read.sheet import SAMPLE_ROWS, Sheet, holding, unreadable
from ingest.read.text import encoding_of

_BATCH_FEATURES = 16_384
_DBF_TEXT = 1 << 22
_UTF8 = (b"utf-8", b"utf8", b"65001", b"\xef\xbb\xbfutf-8", b"")


def open_sheets(path: Path, crs: str | None = None) -> list[Sheet]:
    """One sheet a layer; ``row`` is the feature's number, attribute columns are the header.

    ``crs`` is what the declaration says of the coordinates (:mod:`ingest.read.crs`).

    Raises:
        PermuError: ``no_crs``, ``unreadable_file``.
    """
    if path.suffix.lower() == ".shp" and _part(path, ".dbf") is None:
        raise unreadable(
            path,
            "its .dbf is missing: give .shp, .shx, .dbf, .prj together",
            "缺少 .dbf：请把 .shp .shx .dbf .prj 一起提供",
        )
    encoding = _dbf_encoding(path)
    if path.suffix.lower() == ".shp" and _part(path, ".shx") is None:
        return _without_index(path, crs, encoding)
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    if not layers:
        raise unreadable(path, "it holds no layer", "其中没有图层")
    return [_layer(path, name, encoding, crs) for name in layers]


def _part(path: Path, suffix: str) -> Path | None:
    """A part of a shapefile, in lower or upper case."""
    return next((f for s in (suffix, suffix.upper()) if (f := path.with_suffix(s)).is_file()), None)


def _without_index(path: Path, crs: str | None, encoding: str | None) -> list[Sheet]:
    """A shapefile without its .shx holds all it needs: GDAL builds the index anew, beside a copy."""
    folder = tempfile.TemporaryDirectory(prefix="permu-")
    for part in filter(None, (_part(path, s) for s in (".shp", ".dbf", ".prj", ".cpg"))):
        shutil.copyfile(part, Path(folder.name) / part.name)
    copy = Path(folder.name) / path.name
    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})
    try:
        sheets = [_layer(copy, str(name), encoding, crs) for name, _ in pyogrio.list_layers(copy)]
    finally:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})
    for sheet in sheets:
        sheet.notes.append("the .shx is missing: its index was built anew from the .shp")
    return holding(sheets, folder)


def _dbf_encoding(path: Path) -> str | None:
    """For shapefiles without .cpg: UTF-8 where the .dbf is valid UTF-8, else GB18030 (what Chinese GIS writes).

    None where the .cpg is to be believed: GDAL follows it. One that says UTF-8 of bytes that are none is not.
    """
    dbf, stated = _part(path, ".dbf"), _part(path, ".cpg")
    if dbf is None or (stated and stated.read_bytes()[:64].strip().lower() not in _UTF8):
        return None
    with dbf.open("rb") as handle:
        data = handle.read(_DBF_TEXT)
    start = int.from_bytes(data[8:10], "little")
    records = data[start:]
    found = encoding_of(records) if not records.isascii() else _names_encoding(data[32:start])
    if stated and found == "utf-8":
        return None
    return {"utf-8": "UTF-8", "gb18030": "GB18030", "cp1252": "CP1252"}[found]


def _names_encoding(descriptors: bytes) -> str:
    """By the field names, each of which may be cut off within a character."""
    names = [descriptors[i : i + 11].split(b"\0")[0] for i in range(0, len(descriptors) - 31, 32)]
    found = {encoding_of(name) for name in names if not name.isascii()}
    return "utf-8" if found <= {"utf-8"} else "gb18030"


@dataclass(frozen=True)
class _Reading:
    """How a layer is read: its fields, its encoding for GDAL, the encoding to decode with here, and where points go."""

    path: Path
    layer: str
    fields: list[str]
    encoding: str | None
    bytewise: str | None
    move: Move | None

    def batches(self) -> Iterator[pl.DataFrame]:
        at = 1
        options = {"encoding": self.encoding, "batch_size": _BATCH_FEATURES, "use_pyarrow": True}
        with pyogrio.open_arrow(self.path, layer=self.layer, **options) as (meta, reader):
            for batch in reader:
                frame = pl.from_arrow(_readable(batch))
                assert isinstance(frame, pl.DataFrame)
                cells = _texts(frame, self.fields, meta["geometry_name"] or "wkb_geometry", self.move, at)
                yield _decoded(cells, self.bytewise) if self.bytewise else cells
                at += frame.height


def _layer(path: Path, layer: str, stated: str | None, crs: str | None) -> Sheet:
    encoding, bytewise = stated, None
    try:
        info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    except UnicodeDecodeError:
        # A .dbf cuts names at ten bytes, within a character: read bytes as Latin-1, decode them here.
        encoding, bytewise = "ISO-8859-1", stated or "UTF-8"
        info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    fields = [str(name) for name in info["fields"]]
    notes: list[str] = [f"encoding {stated}"] if stated else []
    move = _mover(path, layer, info, crs, notes)
    reading = _Reading(path, layer, fields, encoding, bytewise, move)
    empty = pl.DataFrame(schema={"row": pl.Int32, **{f"c{i}": pl.String for i in range(len(fields))}})
    sample = next(reading.batches(), empty).head(SAMPLE_ROWS)
    header = [_redecoded(f, bytewise) for f in fields] if bytewise else fields
    cut = path.suffix.lower() in (".shp", ".dbf")
    counted = info["features"] if info["features"] >= 0 else None
    return Sheet(layer, "spatial", sample, reading.batches, header=header, cut_headers=cut, rows=counted, notes=notes)


def _mover(path: Path, layer: str, info: dict, crs: str | None, notes: list[str]) -> Move | None:
    """Where the points of a layer go; None for a table without geometry."""
    if info["geometry_type"] is None:
        return None
    bounds = info["total_bounds"]
    if bounds is None:
        bounds = pyogrio.read_info(path, layer=layer, force_total_bounds=True)["total_bounds"]
    return mover(path, info["crs"], bounds, crs, notes)


def _redecoded(text: str, encoding: str) -> str:
    """Bytes that were read as Latin-1, in their true encoding; a character that was cut off is dropped."""
    return text.encode("latin-1", "ignore").decode(encoding, "ignore")


def _decoded(cells: pl.DataFrame, encoding: str) -> pl.DataFrame:
    names = [c for c in cells.columns if c.startswith("c")]
    texts = {n: [t and _redecoded(t, encoding) for t in cells[n].to_list()] for n in names}
    return cells.with_columns(pl.Series(n, v, dtype=pl.String) for n, v in texts.items())


def _readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Texts that are no UTF-8 (a .cpg that is not true, damaged bytes) decoded as they can be: never passed on as they are."""
    columns = [_text_of(batch.column(i)) for i in range(batch.num_columns)]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _text_of(column: pa.Array) -> pa.Array:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        held = column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()).to_pylist()
        known = encoding_of(b"\n".join(v for v in held if v)[:_DBF_TEXT])
        return pa.array([None if v is None else v.decode(known, "replace") for v in held], pa.string())
    return column


def _texts(frame: pl.DataFrame, fields: list[str], shape: str, move: Move | None, first: int) -> pl.DataFrame:
    texts = [_text(frame, name).alias(f"c{i}") for i, name in enumerate(fields)]
    rows = pl.Series("row", range(first, first + frame.height), dtype=pl.Int32)
    out = pl.DataFrame([rows, *frame.select(texts).get_columns()]) if texts else rows.to_frame()
    if move is None or shape not in frame.columns:
        return out
    return out.with_columns(pl.Series("geometry", _lonlat(frame[shape], move), dtype=pl.Binary))


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column as text; bytes and lists (photos, attachments) are left empty."""
    kind = frame.schema[name]
    unwritten = kind == pl.Binary or kind.is_nested()
    return pl.lit(None, dtype=pl.String) if unwritten else pl.col(name).cast(pl.String)


def _lonlat(wkb: pl.Series, move: Move) -> list[bytes | None]:
    """WKB in the file's system → WKB in lon/lat; no heights. What is no shape (arcs) stays: it is judged where it counts."""
    given = np.array(wkb.to_list(), dtype=object)
    shapes = shapely.force_2d(shapely.from_wkb(given, on_invalid="ignore"))
    moved = shapely.to_wkb(shapely.transform(shapes, move))
    return list(np.where(shapely.is_missing(shapes), given, moved))
