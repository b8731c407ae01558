"""The OpenAPI document says everything, by itself, and its examples look like the answers."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.app import create_app
from api.desk.examples import EXAMPLES as DESK
from api.reference import reference
from engine.layers.prepared import FORMS
from engine.query.parameters import PARAMETERS
from engine.schema.columns import COLUMNS

DOCUMENTED = {
    "/api/v1/releases", "/api/v1/industries", "/api/v1/regions", "/api/v1/sizes", "/api/v1/policies",
    "/api/v1/policies/{policy_id}", "/api/v1/indicators", "/api/v1/columns", "/api/v1/rankings", "/api/v1/rankings/bottom", "/api/v1/rankings/places", "/api/v1/rankings/ids", "/api/v1/summary",
    "/api/v1/enterprises/{enterprise_id}", "/api/v1/enterprises/{enterprise_id}/explain",
    "/api/v1/enterprises/{enterprise_id}/history", *(f"/layers/{{layer}}.{ending}" for ending in FORMS), "/healthz", "/readyz", "/metrics", "/api/v1/me",
    *(f"/api/v1/overview/{panel}" for panel in ("distribution", "concentration", "quadrant", "movement", "targets")),
    *(f"/api/v1/enterprises/{{enterprise_id}}/{part}" for part in ("facts", "parcels", "standing", "checkup")),
    "/api/v1/report",
    *(p for p in DESK if not p.startswith("POST ")), "/api/v1/desk/refused/export", "/api/v1/desk/simulate/draft",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == DOCUMENTED


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        if path.startswith("/api/v1/desk/"):  # tests/unit/desk looks at them
            continue
        for p in operations["get"]["parameters"]:
            assert p["description"] and p["schema"]["type"], (path, p["name"])
            if p["in"] == "query":
                assert p["description"].startswith(PARAMETERS[p["name"]].en)
    asked = {p["name"] for p in document["paths"]["/api/v1/rankings"]["get"]["parameters"]}
    assert asked == {
        "release", "year", "policy", "industry", "region", "size", "group", "grade", "by", "order", "limit", "cursor", "q",
        "format", "lang",
    }  # fmt: skip


def test_the_document_is_self_contained(document: dict[str, Any]) -> None:
    for ref in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(document)):
        kind, name = ref.removeprefix("#/components/").split("/")
        assert ref.startswith("#/") and name in document["components"][kind]
    assert "http://" not in json.dumps(document) and "https://" not in json.dumps(document)
    assert "422" not in json.dumps(document)


def test_every_answer_has_an_example(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        responses = operations["get"]["responses"]
        told = responses["200"]["content"].values()
        assert any("example" in media or _is_file(media) for media in told) and "400" in responses


def _is_file(media: dict[str, Any]) -> bool:
    return media["schema"].get("format") == "binary"


def test_examples_look_like_the_answers(document: dict[str, Any], client: TestClient) -> None:
    judged = 0
    for path, operations in document["paths"].items():
        if path.startswith("/api/v1/desk/") or path == "/metrics":  # the desk has tests of its own; metrics are text
            continue
        media = next(iter(operations["get"]["responses"]["200"]["content"].values()))
        if _is_file(media):
            continue
        real = path.replace("{enterprise_id}", "E01").replace("{policy_id}", "sunan-2017").replace("{layer}", "parcels")
        given = client.get(real, params={"group_by": "industry"} if path.endswith("summary") else {}).json()
        example = {k: v for k, v in media["example"].items() if k != "places"}  # its keys are enterprise ids
        _within(example, given, path)
        judged += 1
    assert judged > 15


def _within(example: Any, given: Any, where: str) -> None:
    """Every key of the example occurs in the real answer."""
    if (
        isinstance(example, dict)
        and isinstance(given, dict)
        and where.split(".")[-1] not in ("ranks", "grades", "metrics", "key")
    ):
        assert set(example) <= set(given), (where, set(example) - set(given))
        for key in example:
            _within(example[key], given[key], f"{where}.{key}")
    elif isinstance(example, list) and isinstance(given, list) and example and given:
        _within(example[0], given[0], where)


def test_row_schema_describes_what_a_row_holds(document: dict[str, Any], client: TestClient) -> None:
    described = set(document["components"]["schemas"]["Row"]["properties"])
    row = client.get("/api/v1/rankings", params={"policy": "huaian-2024"}).json()["rows"][0]
    assert set(row) <= described


def test_the_readable_reference_loads_nothing_from_elsewhere(client: TestClient) -> None:
    text = client.get("/docs").text
    assert "GET /api/v1/rankings/bottom" in text and not re.search(r'(src|href)="(https?:)?//', text)


def test_docs_name_every_route_parameter_and_column(checkout: Path) -> None:
    text = (checkout / "docs" / "api.md").read_text(encoding="utf-8")
    assert text == reference(), "write it again: python -m api.reference > docs/api.md"
    for path in DOCUMENTED:
        assert f"`{path}`" in text, path
    for name in PARAMETERS:
        assert f"`{name}`" in text, name
    for name in COLUMNS:
        assert f"`{name}`" in text, name


def test_handlers_never_block_the_event_loop(warehouse: Any) -> None:
    """Whatever reads files or computes runs in worker threads. Async are a look-up in memory and two that wait for their
    form or provider, and hand what blocks to a thread."""
    app: FastAPI = create_app(warehouse)
    endpoints = {c.path: c.endpoint for c in iter_route_contexts(app.routes) if getattr(c, "endpoint", None)}
    found = {path for path, endpoint in endpoints.items() if inspect.iscoroutinefunction(endpoint)}
    assert len(endpoints) > 60
    tile = "/collections/{collection_id}/tiles/{tms}/{z}/{y}/{x}"
    allowed = {"/login", "/login/callback", f"/ogc{tile}", f"/ogc/releases/{{release_id}}{tile}", "/openapi.json"}
    assert found <= allowed and found >= allowed - {"/openapi.json"}, found
