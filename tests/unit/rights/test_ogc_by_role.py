"""What each role finds under /ogc: collections, features, queryables and filters follow the rules of the layers."""

from __future__ import annotations

from typing import Any

import pytest

from engine.layers import LAYERS
from engine.schema.columns import column
from tests.unit.rights.conftest import REGIONAL, World, role_of
from tests.unit.rights.test_layers_by_role import MAY, POLICY, hidden

HTML = {"Accept": "text/html"}
ROLES = list(MAY)


def _json(world: World, role: str, path: str, **params: str) -> Any:
    answer = world.get(role, path, params=params)
    assert answer.status_code == 200, (role, path, params, answer.text[:300])
    return answer.json()


def _root(world: World) -> str:
    return f"/ogc/releases/{world.releases['2024-huaian-2024']}"


def _figures(world: World, role: str, layer: str) -> list[str]:
    """Columns of the layer that the role may not see (as the regulator sees them)."""
    whole = _json(world, "regulator", f"{_root(world)}/collections/{layer}/queryables")["properties"]
    return sorted(hidden(role, set(whole)))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_offered_its_collections(world: World, role: str) -> None:
    root = _root(world)
    listed = [one["id"] for one in _json(world, role, f"{root}/collections")["collections"]]
    assert listed == [layer for layer in LAYERS if layer in MAY[role]]
    described = _json(world, role, f"{root}/api")["paths"]
    for layer in LAYERS:
        paths = [f"/collections/{layer}", f"/collections/{layer}/queryables", f"/collections/{layer}/items"]
        for path in paths:
            answer = world.get(role, root + path)
            assert (answer.status_code == 200) == (layer in MAY[role]) == (path in described)
            if layer not in MAY[role]:
                assert answer.status_code == 403 and f"layer_{layer}" in answer.json()["detail"]


@pytest.mark.parametrize("role", ROLES)
def test_the_landing_page_leads_to_every_release_that_a_role_sees(world: World, role: str) -> None:
    listed = {one["release_id"] for one in _json(world, role, "/api/v1/releases")["releases"]}
    assert (world.releases["2023-sunan-2017"] in listed) == (role_of(role) in ("land_bureau", "regulator", "gis"))
    for start in ("/ogc/", f"{_root(world)}/"):
        links = [one for one in _json(world, role, start)["links"] if one["rel"] == "related"]
        assert {one["href"].split("/")[-2] for one in links} == listed
        for one in links:
            document = _json(world, role, one["href"])
            assert (
                one["href"].split("/")[-2] in document["description"] and document["title"].split()[1] in one["title"]
            )
        page = world.get(role, start, headers=HTML).text
        assert all(f'/releases/{release}/"' in page for release in listed)


@pytest.mark.parametrize("role", ROLES)
def test_features_are_those_of_the_layers_file(world: World, role: str) -> None:
    """One rule set: the same rows and the same values as /layers/<layer>.geojson."""
    for layer in sorted(MAY[role]):
        filed = _json(world, role, f"/layers/{layer}.geojson", **POLICY)["features"]
        page = _json(world, role, f"{_root(world)}/collections/{layer}/items", limit="10000")
        assert page["numberMatched"] == len(page["features"]) == len(filed)
        assert {f["id"]: f["properties"] for f in page["features"]} == {f["id"]: f["properties"] for f in filed}


@pytest.mark.parametrize("role", ROLES)
def test_hidden_columns_are_neither_shown_nor_asked(world: World, role: str) -> None:
    for layer in sorted(MAY[role]):
        base = f"{_root(world)}/collections/{layer}"
        shown = _json(world, role, f"{base}/queryables")["properties"]
        assert not hidden(role, set(shown))
        feature = _json(world, role, f"{base}/items", limit="1")["features"][0]
        assert not hidden(role, set(feature["properties"]))
        pages = [world.get(role, f"{base}/{path}", headers=HTML).text for path in ("items", f"items/{feature['id']}")]
        described = world.get(role, f"{_root(world)}/api").json()["paths"][f"/collections/{layer}/items"]
        for name in _figures(world, role, layer):
            assert not any(f">{name}<" in page for page in pages)
            assert name not in {one.get("name") for one in described["get"]["parameters"]}
            asked = [
                {name: "1"}, {"filter": f'"{name}" IS NOT NULL'}, {"filter": f'"{name}" > 0'},
                {"filter": f'{{"op":"isNull","args":[{{"property":"{name}"}}]}}'},
                {"filter": f'land_mu > "{name}"'},
            ]  # fmt: skip
            for params in asked:
                answer = world.get(role, f"{base}/items", params=params)
                assert answer.status_code == 400 and "features" not in answer.json(), (role, layer, params)


def test_figures_are_hidden_from_map_staff_and_the_public(world: World) -> None:
    assert {"benefit_per_mu", "output_per_mu"} <= set(_figures(world, "gis", "parcels"))
    assert {"rank", "land_mu"} <= set(_figures(world, "public", "enterprises"))
    assert not _figures(world, "land_bureau", "parcels")
    assert all("gis" in column(name).roles for name in ("rank", "grade", "land_mu"))


def test_rows_of_others_are_not_found(world: World) -> None:
    base = f"{_root(world)}/collections/enterprises/items"
    whole = _json(world, "regulator", base, limit="10000")["features"]
    for role, seen in (
        *((who, lambda p: (p["region_code"] or "").startswith(world.city)) for who in ("land_bureau", *REGIONAL)),
        ("enterprise", lambda p: p["enterprise_id"] == world.firm),
    ):
        mine = {f["id"] for f in whole if seen(f["properties"])}
        assert 0 < len(mine) < len(whole)
        assert {f["id"] for f in _json(world, role, base, limit="10000")["features"]} == mine
        other = next(f["id"] for f in whole if f["id"] not in mine)
        assert world.get(role, f"{base}/{other}").status_code == 404
        for text in (f"enterprise_id = '{other}'", "true"):
            found = _json(world, role, base, limit="10000", filter=text)
            assert {f["id"] for f in found["features"]} <= mine and found["numberMatched"] <= len(mine)


def test_drafts_do_not_exist_for_the_public(world: World) -> None:
    draft = world.releases["2023-sunan-2017"]
    for path in ("/", "/collections", "/collections/regions/items", "/api", "/conformance"):
        assert world.get("public", f"/ogc/releases/{draft}{path}").status_code == 404
        assert world.get("regulator", f"/ogc/releases/{draft}{path}").status_code == 200


def test_tags_and_cursors_belong_to_the_viewer(world: World) -> None:
    path = f"{_root(world)}/collections/enterprises/items"
    answers = {role: world.get(role, path, params={"limit": "1"}) for role in ("regulator", "gis", "public")}
    assert len({answer.headers["etag"] for answer in answers.values()}) == 3
    again = world.get("gis", path, params={"limit": "1"}, headers={"If-None-Match": answers["gis"].headers["etag"]})
    assert again.status_code == 304 and not again.content
    follow = next(one["href"] for one in answers["regulator"].json()["links"] if one["rel"] == "next")
    assert world.get("regulator", follow).status_code == 200 and world.get("public", follow).status_code == 400


def test_without_a_key_nothing_is_told(world: World) -> None:
    for path in ("", "/", "/collections", "/collections/enterprises/items", "/api"):
        assert world.client.get(f"/ogc{path}").status_code == 401
