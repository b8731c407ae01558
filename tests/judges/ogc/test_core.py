"""Abstract tests of OGC API Features part 1, class core (../shared/judges/ogcapi-features/core), one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely

from api.ogc.documents import CONFORMANCE, tiles
from tests.judges.ogc.api import GEOJSON, HTML, Api, Schemas, page_of, relations
from tests.judges.ogc.conftest import LAYERS
from tests.judges.ogc.serving import Served

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
OURS = ["parcels", "enterprises", "regions", "low_efficiency", "idle"]


@pytest.mark.requirement("/req/core/http")
@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/http")
def test_http(api: Api, served: Served) -> None:
    """The status line as it comes through a socket, of all that the landing page and the collections lead to."""
    root = f"{api.client.base_url}/ogc"
    documents = [api.json("/"), api.json("/collections"), *api.collections()]
    links = {one["href"] for document in documents for one in document["links"]}
    assert len(links) > 30 and all(link.startswith(root) for link in links)
    for link in links:
        assert served.status_line(link.replace(root, served.address)) == "HTTP/1.1 200 OK", link
    assert served.status_line(f"{served.address}/none").startswith("HTTP/1.1 404 ")
    assert served.status_line(f"{served.address}/collections?none=1").startswith("HTTP/1.1 400 ")


@pytest.mark.requirement("/req/core/root-op")
@pytest.mark.requirement("/req/core/root-success")
def test_landing_page(api: Api, schemas: Schemas) -> None:
    document = api.json("/")
    assert not schemas.errors("landingPage.yaml", document)
    assert {"service-desc", "service-doc", "conformance", "data"} <= set(relations(document["links"]))
    links = page_of(api.get("/", accept=HTML)).findall(".//a")
    assert {"service-desc", "service-doc", "conformance", "data"} <= {a.get("rel") for a in links}


@pytest.mark.requirement("/req/core/api-definition-op")
@pytest.mark.requirement("/req/core/api-definition-success")
def test_api_definition(api: Api) -> None:
    found = relations(api.json("/")["links"])
    described = api.get(found["service-desc"][0]["href"])
    assert described.status_code == 200 and described.json()["openapi"].startswith("3.0")
    assert described.headers["content-type"] == found["service-desc"][0]["type"]
    page_of(api.get(found["service-doc"][0]["href"]))


@pytest.mark.requirement("/req/core/conformance-op")
@pytest.mark.requirement("/req/core/conformance-success")
def test_conformance(api: Api, schemas: Schemas) -> None:
    for link in [*(one["href"] for one in relations(api.json("/")["links"])["conformance"]), "/conformance"]:
        document = api.json(link)
        assert not schemas.errors("confClasses.yaml", document)
        part = tiles()
        assert part and document["conformsTo"] == [*CONFORMANCE, *part.CONFORMANCE]
        for version in ("1.0", "1.1"):
            assert f"http://www.opengis.net/spec/ogcapi-features-1/{version}/conf/core" in document["conformsTo"]


@pytest.mark.requirement("/req/core/fc-md-op")
@pytest.mark.requirement("/req/core/fc-md-success")
@pytest.mark.requirement("/req/core/fc-md-links")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/collections-list-op")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/collections-list-success")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/collections-list-links")
def test_collections(api: Api, schemas: Schemas) -> None:
    document = api.json(relations(api.json("/")["links"])["data"][0]["href"])
    assert document == api.json("/collections") and not schemas.errors("collections.yaml", document)
    found = relations(document["links"])
    assert found["self"][0]["type"] == "application/json" and found["alternate"][0]["type"] == HTML
    assert api.json(found["self"][0]["href"]) == document
    page_of(api.get(found["alternate"][0]["href"]))
    assert document["crs"][0] == CRS84
    shown = "".join(page_of(api.get("/collections", accept=HTML)).itertext())
    assert all(name in shown for name in api.names())


@pytest.mark.requirement("/req/core/fc-md-items")
@pytest.mark.requirement("/req/core/fc-md-items-links")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/collections-list-collections")
def test_every_collection_is_described(api: Api, schemas: Schemas) -> None:
    assert api.names() == [*OURS, *LAYERS]
    for one in api.collections():
        assert not schemas.errors("collection.yaml", one)
        items = relations(one["links"])["items"]
        assert {link["type"] for link in items} == {GEOJSON, HTML}
        for link in items:
            answer = api.get(link["href"])
            assert answer.status_code == 200 and answer.headers["content-type"].startswith(link["type"])


@pytest.mark.requirement("/req/core/fc-md-extent")
@pytest.mark.requirement("/req/core/fc-md-extent-multi")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/description-extent")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/description-extent-multi")
def test_extents_hold_all_geometries_and_times(api: Api) -> None:
    for one in api.collections():
        ((west, south, east, north),) = one["extent"]["spatial"]["bbox"]
        assert one["extent"]["spatial"]["crs"] == CRS84
        drawn = [shapely.geometry.shape(f["geometry"]) for f in api.whole(one["id"]) if f["geometry"]]
        assert drawn
        bounds = shapely.total_bounds(drawn)
        assert west <= bounds[0] and south <= bounds[1] and east >= bounds[2] and north >= bounds[3]
    start, end = _collection(api, "ne_110m_populated_places_simple")["extent"]["temporal"]["interval"][0]
    timed = [f["properties"] for f in api.whole("ne_110m_populated_places_simple") if f["properties"]["start"]]
    assert timed and all(start <= p["start"] and p["end"] <= end for p in timed)
    assert _collection(api, "parcels")["extent"]["temporal"]["interval"] == [
        ["2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z"]
    ]


def _collection(api: Api, name: str) -> dict[str, dict[str, dict[str, list[list[str]]]]]:
    found: dict[str, dict[str, dict[str, list[list[str]]]]] = api.json(f"/collections/{name}")
    return found


@pytest.mark.requirement("/req/core/sfc-md-op")
@pytest.mark.requirement("/req/core/sfc-md-success")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/description-op")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/description-success")
@pytest.mark.requirement("ogcapi-common-2/1.0/req/collections/description-links")
def test_a_collection_says_what_the_list_says(api: Api, schemas: Schemas) -> None:
    for listed in api.collections():
        alone = api.json(f"/collections/{listed['id']}")
        assert not schemas.errors("collection.yaml", alone)
        found = relations(alone["links"])
        assert found["self"][0]["type"] == "application/json" and found["alternate"][0]["type"] == HTML
        assert api.json(found["self"][0]["href"]) == alone
        assert listed["id"] in "".join(page_of(api.get(found["alternate"][0]["href"])).itertext())
        for name in ("id", "title", "description", "extent", "itemType"):
            assert alone.get(name) == listed.get(name)
        assert {one["href"] for one in listed["links"]} <= {one["href"] for one in alone["links"]}


@pytest.mark.requirement("/req/core/fc-op")
@pytest.mark.requirement("/req/core/fc-response")
def test_items(api: Api, schemas: Schemas) -> None:
    for name in api.names():
        document = api.items(name, limit="50")
        assert document["type"] == "FeatureCollection" and document["features"]
        assert not schemas.errors("featureCollectionGeoJSON.yaml", document)


@pytest.mark.requirement("/req/core/fc-op")
def test_bbox_and_datetime_together(api: Api) -> None:
    name, box, time = "ne_110m_populated_places_simple", "0,30,30,60", "2022-06-01T00:00:00Z/.."
    both = api.ids(name, bbox=box, datetime=time)
    assert both == api.ids(name, bbox=box) & api.ids(name, datetime=time)
    assert 0 < len(both) < len(api.ids(name, bbox=box))


@pytest.mark.requirement("/req/core/fc-bbox-definition")
def test_bbox_definition(api: Api) -> None:
    box = _parameter(api, "bbox")
    numbers = [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]
    assert box["schema"] == {"type": "array", "oneOf": numbers, "items": {"type": "number"}}
    assert (box["style"], box["explode"], box["required"], box["in"]) == ("form", False, False, "query")


@pytest.mark.requirement("/req/core/fc-limit-definition")
def test_limit_definition(api: Api) -> None:
    limit = _parameter(api, "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100}
    assert (limit["style"], limit["explode"], limit["required"], limit["in"]) == ("form", False, False, "query")


@pytest.mark.requirement("/req/core/fc-time-definition")
def test_datetime_definition(api: Api) -> None:
    time = _parameter(api, "datetime")
    assert time["schema"] == {"type": "string"}
    assert (time["style"], time["explode"], time["required"], time["in"]) == ("form", False, False, "query")


def _parameter(api: Api, name: str) -> dict[str, object]:
    """A parameter of the items of every collection, resolved."""
    document = api.json("/api")
    for one in api.names():
        given = document["paths"][f"/collections/{one}/items"]["get"]["parameters"]
        assert {"$ref": f"#/components/parameters/{name}"} in given
    found: dict[str, object] = document["components"]["parameters"][name]
    return found


@pytest.mark.requirement("/req/core/fc-bbox-response")
@pytest.mark.parametrize("heights", [False, True])
def test_bbox_response(api: Api, heights: bool) -> None:
    for one in api.collections():
        west, south, east, north = one["extent"]["spatial"]["bbox"][0]
        box = shapely.box(west, south, (west + east) / 2, (south + north) / 2)
        numbers = [*box.bounds[:2], -100.0, *box.bounds[2:], 9000.0] if heights else list(box.bounds)
        found = api.ids(one["id"], bbox=",".join(map(str, numbers)))
        features = api.whole(one["id"])
        right = {f["id"] for f in features if not f["geometry"] or _shape(f).intersects(box)}
        assert found == right
        assert any(f["geometry"] for f in features if f["id"] in found) or one["id"] == "idle"


def _shape(feature: dict[str, object]) -> shapely.Geometry:
    return shapely.geometry.shape(feature["geometry"])


@pytest.mark.requirement("/req/core/fc-bbox-response")
def test_bbox_over_the_antimeridian(api: Api) -> None:
    name = "ne_110m_admin_0_countries"
    halves = api.ids(name, bbox="170,-90,180,90") | api.ids(name, bbox="-180,-90,-170,90")
    assert api.ids(name, bbox="170,-90,-170,90") == halves
    assert {"Fiji", "Russia"} <= {
        f["properties"]["NAME"] for f in api.whole(name, bbox="170,-90,-170,90")
    }  # fmt: skip


@pytest.mark.requirement("/req/core/fc-limit-response")
@pytest.mark.parametrize("limit", [1, 7, 100, 10_000, 10_001, 999_999_999_999])
def test_limit_response(api: Api, limit: int) -> None:
    for name in api.names():
        found = api.items(name, limit=str(limit))
        assert len(found["features"]) == min(limit, found["numberMatched"], 10_000)


@pytest.mark.requirement("/req/core/fc-time-response")
@pytest.mark.parametrize(
    ("asked", "in_2024"),
    [
        ("2024-06-30T12:00:00Z", True),
        ("2024-06-30", True),
        ("2024-12-31T23:59:59Z", True),
        ("2025-01-01T00:00:00Z", False),
        ("2024-12-31T23:30:00-01:00", False),
        ("2023-01-01T00:00:00Z/2023-12-31T23:59:59Z", False),
        ("2023-06-01T00:00:00Z/2024-01-01T00:00:00Z", True),
        ("../2024-01-01T00:00:00Z", True),
        ("/2023-12-31T23:59:59Z", False),
        ("2024-12-31T00:00:00Z/..", True),
        ("2025-01-01T00:00:00Z/", False),
        ("2024-12-31T23:59:60Z/..", None),
    ],
)
def test_datetime_response(api: Api, asked: str, in_2024: bool | None) -> None:
    if in_2024 is None:  # a leap second: refused by the calendar of the library, and said so
        assert api.get("/collections/parcels/items", datetime=asked).status_code == 400
        return
    for name in OURS:
        found = api.items(name, datetime=asked, limit="1")["numberMatched"]
        assert found == (api.items(name, limit="1")["numberMatched"] if in_2024 else 0)


@pytest.mark.requirement("/req/core/fc-time-response")
@pytest.mark.parametrize("asked", ["2022-04-16T10:14:00Z", "2022-04-16T10:14:00Z/..", "../2022-04-16T10:14:00Z"])
def test_datetime_of_features_with_times(api: Api, asked: str) -> None:
    name = "ne_110m_populated_places_simple"
    low, high = (asked.split("/") * 2)[:2]
    right = {f["id"] for f in api.whole(name) if _meets(f["properties"], low, high)}
    assert api.ids(name, datetime=asked) == right
    assert api.items("ne_110m_admin_0_countries", datetime=asked)["numberMatched"] == 177  # no time: all


def _meets(properties: dict[str, str | None], low: str, high: str) -> bool:
    """Instants of one form and zone compare as texts."""
    start, end = properties["start"], properties["end"]
    if start is None and end is None:
        return True
    return (high == ".." or (start or "") <= high) and (low == ".." or (end or "9") >= low)


@pytest.mark.requirement("/req/core/fc-links")
@pytest.mark.requirement("/req/core/fc-rel-type")
def test_links_of_items(api: Api) -> None:
    for name in api.names():
        asked = {"limit": "3", "bbox": "-180,-90,180,90"}
        found = relations(api.items(name, **asked)["links"])
        assert found["self"][0]["type"] == GEOJSON and found["alternate"][0]["type"] == HTML
        itself, other = api.get(found["self"][0]["href"]), api.get(found["alternate"][0]["href"])
        assert itself.json()["features"] == api.items(name, **asked)["features"]
        assert "/".join(str(itself.json()[n]) for n in ("numberReturned", "numberMatched")) in "".join(
            page_of(other).itertext()
        ).replace(" ", "")


@pytest.mark.requirement("/req/core/fc-links")
@pytest.mark.parametrize("limit", ["1", "7", "40"])
def test_pages_joined_are_the_whole(api: Api, limit: str) -> None:
    for name in ("regions", "ne_110m_populated_places_simple", "ne_110m_rivers_lake_centerlines"):
        joined = [f["id"] for f in api.whole(name, limit=limit)]
        assert joined == [f["id"] for f in api.whole(name)] == sorted(joined)
        assert len(set(joined)) == api.items(name)["numberMatched"]


@pytest.mark.requirement("/req/core/fc-timeStamp")
def test_time_stamp(api: Api) -> None:
    stamp = datetime.fromisoformat(api.items("regions", limit="1")["timeStamp"])
    assert abs((datetime.now(UTC) - stamp).total_seconds()) < 60


@pytest.mark.requirement("/req/core/fc-numberMatched")
@pytest.mark.requirement("/req/core/fc-numberReturned")
def test_numbers(api: Api) -> None:
    for name in api.names():
        page = api.items(name, limit="3")
        assert page["numberReturned"] == len(page["features"])
        assert page["numberMatched"] == len(api.whole(name))


@pytest.mark.requirement("/req/core/query-param-invalid")
@pytest.mark.requirement("ogcapi-common-1/1.0/req/core/query-param-value-invalid")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "-1"), ("limit", "1.5"), ("limit", "ten"), ("limit", ""), ("limit", "9" * 400),
        ("limit", "٣"), ("bbox", "1,2,3"), ("bbox", "1,2,3,4,5"), ("bbox", "1,2,3,NaN"), ("bbox", "1,2,inf,4"),
        ("bbox", "1,9,3,4"), ("bbox", "a,b,c,d"), ("bbox", ""), ("bbox", "190,0,170,10"), ("bbox", "0,-1e400,10,10"),
        ("bbox", ",".join(["1"] * 5000)), ("datetime", "yesterday"), ("datetime", "2024"), ("datetime", ""),
        ("datetime", ".."), ("datetime", "2024-13-01"), ("datetime", "2024-06-01T00:00:00"),
        ("datetime", "2024-02-01/2024-01-01"), ("datetime", "a/b/c"), ("cursor", "x"), ("cursor", "AAAAAAAA"),
        ("cursor", "A" * 5000), ("f", "xml"), ("f", ""), ("rank", "first"), ("rank", "nan"),
    ],
)  # fmt: skip
def test_invalid_values_are_400(api: Api, name: str, value: str) -> None:
    response = api.client.get("/ogc/collections/parcels/items", params={name: value})
    assert response.status_code == 400
    problem = response.json()
    assert problem["parameter"] == name and problem["allowed"] and name in problem["detail"]


@pytest.mark.requirement("/req/core/query-param-unknown")
@pytest.mark.parametrize(
    "path", ["/", "/conformance", "/api", "/collections", "/collections/{}", "/collections/{}/items",
             "/collections/{}/queryables", "/collections/{}/items/{id}"],
)  # fmt: skip
def test_unknown_parameters_are_400(api: Api, path: str) -> None:
    for name in ("parcels", "ne_110m_rivers_lake_centerlines"):
        identity = api.items(name, limit="1")["features"][0]["id"]
        response = api.get(path.format(name, id=identity), unknown_one="1")
        assert response.status_code == 400 and response.json()["parameter"] == "unknown_one"


@pytest.mark.requirement("/req/core/f-op")
@pytest.mark.requirement("/req/core/f-success")
@pytest.mark.requirement("/req/core/f-links")
def test_features(api: Api, schemas: Schemas) -> None:
    for name in api.names():
        for listed in api.whole(name)[::37]:
            path = f"/collections/{name}/items/{listed['id']}"
            alone = api.json(path)
            assert not schemas.errors("featureGeoJSON.yaml", alone)
            assert {key: alone[key] for key in listed} == listed
            found = relations(alone["links"])
            assert found["self"][0]["type"] == GEOJSON and found["alternate"][0]["type"] == HTML
            assert api.json(found["collection"][0]["href"])["id"] == name
        assert listed["id"] in "".join(page_of(api.get(path, accept=HTML)).itertext())


@pytest.mark.requirement("/req/core/f-op")
@pytest.mark.parametrize("identity", ["none", "%2e%2e%2fx", "a/b", "'", "x" * 5000])
def test_no_such_feature_is_404(api: Api, identity: str) -> None:
    assert api.get(f"/collections/parcels/items/{identity}").status_code == 404


@pytest.mark.requirement("/req/core/crs84")
def test_geometries_are_in_crs84(api: Api) -> None:
    for one in api.collections():
        assert one["crs"][0] == CRS84
        for feature in api.whole(one["id"]):
            if feature["geometry"]:
                at = shapely.get_coordinates(_shape(feature))
                assert (abs(at) <= (180 + 1e-9, 90)).all()
    at = shapely.get_coordinates(_shape(api.whole("parcels")[0]))[0]
    assert 115 < at[0] < 125 and 30 < at[1] < 36  # southern Jiangsu: longitude first
