"""Map layers of a release as RFC 7946 GeoJSON: which there are, what each needs, and how features are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import orjson
import polars as pl
import shapely

from engine import layer_tables
from engine.layer_tables import Source, parcels
from engine.schema.errors import PermuError

__all__ = ["LAYERS", "Source", "features", "geojson", "parcels", "table"]

_DECIMALS = 7  # about 1 cm: RFC 7946 advises no more than the survey supports
_BATCH = 20_000


@dataclass(frozen=True)
class Layer:
    """How a layer's table is made, which column is a feature's id, and the release's table that it cannot do without."""

    table: Callable[[Source], pl.DataFrame]
    identity: str
    needs: str


LAYERS = {
    "parcels": Layer(layer_tables.parcels, "parcel_code", "parcels"),
    "enterprises": Layer(layer_tables.enterprises, "enterprise_id", "rankings"),
    "regions": Layer(layer_tables.regions, "region", "regions"),
    "low_efficiency": Layer(layer_tables.low_efficiency, "parcel_code", "parcels"),
    "idle": Layer(layer_tables.idle, "parcel_code", "findings"),
}
_MISSING = {
    "parcels": ("the land bureau's parcels", "国土部门的宗地"),
    "findings": ("the land bureau's parcels", "国土部门的宗地"),
    "regions": ("the bureau's regions with their polygons (source regions)", "带图形的行政区划（来源 regions）"),
}


def table(release: Source, layer: str) -> pl.DataFrame:
    """The layer's rows: properties and ``geometry`` (WKB, lon/lat). PermuError unknown_layer, no_layer."""
    if layer not in LAYERS:
        raise PermuError(
            "unknown_layer",
            f"no layer {layer[:60]!r}: there are {', '.join(LAYERS)}",
            f"没有图层 {layer[:60]!r}：现有 {'、'.join(LAYERS)}",
        )
    found = LAYERS[layer]
    if not all((release.folder / f"{name}.parquet").is_file() for name in {found.needs, *_also(layer)}):
        en, zh = _MISSING[found.needs]
        raise PermuError(
            "no_layer",
            f"release {release.manifest['release_id']} has no {layer}: ingest {en}, merge and rank again",
            f"版本 {release.manifest['release_id']} 没有图层 {layer}：请导入{zh}，重新合并并排名",
        )
    return found.table(release)


def _also(layer: str) -> tuple[str, ...]:
    return ("parcels",) if layer == "idle" else ()


def _geometries(wkb: pl.Series) -> list[str]:
    """WKB → GeoJSON geometry texts: exterior rings counter-clockwise, seven decimals; ``null`` where there is none."""
    shapes = shapely.from_wkb(np.asarray(wkb.to_list(), dtype=object), on_invalid="ignore")
    shapes = shapely.orient_polygons(shapely.transform(shapes, lambda xy: np.round(xy, _DECIMALS)))
    return [text if text is not None else "null" for text in shapely.to_geojson(shapes)]


def features(frame: pl.DataFrame, identity: str) -> list[bytes]:
    """Each row as a GeoJSON feature; ``identity`` names the column that is its id."""
    found: list[bytes] = []
    for start in range(0, frame.height, _BATCH):
        part = frame.slice(start, _BATCH)
        rows = part.drop("geometry").to_dicts()
        for row, shape in zip(rows, _geometries(part["geometry"]), strict=True):
            head = b'{"type":"Feature","id":' + orjson.dumps(row[identity])
            found.append(head + b',"properties":' + orjson.dumps(row) + b',"geometry":' + shape.encode() + b"}")
    return found


def geojson(release: Source, layer: str = "parcels") -> bytes:
    """A whole layer as a FeatureCollection (RFC 7946, lon/lat), with the release it belongs to."""
    rows = table(release, layer)
    kept = ("release_id", "year", "synthetic")
    head = {k: release.manifest[k] for k in kept if k in release.manifest}
    opening = b'{"type":"FeatureCollection","permu":' + orjson.dumps(head) + b',"features":[\n'
    return opening + b",\n".join(features(rows, LAYERS[layer].identity)) + b"\n]}\n"
