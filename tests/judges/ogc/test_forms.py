"""Abstract tests of part 1, classes geojson, html and oas30."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_30

from tests.judges.ogc.api import GEOJSON, HTML, Api, page_of
from tests.judges.ogc.test_common import operations

PATHS = [
    "/", "/conformance", "/api", "/collections", "/collections/{}", "/collections/{}/queryables",
    "/collections/{}/items", "/collections/{}/items/{id}",
]  # fmt: skip


def _every(api: Api) -> list[tuple[str, str]]:
    """Each path of each collection, with its template."""
    found = []
    for name in api.names():
        identity = api.items(name, limit="1")["features"][0]["id"]
        found += [(path, path.format(name, id=identity)) for path in PATHS]
    return sorted(set(found))


@pytest.mark.requirement("/req/geojson/definition")
@pytest.mark.parametrize(
    "accept", [GEOJSON, "application/json", "*/*", "", "application/xml", f"{GEOJSON};q=0.9, {HTML};q=0.1"]
)
def test_json_is_understood_everywhere(api: Api, accept: str) -> None:
    for template, path in _every(api):
        answer = api.get(path, accept=accept)
        assert answer.status_code == 200
        kind = answer.headers["content-type"]
        assert kind == GEOJSON if "/items" in template else "json" in kind
        answer.json()


@pytest.mark.requirement("/req/geojson/content")
def test_feature_ids_are_those_of_the_path(api: Api) -> None:
    for name in api.names():
        for feature in api.items(name, limit="20")["features"]:
            assert api.json(f"/collections/{name}/items/{feature['id']}")["id"] == feature["id"]


@pytest.mark.requirement("/req/html/definition")
@pytest.mark.parametrize("accept", [HTML, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"])
def test_every_resource_has_a_page(api: Api, accept: str) -> None:
    for _, path in _every(api):
        page_of(api.get(path, accept=accept))
        page_of(api.get(path, f="html"))
        assert "json" in api.get(path, accept=accept, f="json").headers["content-type"]


@pytest.mark.requirement("/req/html/content")
def test_pages_hold_the_content_and_its_links(api: Api) -> None:
    for _, path in _every(api):
        document, page = api.json(path, f="json"), page_of(api.get(path, accept=HTML))
        shown = "".join(page.itertext())
        targets = {a.get("href") for a in page.findall(".//a")}
        for link in document.get("links", []):
            if link["rel"] not in ("self", "alternate"):
                assert link["href"] in targets or link["rel"] == "next"
        for feature in document.get("features", []):
            assert feature["id"] in shown
        for value in (document.get("properties") or {}).values() if document.get("type") == "Feature" else ():
            assert value is None or isinstance(value, list) or str(value) in shown


def _definition(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.json("/api")
    return found


@pytest.mark.requirement("/req/oas30/oas-definition-1")
@pytest.mark.requirement("/req/oas30/oas-definition-2")
def test_the_definition_is_openapi_30(api: Api) -> None:
    answer = api.get("/api", accept="application/vnd.oai.openapi+json;version=3.0")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    errors = [str(e)[:300] for e in jsonschema_rs.Draft4Validator(OPENAPI_30).iter_errors(answer.json())]
    assert not errors
    page_of(api.get("/api", accept=HTML))


@pytest.mark.requirement("/req/oas30/oas-definition-2")
def test_the_definition_refers_to_nothing_outside(api: Api) -> None:
    document = _definition(api)

    def walk(tree: Any) -> None:
        if isinstance(tree, dict):
            if "$ref" in tree:
                part: Any = document
                assert tree["$ref"].startswith("#/"), tree
                for step in tree["$ref"][2:].split("/"):
                    part = part[step]
            for value in tree.values():
                walk(value)
        elif isinstance(tree, list):
            for value in tree:
                walk(value)

    walk(document)


def _first_tile(api: Api, collection: str) -> dict[str, Any]:
    """A tile of the collection's lowest zoom, as parameters of its address."""
    limits = api.json(f"/collections/{collection}/tiles/WebMercatorQuad")["tileMatrixSetLimits"][0]
    return {"tileMatrix": limits["tileMatrix"], "tileRow": limits["minTileRow"], "tileCol": limits["minTileCol"]}


@pytest.mark.requirement("/req/oas30/oas-impl")
def test_every_path_of_the_definition_answers(api: Api) -> None:
    document = _definition(api)
    assert document["servers"] == [{"url": "http://127.0.0.1/ogc"}]
    for path in document["paths"]:
        collection = path.split("/")[2] if path.startswith("/collections/") else None
        identity = api.items(collection, limit="1")["features"][0]["id"] if collection else ""
        tile = _first_tile(api, collection) if collection and "{tile" in path else {}
        answer = api.get(path.format(featureId=identity, **tile))
        assert answer.status_code in ((200, 204) if "{tileMatrix}" in path else (200,)), path


@pytest.mark.requirement("/req/oas30/completeness")
@pytest.mark.requirement("/req/oas30/exceptions-codes")
def test_what_is_answered_is_described(api: Api) -> None:
    """Statuses and media types that requests of every kind bring about are those of the definition."""
    document = _definition(api)
    for name in api.names():
        path = f"/collections/{name}/items"
        described = document["paths"][path]["get"]["responses"]
        for params in ({}, {"f": "html"}, {"limit": "0"}, {"crs": "x"}, {"filter": "("}, {"datetime": "2024-W01-1"}):
            answer = api.get(path, **params)
            response = described[str(answer.status_code)]
            if "$ref" in response:
                response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
            assert answer.headers["content-type"].split(";")[0] in response["content"]
        missing = api.get(f"{path}/none")
        assert str(missing.status_code) in document["paths"][f"{path}/{{featureId}}"]["get"]["responses"]
        assert {"400", "401", "403", "404", "429", "500", "503"} <= set(described)


@pytest.mark.requirement("/req/oas30/completeness")
@pytest.mark.requirement("/req/oas30/exceptions-codes")
def test_every_operation_answers_as_it_is_described(api: Api) -> None:
    """What is there, and what is wrong with the question or not there: status and media type of each."""
    document, asked = _definition(api), list(operations(api))
    seen = set()
    for template, (path, _, query) in zip(document["paths"], asked, strict=True):
        described = document["paths"][template]["get"]["responses"]
        answers = [api.get(path, **({"f": form} if form else {})) for form in ("", *query["f"]["schema"]["enum"])]
        answers += [api.client.get(f"{api.root}{path}", params=wrong) for wrong in ({"unknown_one": "1"}, {"f": "x"})]
        if "{" in template:
            answers.append(api.get(path.rsplit("/", 1)[0] + "/99999999"))
        for answer in answers:
            response = described[str(answer.status_code)]
            if "$ref" in response:
                response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
            kinds = {kind.split(";")[0] for kind in response.get("content", {})}
            assert not answer.content or answer.headers["content-type"].split(";")[0] in kinds, (path, answer.url)
            seen.add(answer.status_code)
    assert {200, 400, 404} <= seen


@pytest.mark.requirement("/req/oas30/security")
def test_the_definition_names_the_keys(api: Api) -> None:
    document = _definition(api)
    assert document["components"]["securitySchemes"] == {
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    assert document["security"] == [{"basic": []}, {"bearer": []}, {}]
