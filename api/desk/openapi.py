"""What the OpenAPI document says of the desk: parameters, bodies, statuses and an example of every answer."""

from __future__ import annotations

from typing import Any

from api.desk.examples import BODIES, EXAMPLES
from api.desk.parameters import known
from api.exports.formats import MEDIA

START = "/api/v1/desk/"
BODY_SCHEMAS = ("Verdict", "StateChange")
PATH_PARAMETERS = {
    "item_id": ("an item of /api/v1/desk/review", "U0123456789ab"),
    "release_id": ("a release id of /api/v1/releases", "2024-sunan-2017-3f2a9c"),
    "parcel_code": ("a parcel code of 19 characters", "320507001001GB00001"),
}
_STATUSES = {
    "400": "An unknown or malformed parameter or body, or a change that the pack does not take",
    "401": "No key, or one that is not known",
    "403": "A rule of docs/rights.md forbids it, or the request came from a page elsewhere",
    "404": "No such item, parcel, release, or nothing to export",
    "409": "Another state than the preview showed, or another command is writing: look again, then repeat",
    "415": "A change that is not sent as JSON",
    "429": "Too many requests",
    "503": "No warehouse, a release's folder is gone, or the ledger is held: repeat later",
}
_FILES = {
    f"{START}refused/export": (MEDIA["xlsx"],),
    f"{START}simulate/draft": ("application/yaml",),
}


def operation(path: str, method: str, given: dict[str, Any]) -> dict[str, Any]:
    """One operation of the desk, whole."""
    told = {k: v for k, v in given.items() if k not in ("parameters", "responses", "requestBody")}
    told["parameters"] = [_parameter(p) for p in given.get("parameters", [])]
    if method == "post":
        body = given["requestBody"]["content"]["application/json"]
        told["requestBody"] = {"required": True, "content": {"application/json": {**body, "example": BODIES[path]}}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    statuses = {s: w for s, w in _STATUSES.items() if method == "post" or s != "415"}
    failures = {status: {"description": words, "content": problem} for status, words in statuses.items()}
    return {**told, "responses": {"200": {"description": "OK", "content": _content(path, method)}, **failures}}


def _content(path: str, method: str) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    if path in _FILES:
        return {media.split(";")[0]: binary for media in _FILES[path]}
    example = EXAMPLES[f"POST {path}" if method == "post" else path]
    content: dict[str, Any] = {"application/json": {"schema": {"type": "object"}, "example": example}}
    if path == f"{START}simulate":
        content |= {media.split(";")[0]: binary for media in MEDIA.values()}
    return content


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    name = given["name"]
    if given["in"] == "path":
        words, example = PATH_PARAMETERS[name]
        return {**given, "schema": {"type": "string"}, "description": words, "example": example}
    about = known(name)
    told: dict[str, Any] = {"schema": about.schema, "description": f"{about.en}\n\n{about.zh}"}
    if about.example is not None:
        told["example"] = about.example
    return {"name": name, "in": "query", "required": False, **told}
