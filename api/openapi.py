"""OpenAPI: every parameter from the one dictionary, every answer with an example, no reference to elsewhere."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.desk import openapi as desk
from api.documents.sheets import DOCUMENT_MEDIA
from api.examples import EXAMPLES, PROBLEM
from api.exports.formats import MEDIA
from api.layers import MEDIA as LAYER_MEDIA
from api.rights.routes import OPEN, rule_of
from engine.query.parameters import PARAMETERS
from engine.schema.columns import COLUMNS

PATH_PARAMETERS = {
    "layer": ("a layer: parcels, enterprises, regions, low_efficiency or idle", "parcels"),
    "enterprise_id": ("an enterprise id or an 18-character credit code", "91320507000000001X"),
    "policy_id": ("a policy id of /api/v1/policies", "sunan-2017"),
}
# Routes that give documents alone, and in which formats.
DOCUMENTS = {"/api/v1/enterprises/{enterprise_id}/checkup": ("xlsx", "pdf"), "/api/v1/report": ("pdf",)}
_WITH_FILES = ("/api/v1/rankings", "/api/v1/rankings/bottom")
_INTRODUCTION = (
    "Rankings of industrial enterprises by output and benefit per mu of land. Figures are unrounded; a figure that is "
    "missing is null, never 0. Errors are RFC 9457 problem details. Answers carry an ETag that changes with the release."
)


def _problem(description: str) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": PROBLEM}
    return {"description": description, "content": {"application/problem+json": content}}


def _failures(path: str) -> dict[str, Any]:
    found = {"400": _problem("An unknown or malformed parameter, or a Host that is not answered")}
    rule = rule_of(path)
    if rule is None or rule.action != OPEN:
        found["401"] = _problem("There are users, and no key or an unknown one was sent")
        found["403"] = _problem("Not for this role; `rule` names the line of docs/rights.md that it rests on")
    found["429"] = _problem("Too many requests; Retry-After says how many seconds to wait")
    if not path.endswith("z"):
        found["404"] = _problem("No such release, enterprise, policy or layer")
        found["304"] = {"description": "The client's copy is still right (If-None-Match)"}
    if path != "/healthz":
        found["503"] = _problem("No warehouse, or the release's folder is gone")
    return found


def _column(name: str) -> dict[str, Any]:
    col = COLUMNS[name]
    kind = "string" if col.is_text else "integer" if col.kind == "integer" else "number"
    words = f"{col.zh} · {col.en}" + (f" [{col.unit_zh} · {col.unit_en}]" if col.unit_zh else "")
    return {"type": [kind, "null"], "description": words}


def row_schema() -> dict[str, Any]:
    """The ranking row as a JSON schema, from the dictionary of columns."""
    place = {"type": "object", "properties": {"rank": {"type": ["integer", "null"]}, "of": {"type": "integer"}}}
    ranks = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": place}}
    amounts = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
    own = {
        "ranks": {**ranks, "description": "metric → grouping → rank and of"},
        "flags": {"type": "array", "items": {"type": "string"}},
        "bases": {**amounts, "description": "base of each item of a composite score"},
        "items": {**amounts, "description": "points of each item of a composite score"},
    }
    shown = [n for n in COLUMNS if n not in ("grade_initial", "land_group", "zone_code", *own)]
    return {"type": "object", "properties": {**{n: _column(n) for n in shown}, **own}}


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    names = ("type", "title", "code", "detail", "detail_zh", "instance", "parameter", "allowed", "rule")
    properties: dict[str, Any] = dict.fromkeys(names, text) | {"status": {"type": "integer"}}
    required = ["type", "title", "status", "code", "detail"]
    return {"type": "object", "required": required, "properties": properties}


def _answer(path: str) -> dict[str, Any]:
    if path.startswith("/layers/") and path not in EXAMPLES:
        binary = {"schema": {"type": "string", "format": "binary"}}
        return {LAYER_MEDIA[path.split(".", 1)[1]]: binary}
    if path in DOCUMENTS:
        file: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
        return {DOCUMENT_MEDIA[f]: file for f in DOCUMENTS[path]}
    if path == "/metrics":
        return {"text/plain": {"schema": {"type": "string"}, "example": EXAMPLES[path]}}
    if EXAMPLES[path].get("type") == "FeatureCollection":
        return {"application/geo+json": {"schema": {"type": "object"}, "example": EXAMPLES[path]}}
    schema: dict[str, Any] = {"type": "object"}
    if path == "/api/v1/rankings":
        rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
        schema = {"type": "object", "properties": {"rows": rows, "next": {"type": ["string", "null"]}}}
    content: dict[str, Any] = {"application/json": {"schema": schema, "example": EXAMPLES[path]}}
    if path in _WITH_FILES:
        whole: dict[str, Any] = {"type": "string", "format": "binary"}
        content |= {media.split(";")[0]: {"schema": whole} for media in MEDIA.values()}
    return content


def _parameter(given: dict[str, Any], path: str) -> dict[str, Any]:
    name = given["name"]
    if name == "format" and path in DOCUMENTS:
        forms = DOCUMENTS[path]
        words = f"{PARAMETERS[name].en}; here {' or '.join(forms)}"
        schema = {"type": "string", "enum": list(forms), "default": forms[0]}
        return {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            "description": words,
            "example": forms[-1],
        }
    if given["in"] == "path":
        words, example = PATH_PARAMETERS[name]
        return {**given, "schema": {"type": "string"}, "description": words, "example": example}
    known = PARAMETERS[name]
    told = {"schema": known.schema, "description": f"{known.en}\n\n{known.zh}"}
    return {"name": name, "in": "query", "required": False, **told} | (
        {"example": known.example} if known.example is not None else {}
    )


def complete(app: FastAPI) -> dict[str, Any]:
    """The application's OpenAPI document."""
    document = get_openapi(title="permu", version=app.version, description=_INTRODUCTION, routes=app.routes)
    document["security"] = [{"bearer": []}, {"basic": []}, {}]
    bodies = {n: document["components"]["schemas"][n] for n in desk.BODY_SCHEMAS}
    document["components"]["schemas"] = {"Row": row_schema(), "Problem": _problem_schema(), **bodies}
    schemes = {name: {"type": "http", "scheme": name} for name in ("bearer", "basic")}
    document["components"]["securitySchemes"] = schemes
    for path, operations in document["paths"].items():
        if path.startswith(desk.START):
            operations |= {method: desk.operation(path, method, given) for method, given in operations.items()}
            continue
        for operation in operations.values():
            operation["parameters"] = [_parameter(p, path) for p in operation.get("parameters", [])]
            operation["responses"] = {"200": {"description": "OK", "content": _answer(path)}, **_failures(path)}
    return document


def describe(app: FastAPI) -> None:
    """Make the application answer /openapi.json with :func:`complete`, computed once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
