"""What RFC 7946 asks of a GeoJSON document, as a list of complaints; proven by the fixtures of geojsonhint (test_geojsonhint)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

# geometry → how deep its positions stand in lists, and how many positions the innermost list has at least
_DEPTHS = {
    "Point": (0, 1), "MultiPoint": (1, 0), "LineString": (1, 2), "MultiLineString": (2, 2), "Polygon": (2, 4),
    "MultiPolygon": (3, 4),
}  # fmt: skip
_OTHERS = {  # members of one kind of object that would change what another is
    "Feature": ("features", "coordinates", "geometries"),
    "FeatureCollection": ("coordinates", "geometries", "geometry", "properties"),
    "Geometry": ("geometry", "properties", "features"),
}


def complaints(text: str | bytes) -> list[str]:
    """Everything that is wrong; [] for a good document."""
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except ValueError as error:
        return [f"no JSON: {error}"]
    if not isinstance(document, dict):
        return ["the root is no object"]
    return list(_object(document))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _object(one: dict[str, Any]) -> Iterator[str]:
    kind = one.get("type")
    if kind == "FeatureCollection":
        yield from _collection(one)
    elif kind == "Feature":
        yield from _feature(one)
    else:
        yield from _geometry(one)


def _collection(one: dict[str, Any]) -> Iterator[str]:
    yield from _common(one, "FeatureCollection")
    features = one.get("features")
    if not isinstance(features, list):
        yield "features is no array"
        return
    for feature in features:
        if isinstance(feature, dict) and feature.get("type") == "Feature":
            yield from _feature(feature)
        else:
            yield "a member of features is no Feature"


def _feature(one: dict[str, Any]) -> Iterator[str]:
    yield from _common(one, "Feature")
    if "id" in one and (not isinstance(one["id"], str | int | float) or isinstance(one["id"], bool)):
        yield "id is neither text nor number"
    if not isinstance(one.get("properties", ""), dict | None):
        yield "properties is neither an object nor null"
    geometry = one.get("geometry", "")
    if isinstance(geometry, dict):
        yield from _geometry(geometry)
    elif geometry is not None:
        yield "geometry is neither an object nor null"


def _geometry(one: dict[str, Any]) -> Iterator[str]:
    kind = one.get("type")
    if kind == "GeometryCollection":
        yield from _common(one, "Geometry")
        yield from _members(one.get("geometries"))
    elif not isinstance(kind, str) or kind not in _DEPTHS:
        yield f"type {kind!r} is unknown"
    else:
        yield from _common(one, "Geometry")
        yield from _coordinates(kind, one.get("coordinates"), *_DEPTHS[kind])


def _members(geometries: Any) -> Iterator[str]:
    """Of a GeometryCollection: more than one, none of them a collection again (the RFC's SHOULDs)."""
    if not isinstance(geometries, list) or not all(isinstance(g, dict) for g in geometries):
        yield "geometries is no array of objects"
        return
    if len(geometries) == 1:
        yield "a collection of a single geometry"
    for geometry in geometries:
        if geometry.get("type") == "GeometryCollection":
            yield "a collection within a collection"
        yield from _geometry(geometry)


def _common(one: dict[str, Any], kind: str) -> Iterator[str]:
    yield from (f"{kind} with the member {name}" for name in _OTHERS[kind] if name in one)
    bbox = one.get("bbox", [0, 0, 0, 0])
    if not isinstance(bbox, list) or len(bbox) not in (4, 6) or not all(map(_number, bbox)):
        yield "bbox is no array of 4 or 6 numbers"
    if "crs" in one:
        yield "crs, which the RFC took out"


def _coordinates(kind: str, held: Any, depth: int, least: int) -> Iterator[str]:
    if depth == 0:
        if not isinstance(held, list) or not 2 <= len(held) <= 3 or not all(map(_number, held)):
            yield f"{kind}: {str(held)[:60]} is no position"
        return
    if not isinstance(held, list):
        yield f"{kind}: {str(held)[:60]} is no array"
        return
    inner = [complaint for part in held for complaint in _coordinates(kind, part, depth - 1, least)]
    yield from inner
    if depth == 1 and len(held) < least:
        yield f"{kind}: {len(held)} positions, at least {least} are needed"
    if depth == 1 and least == 4 and held and held[0] != held[-1]:
        yield f"{kind}: a ring that does not close"
    if depth == 2 and least == 4 and not inner:
        yield from (
            f"{kind}: ring {n} turns the wrong way" for n, ring in enumerate(held) if (_area(ring) > 0) != (n == 0)
        )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _area(ring: list[list[float]]) -> float:
    """Twice the signed area: above 0 counter-clockwise. From the first corner, so that no digits cancel."""
    corners = [(p[0] - ring[0][0], p[1] - ring[0][1]) for p in ring]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(corners))
