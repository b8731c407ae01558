"""Landing page, conformance, collections, queryables: what the API says about itself, as JSON documents."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from urllib.parse import quote

from api.ogc.collections import Collection
from api.ogc.crs import CRS84, SYSTEMS
from api.ogc.find import year_span
from api.ogc.links import Link, itself, link
from api.ogc.negotiate import GEOJSON, HTML, JSON, OPENAPI, SCHEMA
from api.ogc.scope import Scope

_FEATURES = "http://www.opengis.net/spec/ogcapi-features"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
CQL2_CLASSES = (
    "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
    "accent-insensitive-comparison", "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions",
    "temporal-functions", "array-functions", "property-property", "arithmetic",
)  # fmt: skip
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    *(f"{_FEATURES}-1/{version}/conf/{name}" for version in ("1.0", "1.1") for name in ("core", "geojson", "html", "oas30")),
    f"{_FEATURES}-2/1.0/conf/crs",
    *(f"{_FEATURES}-3/1.0/conf/{name}" for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(_CQL2 + name for name in CQL2_CLASSES),
)  # fmt: skip


def tiles() -> ModuleType | None:
    """The tiles part, where it is there."""
    return import_module("api.ogc.tiles") if find_spec("api.ogc.tiles") else None


def landing(scope: Scope, form: str) -> dict[str, Any]:
    """The landing page."""
    about = scope.opened.board
    part = tiles()
    return {
        "title": f"permu {about.year} {about.policy}",
        "description": f"Industrial land: parcels, enterprises and regions of release {about.release_id}. "
        "工业用地绩效评价：宗地、企业与区划图层。"
        + (" Synthetic data 合成数据。" if scope.opened.release.manifest.get("synthetic") else ""),
        "links": [
            *itself(scope.url("/"), form, JSON),
            link("service-desc", scope.url("/api?f=json"), OPENAPI, "API definition (OpenAPI 3.0)"),
            link("service-doc", scope.url("/api?f=html"), HTML, "API documentation"),
            link("conformance", scope.url("/conformance"), JSON, "Conformance classes"),
            link("data", scope.url("/collections"), JSON, "Collections"),
            *(part.links(scope.root, None) if part else []),
            *_releases(scope),
        ],
    }


def _releases(scope: Scope) -> list[Link]:
    """The landing page of every release, of earlier years too, in the form that Accept asks for."""
    return [
        link(
            "related", f"{scope.base}/releases/{quote(listed.release_id, safe='')}/", JSON,
            f"{listed.year} {listed.policy}: release 版本 {listed.release_id} ({listed.state})",
        )
        for listed in scope.releases()
    ]  # fmt: skip


def conformance(scope: Scope, form: str) -> dict[str, Any]:
    """The conformance classes that hold."""
    part = tiles()
    more = part.CONFORMANCE if part else ()
    return {"conformsTo": [*CONFORMANCE, *more], "links": itself(scope.url("/conformance"), form, JSON)}


def collections(scope: Scope, form: str) -> dict[str, Any]:
    """All collections."""
    return {
        "links": itself(scope.url("/collections"), form, JSON),
        "crs": list(SYSTEMS),
        "collections": [collection(scope, found, form) for found in scope.collections.values()],
    }


def collection(scope: Scope, found: Collection, form: str) -> dict[str, Any]:
    """One collection: extent in space and time, coordinate systems, links."""
    url = scope.url(f"/collections/{found.id}")
    part = tiles()
    links: list[Link] = [
        *itself(url, form, JSON),
        link("items", f"{url}/items?f=json", GEOJSON, f"{found.zh} · {found.en}"),
        link("items", f"{url}/items?f=html", HTML, f"{found.zh} · {found.en}"),
        link(QUERYABLES_REL, f"{url}/queryables?f=json", SCHEMA, "Queryables"),
        link(QUERYABLES_REL, f"{url}/queryables?f=html", HTML, "Queryables"),
        *(part.links(scope.root, found.id) if part else []),
    ]
    extent = _extent(found)
    return {
        "id": found.id,
        "title": f"{found.zh} · {found.en}" if found.zh != found.en else found.en,
        "description": f"{found.features().count} features",
        "links": links,
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": CRS84,
    } | ({"extent": extent} if extent else {})


def _extent(found: Collection) -> dict[str, Any]:
    features, extent = found.features(), {}
    if features.extent is not None:
        extent["spatial"] = {"bbox": [features.extent], "crs": CRS84}
    if found.year is not None:
        extent["temporal"] = {"interval": [[_stamp(t) for t in year_span(found.year)]]}
    elif found.times is not None:
        start, end = (features.table[c] for c in found.times)
        extent["temporal"] = {"interval": [[_stamp(start.min()), _stamp(end.max())]]}
    return extent


def _stamp(value: Any) -> str | None:
    """An instant of UTC (datetime, or day) as RFC 3339."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def queryables_header(scope: Scope, collection: str) -> dict[str, str]:
    """The header by which what can be filtered names its queryables (part 3, /req/queryables/queryables-link)."""
    url = scope.url(f"/collections/{collection}/queryables")
    return {"Link": f'<{url}>; rel="{QUERYABLES_REL}"; type="{SCHEMA}"'}
