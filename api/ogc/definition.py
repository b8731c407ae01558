"""/api: the OpenAPI 3.0 document of what a viewer is offered, whole in itself, and as a page."""

from __future__ import annotations

from html import escape
from typing import Any

from api.ogc import pages
from api.ogc.collections import Collection
from api.ogc.crs import SYSTEMS
from api.ogc.documents import tiles
from api.ogc.filters import LANGUAGES
from api.ogc.negotiate import GEOJSON, HTML, JSON, OPENAPI, SCHEMA
from api.ogc.queryables import property_schema
from api.ogc.question import LIMIT, MAX_LIMIT, OWN
from api.ogc.schemas import SCHEMAS
from api.ogc.scope import Scope

_FAILURES = {
    "400": "An unknown parameter, or a value that is not allowed",
    "401": "No key, or one that is not known",
    "403": "The role may not see this",
    "404": "No such release, collection or feature",
    "429": "Too many requests; see Retry-After",
    "500": "The server failed",
    "503": "The release is not there at the moment; see Retry-After",
}
_REF = "#/components/"
# What else any operation may answer.
ELSE: dict[str, Any] = {
    "304": {"description": "The client's copy is still right (If-None-Match)"},
    **{status: {"$ref": f"{_REF}responses/Problem{status}"} for status in _FAILURES},
}


def _parameter(name: str, schema: dict[str, Any], words: str, explode: bool = False) -> dict[str, Any]:
    head = {"name": name, "in": "query", "required": False, "description": words}
    return {**head, "schema": schema, "style": "form", "explode": explode}


def parameters() -> dict[str, Any]:
    """The standards' own parameters."""
    text = {"type": "string"}
    system = {"type": "string", "format": "uri", "enum": list(SYSTEMS)}
    box = {
        "type": "array", "items": {"type": "number"},
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    }  # fmt: skip
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}
    found = (
        _parameter("f", {"type": "string", "enum": ["json", "html"]}, "The form of the answer; else Accept decides"),
        _parameter("limit", limit, f"Features on a page; more than {MAX_LIMIT} is taken as {MAX_LIMIT}"),
        _parameter("cursor", text, "Where the page begins: part of the link next"),
        _parameter("bbox", box, "Features whose geometry meets the box, and those without one"),
        _parameter("bbox-crs", system, "The coordinate system of bbox; CRS84 where it is not given"),
        _parameter(
            "datetime", text, "Features whose time meets an instant or interval; those of a release are its year"
        ),
        _parameter("crs", system, "The coordinate system of the answer; CRS84 where it is not given"),
        _parameter("filter", text, "CQL2 over the queryables, at most 16 KiB and 200 levels deep"),
        _parameter("filter-lang", {"type": "string", "enum": list(LANGUAGES)}, "The language of filter"),
        _parameter("filter-crs", system, "The coordinate system of shapes in filter; CRS84 where it is not given"),
    )
    return {one["name"]: one for one in found}


def _answer(words: str, media: str, schema: str, crs: bool = False) -> dict[str, Any]:
    content = {media: {"schema": {"$ref": f"{_REF}schemas/{schema}"}}, HTML: {"schema": {"type": "string"}}}
    header = {"Content-Crs": {"schema": {"type": "string"}, "description": "The coordinate system, in <>"}}
    return {"200": {"description": words, "content": content} | ({"headers": header} if crs else {}), **ELSE}


def _operation(name: str, words: str, answer: dict[str, Any], given: list[dict[str, Any]]) -> dict[str, Any]:
    return {"get": {"operationId": name, "summary": words, "parameters": given, "responses": answer}}


def _own(*names: str) -> list[dict[str, Any]]:
    return [{"$ref": f"{_REF}parameters/{name}"} for name in names]


def _paths(scope: Scope) -> dict[str, Any]:
    form = _own("f")
    found = {
        "/": _operation("landing", "Landing page", _answer("The landing page", JSON, "landingPage"), form),
        "/conformance": _operation("conformance", "Conformance classes", _answer("The classes", JSON, "confClasses"), form),
        "/api": _operation("api", "This document", _answer("OpenAPI 3.0", OPENAPI, "anything"), form),
        "/collections": _operation("collections", "Collections", _answer("All collections", JSON, "collections"), form),
    }  # fmt: skip
    for one in scope.collections.values():
        found |= _collection_paths(one)
    part = tiles()
    return found | (part.paths(list(scope.collections)) if part else {})


def _collection_paths(one: Collection) -> dict[str, Any]:
    base, name = f"/collections/{one.id}", one.id
    asked = [_queryable(n, k) for n, k in one.features().schema.items() if n not in OWN]
    feature_id = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
    page = _answer("A page of features", GEOJSON, "featureCollectionGeoJSON", crs=True)
    single = _answer("The feature", GEOJSON, "featureGeoJSON", crs=True)
    return {
        base: _operation(f"{name}.collection", one.en, _answer("The collection", JSON, "collection"), _own("f")),
        f"{base}/queryables": _operation(
            f"{name}.queryables", f"Queryables: {one.en}", _answer("JSON Schema", SCHEMA, "anything"), _own("f")
        ),
        f"{base}/items": _operation(f"{name}.items", f"Features: {one.en}", page, [*_own(*OWN), *asked]),
        f"{base}/items/{{featureId}}": _operation(
            f"{name}.feature", f"A feature: {one.en}", single, [feature_id, *_own("f", "crs")]
        ),
    }


def _queryable(name: str, dtype: Any) -> dict[str, Any]:
    held = property_schema(name, dtype)
    kind = held.get("items", held)
    return _parameter(name, {k: v for k, v in kind.items() if k in ("type", "format")}, held["title"])


def definition(scope: Scope) -> dict[str, Any]:
    """The OpenAPI 3.0 document; it refers to nothing outside itself."""
    failure = {"content": {"application/problem+json": {"schema": {"$ref": f"{_REF}schemas/exception"}}}}
    basic, bearer = {"type": "http", "scheme": "basic"}, {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "permu OGC API",
            "version": "1.0.0",
            "description": "Features of a release: OGC API Features parts 1 to 3, and vector tiles. Figures that a role may not see are "
            "neither shown nor asked. Without users only this machine is answered, without a key.",
        },
        "servers": [{"url": scope.root}],
        "security": [{"basic": []}, {"bearer": []}, {}],
        "paths": _paths(scope),
        "components": {
            "securitySchemes": {"basic": basic, "bearer": bearer},
            "parameters": parameters(),
            "responses": {f"Problem{code}": {"description": words, **failure} for code, words in _FAILURES.items()},
            "schemas": SCHEMAS,
        },
    }


def page(scope: Scope, document: dict[str, Any]) -> bytes:
    """The definition, readable."""
    parts = []
    for path, operations in document["paths"].items():
        held = operations["get"]
        names = [p["$ref"].rsplit("/", 1)[1] if "$ref" in p else p["name"] for p in held.get("parameters", [])]
        listed = ", ".join(f"<code>{escape(name)}</code>" for name in names)
        parts.append(f"<h2><code>GET {escape(path)}</code></h2><p>{escape(held.get('summary', ''))}</p><p>{listed}</p>")
    told = "".join(
        f"<li><code>{escape(name)}</code>: {escape(held['description'])}</li>" for name, held in parameters().items()
    )
    return pages.frame(scope, document["info"]["title"], f"<p>{escape(document['info']['description'])}</p>",
                       *parts, f"<h2>Parameters</h2><ul>{told}</ul>")  # fmt: skip
