"""OGC API Features part 3 (filtering): queryables, queryables as parameters, filter, filter-lang, filter-crs.

The shared standard holds no abstract tests of this part; the requirements bear the names of 19-079r2.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import shapely

from tests.judges.ogc.api import HTML, Api, page_of, relations

REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
PLACES = "ne_110m_populated_places_simple"


@pytest.mark.requirement("/req/queryables/queryables-link")
@pytest.mark.requirement("/req/queryables/get-queryables-op")
@pytest.mark.requirement("/req/queryables/get-queryables-response")
def test_queryables(api: Api) -> None:
    for one in api.collections():
        links = relations(one["links"])[REL]
        assert {link["type"] for link in links} == {"application/schema+json", HTML}
        schema = api.json(next(link["href"] for link in links if "schema" in link["type"]))
        jsonschema_rs.Draft202012Validator(schema)
        assert schema["type"] == "object" and schema["$schema"].endswith("2020-12/schema")
        assert schema["$id"].endswith(f"/ogc/collections/{one['id']}/queryables")
        assert schema["additionalProperties"] is False
        assert all("type" in held or "format" in held for held in schema["properties"].values())
        shown = {name for feature in api.items(one["id"])["features"] for name in feature["properties"]}
        geometry = {name for name, held in schema["properties"].items() if "x-ogc-role" in held}
        assert set(schema["properties"]) == shown | geometry and len(geometry) == 1
        page_of(api.get(f"/collections/{one['id']}/queryables", accept=HTML))
        for form in ("json", "html"):
            named = api.get(f"/collections/{one['id']}/items", limit="1", f=form).links[REL]
            assert api.get(named["url"]).json() == schema and named["type"] == "application/schema+json"


@pytest.mark.requirement("/req/queryables-query-parameters/parameters")
def test_queryables_are_parameters(api: Api) -> None:
    document = api.json("/api")
    for name in api.names():
        given = document["paths"][f"/collections/{name}/items"]["get"]["parameters"]
        named = {one.get("name") for one in given}
        properties = api.json(f"/collections/{name}/queryables")["properties"]
        assert {n for n, held in properties.items() if "x-ogc-role" not in held} <= named
    assert {f["properties"]["name"] for f in api.whole(PLACES, name="Kiev")} == {"Kiev"}
    for asked, right in (
        ({"boolean": "true"}, lambda p: p["boolean"] is True),
        ({"date": "2022-04-16"}, lambda p: p["date"] == "2022-04-16"),
        ({"start": "2022-04-16T10:13:19Z"}, lambda p: p["start"] == "2022-04-16T10:13:19Z"),
        ({"pop_other": "1038288"}, lambda p: p["pop_other"] == 1038288),
        ({"pop_other": "1038288", "name": "Kiev"}, lambda p: False),
    ):
        assert api.ids(PLACES, **asked) == {f["id"] for f in api.whole(PLACES) if right(f["properties"])}
    user = next(f for f in api.whole("parcels") if len(f["properties"]["enterprise_ids"]) > 1)["properties"]
    for enterprise in user["enterprise_ids"]:
        used = api.whole("parcels", enterprise_ids=enterprise)
        assert used and all(enterprise in f["properties"]["enterprise_ids"] for f in used)


@pytest.mark.requirement("/req/filter/filter-param")
@pytest.mark.requirement("/req/filter/mixing-expressions")
@pytest.mark.requirement("/req/filter/response")
@pytest.mark.requirement("/req/features-filter/filter-param")
def test_filter_and_other_conditions_all_hold(api: Api) -> None:
    name = "enterprises"
    text = "size = 'small' AND rank <= 200 AND (land_mu > 5 OR NOT (industry_code LIKE '2%'))"
    found = api.whole(name, filter=text)
    assert found
    for one in api.whole(name):
        p = one["properties"]
        holds = (
            p["size"] == "small"
            and (p["rank"] or 999) <= 200
            and ((p["land_mu"] or 0) > 5 or not p["industry_code"].startswith("2"))
        )
        assert holds == (one in found)
    box = ",".join(map(str, shapely.geometry.shape(found[0]["geometry"]).buffer(0.3).bounds))
    both = api.ids(name, filter=text, bbox=box, region_code=found[0]["properties"]["region_code"])
    assert both == api.ids(name, filter=text) & api.ids(name, bbox=box) & api.ids(
        name, region_code=found[0]["properties"]["region_code"]
    )


@pytest.mark.requirement("/req/filter/filter-param")
def test_numbers_and_pages_of_a_filter(api: Api) -> None:
    text = "area_mu > 20"
    page = api.items("parcels", filter=text, limit="7")
    joined = api.whole("parcels", filter=text, limit="7")
    right = [f for f in api.whole("parcels") if (f["properties"]["area_mu"] or 0) > 20]
    assert 7 < page["numberMatched"] == len(right) and joined == right
    follow = next(one["href"] for one in page["links"] if one["rel"] == "next")
    for other in ("area_mu > 21", "area_mu  > 20"):
        changed = follow.replace(urlencode({"filter": text}), urlencode({"filter": other}))
        assert changed != follow and api.get(changed).status_code == 400  # a cursor belongs to its question


@pytest.mark.requirement("/req/filter/filter-lang-param")
def test_filter_lang(api: Api) -> None:
    document = api.json("/api")["components"]["parameters"]["filter-lang"]
    assert document["schema"]["enum"] == ["cql2-text", "cql2-json", "cql-text"]
    text, tree = "name = 'Kiev'", '{"op":"=","args":[{"property":"name"},"Kiev"]}'
    assert api.ids(PLACES, filter=text) == api.ids(PLACES, filter=tree) == api.filtered(PLACES, tree, "cql2-json")
    for wrong, language in ((text, "cql2-json"), (tree, "cql2-text"), (text, "cql"), (text, ""), (tree, "cql-text")):
        answer = api.get(f"/collections/{PLACES}/items", filter=wrong, filter_lang=language)
        assert answer.status_code == 400 and answer.json()["parameter"] in ("filter", "filter-lang")
    assert api.get(f"/collections/{PLACES}/items", filter_lang="cql2-text").status_code == 400


@pytest.mark.requirement("/req/filter/filter-crs-wgs84")
@pytest.mark.requirement("/req/filter/filter-crs-param")
def test_filter_crs(api: Api) -> None:
    at = shapely.geometry.shape(api.items("regions", limit="1")["features"][0]["geometry"]).representative_point()
    right = api.filtered("regions", f"S_INTERSECTS(geometry, POINT({at.x!r} {at.y!r}))")
    assert right
    for uri in api.json("/collections")["crs"]:
        shapes = {
            f["id"]: shapely.geometry.shape(f["geometry"]) for f in api.whole("regions", crs=uri) if f["geometry"]
        }
        for shape in list(shapes.values())[::101]:
            point = shape.representative_point()
            asked = f"S_INTERSECTS(geometry, POINT({point.x!r} {point.y!r}))"
            holding = {i for i, other in shapes.items() if other.intersects(point)}
            assert api.filtered("regions", asked, filter_crs=uri) == holding and 0 < len(holding) < len(shapes)
    answer = api.get("/collections/regions/items", filter="ranked > 1", filter_crs="EPSG:1")
    assert answer.status_code == 400 and answer.json()["parameter"] == "filter-crs"


WRONG: dict[str, str] = {
    "no queryable": "nothing_of_this_name = 1",
    "kinds": "name = 5",
    "kinds of a list": "rank IN (1, 'two')",
    "no time": "T_AFTER(name, DATE('2022-01-01'))",
    "no shape": "S_INTERSECTS(name, POINT(1 1))",
    "off the earth": "S_INTERSECTS(geometry, POINT(90 180))",
    "no function": "sqrt(rank) = 2",
    "no truth": "rank + 1",
    "a property alone": "name",
    "a pattern of a property": "name LIKE size",
    "a shape compared": "geometry = 5",
    "an array compared": "enterprise_ids = 'x'",
    "a bad day": "name = DATE('2022-02-31')",
    "unfinished": "rank = ",
    "a quote": "name = 'x",
    "sql": "name = 'x'; DROP TABLE parcels",
    "empty": "",
    "blank": "   ",
    "infinite": "rank < 1e400 AND S_INTERSECTS(geometry, POINT(1e400 1))",
    "nothing": "\x00",
    "an open ring": "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 2 2)))",
    "a box of nan": "S_INTERSECTS(geometry, BBOX(0, 0, 1e999, 1))",
    "an upside-down box": "S_INTERSECTS(geometry, BBOX(0, 50, 1, 40))",
}


@pytest.mark.requirement("/req/filter/filter-param")
@pytest.mark.parametrize("why", WRONG)
def test_wrong_filters_are_400_and_say_why(api: Api, why: str) -> None:
    answer = api.get("/collections/parcels/items", filter=WRONG[why])
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "filter" and len(answer.json()["detail"]) > 20


@pytest.mark.requirement("/req/queryables-query-parameters/parameters")
def test_values_never_become_code(api: Api) -> None:
    total = api.items(PLACES, limit="1")["numberMatched"]
    for value in ("' OR '1'='1", "%", "_", "x' OR true --", "$(id)", "{0}"):
        assert api.ids(PLACES, name=value) == set()
        quoted: Any = value.replace("'", "''")
        assert api.filtered(PLACES, f"name = '{quoted}'") == set()
        assert len(api.filtered(PLACES, f"name <> '{quoted}'")) == total
