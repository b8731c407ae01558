"""The layers there are: how each table is made, what it cannot do without, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from engine.layers import tables
from engine.layers.limits import EVERYTHING, Limits, cut
from engine.layers.regions import regions
from engine.releases import Release
from engine.schema.errors import PermuError


@dataclass(frozen=True)
class Layer:
    """How a layer's table is made, which column is a feature's id, the release's tables that it cannot do without,
    its titles, and its kind of geometry in map software."""

    table: Callable[[Release], pl.DataFrame]
    identity: str
    needs: tuple[str, ...]
    zh: str
    en: str
    geometry: str = "MultiPolygon"


LAYERS = {
    "parcels": Layer(tables.parcels, "parcel_code", ("parcels",), "宗地", "Parcels"),
    "enterprises": Layer(tables.enterprises, "enterprise_id", ("rankings",), "企业", "Enterprises", "Point"),
    "regions": Layer(regions, "region", ("regions",), "行政区划", "Regions"),
    "low_efficiency": Layer(
        tables.low_efficiency, "parcel_code", ("parcels",), "低效用地", "Parcels all of whose users rank low"
    ),
    "idle": Layer(
        tables.idle, "parcel_code", ("findings", "parcels"), "疑似闲置用地", "Parcels whose users show no power"
    ),
}
_LAND = ("the land bureau's parcels", "国土部门的宗地")
_MISSING = {
    "regions": ("the bureau's regions with their polygons (source regions)", "带图形的行政区划（来源 regions）")
}


def layer_of(name: str) -> Layer:
    """The layer of that name; PermuError unknown_layer."""
    if name in LAYERS:
        return LAYERS[name]
    raise PermuError(
        "unknown_layer",
        f"no layer {name[:60]!r}: there are {', '.join(LAYERS)}",
        f"没有图层 {name[:60]!r}：现有 {'、'.join(LAYERS)}",
    )


def require(release: Release, name: str) -> Layer:
    """The layer, if the release holds what it needs; PermuError unknown_layer, no_layer."""
    found = layer_of(name)
    if all(release.has(needed) for needed in found.needs):
        return found
    en, zh = _MISSING.get(name, _LAND)
    raise PermuError(
        "no_layer",
        f"release {release.id} has no {name}: ingest {en}, merge and rank again",
        f"版本 {release.id} 没有图层 {name}：请导入{zh}，重新合并并排名",
    )


def table(release: Release, name: str, limits: Limits = EVERYTHING) -> pl.DataFrame:
    """The layer's rows as far as ``limits`` lets them be seen: properties, and ``geometry`` as the last column (WKB,
    lon/lat in degrees, null where nothing is drawn). PermuError unknown_layer, no_layer."""
    layer = require(release, name)
    found = cut(layer.table(release), release, limits, layer.identity)
    return found.select(pl.exclude("geometry"), "geometry")
