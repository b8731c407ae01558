"""A client of /ogc as the abstract tests use it, and the standard's own schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import yaml
from fastapi.testclient import TestClient
from httpx import Response
from lxml import etree

STANDARD = "judges/ogcapi-features"
GEOJSON, HTML = "application/geo+json", "text/html"


class Api:
    """Requests under one landing page; every answer is HTTP/1.1 and none is an error of the server."""

    def __init__(self, client: TestClient, root: str = "/ogc") -> None:
        self.client, self.root = client, root
        self._collections: list[dict[str, Any]] = []

    def get(self, path: str, /, accept: str = "application/geo+json, application/json", **params: str) -> Response:
        """A path under the landing page, or an absolute address; parameters with ``_`` for ``-``."""
        url = path if path.startswith("http") else self.root + path
        given = {name.rstrip("_").replace("_", "-") if name in DASHED else name: v for name, v in params.items()}
        response = self.client.get(url, params=given or None, headers={"Accept": accept})
        assert response.status_code < 500, (url, response.text[:300])
        return response

    def json(self, path: str, /, **params: str) -> Any:
        """The document of a request that succeeds."""
        response = self.get(path, **params)
        assert response.status_code == 200, (path, params, response.text[:400])
        return orjson.loads(response.content)

    def collections(self) -> list[dict[str, Any]]:
        """Every collection of the collections' document."""
        if not self._collections:
            self._collections = list(self.json("/collections")["collections"])
        return self._collections

    def names(self) -> list[str]:
        """The ids of all collections."""
        return [one["id"] for one in self.collections()]

    def items(self, name: str, /, **params: str) -> Any:
        """A page of a collection."""
        return self.json(f"/collections/{name}/items", **params)

    def whole(self, name: str, /, **params: str) -> list[dict[str, Any]]:
        """Every feature, page by page along the links ``next``."""
        page = self.items(name, **{"limit": "10000", **params})
        found = list(page["features"])
        while following := [one["href"] for one in page["links"] if one["rel"] == "next"]:
            page = self.json(following[0])
            found += page["features"]
        return found

    def ids(self, name: str, /, **params: str) -> set[str]:
        """The ids of the features that answer."""
        return {one["id"] for one in self.whole(name, **params)}

    def filtered(self, name: str, text: str, language: str = "cql2-text", /, **params: str) -> set[str]:
        """The ids of the features that a filter holds for."""
        return self.ids(name, filter=text, filter_lang=language, **params)


DASHED = ("bbox_crs", "filter_lang", "filter_crs")


class Schemas:
    """The schemas of part 1 as one JSON Schema each."""

    def __init__(self, shared: Path) -> None:
        folder = shared / STANDARD / "core/openapi/schemas"
        self.all = {place.name: _quoted_null(yaml.safe_load(place.read_text("utf-8"))) for place in folder.iterdir()}

    def errors(self, name: str, document: Any) -> list[str]:
        """What the schema finds wrong, at most ten."""
        whole = {"$ref": f"#/$defs/{name}", "$defs": self.all}
        validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [str(error)[:300] for _, error in zip(range(10), validator.iter_errors(document), strict=False)]


def _quoted_null(tree: Any) -> Any:
    """YAML's ``type: null`` as JSON Schema means it, references to files as references within one schema."""
    if isinstance(tree, list):
        return [_quoted_null(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    found = {key: _quoted_null(value) for key, value in tree.items()}
    if "type" in found:
        kind = found["type"]
        found["type"] = ["null" if k is None else k for k in kind] if isinstance(kind, list) else kind or "null"
    if isinstance(found.get("$ref"), str):
        found["$ref"] = f"#/$defs/{found['$ref']}"
    return found


def relations(links: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Links by their relation; each has ``rel``, ``href`` and ``type``."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in links:
        assert one["rel"] and one["type"] and one["href"].startswith("http"), one
        found.setdefault(one["rel"], []).append(one)
    return found


def page_of(response: Response) -> etree._Element:
    """An HTML answer, which must be well-formed."""
    assert response.status_code == 200 and response.headers["content-type"].startswith(HTML), response.text[:300]
    assert response.text.startswith("<!DOCTYPE html>")
    return etree.fromstring(response.text.removeprefix("<!DOCTYPE html>").encode())
