"""Abstract tests of OGC API Common part 1 (19-072), class core: names and values of the parameters of every operation.

Those of HTTP and of part 2 (20-024) are carried by the tests of test_core, which ask the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Response

from tests.judges.ogc.api import Api

PLACES = "ne_110m_populated_places_simple"
# What the parameters of the standards take; queryables take what a feature has.
VALUES = {"limit": "1", "bbox": "-180,-90,180,90", "datetime": "2024-01-01/..", "filter": "true"}


def operations(api: Api) -> Iterator[tuple[str, str, dict[str, dict[str, Any]]]]:
    """Address, collection and query parameters of every operation of the definition (tiles are named by their path)."""
    document = api.json("/api")
    known = document["components"]["parameters"]
    for path, held in document["paths"].items():
        name = path.split("/")[2] if path.startswith("/collections/") else ""
        identity = api.items(name, limit="1")["features"][0]["id"] if name else ""
        limits = (
            api.json(f"/collections/{name}/tiles/WebMercatorQuad")["tileMatrixSetLimits"][0] if "{tile" in path else {}
        )
        place = {
            "tileMatrix": limits.get("tileMatrix"),
            "tileRow": limits.get("minTileRow"),
            "tileCol": limits.get("minTileCol"),
        }
        given = [known[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one for one in held["get"]["parameters"]]
        query = {one["name"]: one for one in given if one["in"] == "query"}
        yield path.format(featureId=identity, **place), name, query


def ask(api: Api, path: str, **params: str) -> Response:
    """With the names of parameters as they are."""
    return api.client.get(f"{api.root}{path}", params=params)


@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-name-unknown")
def test_unknown_names_are_400_everywhere(api: Api) -> None:
    asked = list(operations(api))
    assert len(asked) > 50 and all("f" in query for _, _, query in asked)
    for path, _, _ in asked:
        answer = ask(api, path, unknown_one="1")
        assert answer.status_code == 400 and answer.json()["parameter"] == "unknown_one", path


@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-capitalization")
def test_names_are_taken_as_they_are_written(api: Api) -> None:
    """Every parameter of every operation: as described 200, with its capitals turned 400."""
    seen = set()
    for path, name, query in operations(api):
        feature = api.items(name, limit="1")["features"][0]["properties"] if name else {}
        for parameter, described in query.items():
            value = _value(parameter, described, feature)
            if value is None:
                continue
            more = {"filter": "true"} if parameter in ("filter-lang", "filter-crs") else {}
            assert ask(api, path, **{parameter: value, **more}).status_code == 200, (path, parameter, value)
            turned = ask(api, path, **{parameter.swapcase(): value, **more})
            assert turned.status_code == 400 and turned.json()["parameter"] == parameter.swapcase(), (path, parameter)
            seen.add((name, parameter))
    assert len(seen) > 150


def _value(parameter: str, described: dict[str, Any], feature: dict[str, Any]) -> str | None:
    """A value that a parameter takes; None where there is none to ask (a cursor, a property that is missing)."""
    if parameter in VALUES:
        return VALUES[parameter]
    if "enum" in described["schema"]:
        return str(described["schema"]["enum"][0])
    held = feature.get(parameter)
    held = held[0] if isinstance(held, list) and held else held
    return None if held in (None, []) else str(held).lower() if isinstance(held, bool) else str(held)


@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-list-delimiter")
def test_lists_are_parted_by_commas(api: Api) -> None:
    for path, name, query in operations(api):
        if "bbox" in query:
            one = next(held for held in api.collections() if held["id"] == name)["extent"]["spatial"]["bbox"][0]
            west, south, east, north = one
            quarter = [west, south, (west + east) / 2, (south + north) / 2]
            part = ask(api, path, bbox=",".join(map(str, quarter)), limit="1").json()["numberMatched"]
            whole = ask(api, path, bbox=",".join(map(str, one)), limit="1").json()["numberMatched"]
            assert 0 < part < whole or (name == "idle" and part < whole)  # few features
            for mark in (";", "|", " ", "%2C", "/"):
                answer = ask(api, path, bbox=mark.join(map(str, quarter)))
                assert answer.status_code == 400 and answer.json()["parameter"] == "bbox"


@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-value-boolean")
def test_true_and_false(api: Api) -> None:
    held = {f["id"]: f["properties"]["boolean"] for f in api.whole(PLACES)}
    assert {True, False} <= set(held.values())
    for word, value in (("true", True), ("false", False)):
        assert api.ids(PLACES, boolean=word) == {i for i, one in held.items() if one is value}
    for word in ("TRUE", "1", "0", "yes", ""):
        assert ask(api, f"/collections/{PLACES}/items", boolean=word).status_code == 400


@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-value-integer")
@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-value-decimal")
@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-value-double")
def test_numbers_in_every_way_to_write_them(api: Api) -> None:
    box = "-10.50,035.250,20.0,060"
    for other in ("-1.05e1,3.525E1,2e1,60", "-10.5,35.25,20,60", "-010.5,35.25000,+20,6.0e+1"):
        assert api.ids(PLACES, bbox=other) == api.ids(PLACES, bbox=box) != set()
    held = {f["id"]: f["properties"]["pop_other"] for f in api.whole(PLACES)}
    for written in ("1038288", "001038288", "+1038288", "1038288.00", "1.038288e6", "1038288e0"):
        assert api.ids(PLACES, pop_other=written) == {i for i, one in held.items() if one == 1038288} != set()
    assert api.ids(PLACES, pop_other="-1038288") == api.ids(PLACES, pop_other="-4.294967297e12") == set()
    mu = next(f["properties"]["area_mu"] for f in api.whole("parcels") if f["properties"]["area_mu"])
    right = {f["id"] for f in api.whole("parcels") if f["properties"]["area_mu"] == mu}
    assert api.ids("parcels", area_mu=repr(mu)) == api.ids("parcels", area_mu=f"00{mu!r}") == right
    for wrong in ("0x10", "1_000", "1,5", "inf", "-inf", "nan", "1e", "--1", "١"):
        assert ask(api, f"/collections/{PLACES}/items", pop_other=wrong).status_code == 400, wrong
