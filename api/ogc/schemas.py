"""The schemas of OpenAPI 3.0 that the definition refers to (after part 1, annex and schemas of the standard)."""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties} if required else {
        "type": "object", "properties": properties
    }  # fmt: skip


def _array(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


_LINKS = _array(_ref("link"))
_POSITION = _array({"type": "number"}, minItems=2)
_KINDS = {
    "Point": _POSITION,
    "MultiPoint": _array(_POSITION),
    "LineString": _array(_POSITION, minItems=2),
    "MultiLineString": _array(_array(_POSITION, minItems=2)),
    "Polygon": _array(_array(_POSITION, minItems=4)),
    "MultiPolygon": _array(_array(_array(_POSITION, minItems=4))),
}
_GEOMETRIES = [
    _object(["type", "coordinates"], type={"type": "string", "enum": [kind]}, coordinates=shape)
    for kind, shape in _KINDS.items()
]
_COLLECTION = _object(
    ["type", "geometries"],
    type={"type": "string", "enum": ["GeometryCollection"]},
    geometries=_array(_ref("geometryGeoJSON")),
)

SCHEMAS: dict[str, Any] = {
    "anything": {"type": "object"},
    "link": _object(["href", "rel", "type"], href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, templated={"type": "boolean"}),
    "landingPage": _object(["links"], title=_TEXT, description=_TEXT, links=_LINKS),
    "confClasses": _object(["conformsTo"], conformsTo=_array(_TEXT), links=_LINKS),
    "extent": _object(
        [],
        spatial=_object([], bbox=_array(_array({"type": "number"}, minItems=4, maxItems=6), minItems=1), crs=_TEXT),
        temporal=_object([], interval=_array(_array({"type": "string", "nullable": True}, minItems=2, maxItems=2))),
    ),
    "collection": _object(
        ["id", "links"],
        id=_TEXT, title=_TEXT, description=_TEXT, links=_LINKS, extent=_ref("extent"), itemType=_TEXT,
        crs=_array(_TEXT), storageCrs=_TEXT,
    ),
    "collections": _object(["links", "collections"], links=_LINKS, crs=_array(_TEXT), collections=_array(_ref("collection"))),
    "geometryGeoJSON": {"oneOf": [*_GEOMETRIES, _COLLECTION]},
    "featureGeoJSON": _object(
        ["type", "geometry", "properties"],
        type={"type": "string", "enum": ["Feature"]},
        id=_TEXT,
        geometry={"nullable": True, "allOf": [_ref("geometryGeoJSON")]},
        properties={"type": "object", "nullable": True},
        links=_LINKS,
    ),
    "featureCollectionGeoJSON": _object(
        ["type", "features"],
        type={"type": "string", "enum": ["FeatureCollection"]},
        features=_array(_ref("featureGeoJSON")),
        links=_LINKS,
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
    ),
    "exception": _object(
        ["type", "title", "status", "code", "detail"],
        **dict.fromkeys(("type", "title", "code", "detail", "detail_zh", "instance", "parameter", "allowed"), _TEXT),
        status={"type": "integer"},
    ),
}  # fmt: skip
