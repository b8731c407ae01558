"""Queryables as JSON Schema: the properties that a filter may ask, with titles and units from the dictionary."""

from __future__ import annotations

from typing import Any

import polars as pl

from api.ogc.collections import Collection
from api.ogc.scope import Scope
from engine.schema.columns import column

_GEOMETRY = {
    "Point": "geometry-point", "MultiPoint": "geometry-point-or-multipoint", "LineString": "geometry-linestring",
    "MultiLineString": "geometry-linestring-or-multilinestring", "Polygon": "geometry-polygon",
    "MultiPolygon": "geometry-polygon-or-multipolygon",
}  # fmt: skip


def schema(scope: Scope, found: Collection) -> dict[str, Any]:
    """The collection's queryables (JSON Schema 2020-12)."""
    properties = {name: property_schema(name, dtype) for name, dtype in found.features().schema.items()}
    drawn = _GEOMETRY.get(found.features().kind or "", "geometry-any")
    geometry = {"title": "geometry", "x-ogc-role": "primary-geometry", "format": drawn}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": scope.url(f"/collections/{found.id}/queryables"),
        "type": "object",
        "title": f"{found.zh} · {found.en}" if found.zh != found.en else found.en,
        "properties": {**properties, found.geometry: geometry},
        "additionalProperties": False,
    }


def property_schema(name: str, dtype: pl.DataType) -> dict[str, Any]:
    """Type and title of one property."""
    kind: dict[str, Any] = {"type": "string"}
    if dtype.is_integer():
        kind = {"type": "integer"}
    elif dtype.is_numeric():
        kind = {"type": "number"}
    elif dtype == pl.Boolean:
        kind = {"type": "boolean"}
    elif dtype == pl.Date:
        kind = {"type": "string", "format": "date"}
    elif isinstance(dtype, pl.Datetime):
        kind = {"type": "string", "format": "date-time"}
    elif isinstance(dtype, pl.List):
        kind = {"type": "array", "items": {"type": "string"}}
    return {"title": title(name), **kind}


def title(name: str) -> str:
    """What the dictionary of columns calls it in both languages, with its unit."""
    found = column(name)
    unit = f" ({found.unit_zh} {found.unit_en})" if found.unit_zh else ""
    return f"{found.zh} · {found.en}{unit}" if found.zh != found.en else found.zh
