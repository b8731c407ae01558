"""Abstract tests of part 2 (coordinate systems by reference)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely

from engine.layers import LAYERS
from tests.judges.ogc.api import Api, Schemas
from tests.judges.ogc.conftest import LAYERS as LAYERS_OF_THE_STANDARD

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
ALL = [CRS84, f"{EPSG}4326", f"{EPSG}4490", f"{EPSG}4549", f"{EPSG}3857"]
OURS = list(LAYERS)
FINDINGS = ("low_efficiency", "idle")  # few features
UNKNOWN = [
    f"{EPSG}4527",
    f"{EPSG}",
    "EPSG",
    "",
    "4326",
    CRS84 + "h",
    "http://example.org/crs",
    "'; drop table",
    "x" * 9000,
]


@cache
def _to_lonlat(uri: str) -> pyproj.Transformer:
    """By the register's own order of axes, unlike the product's transformer."""
    crs = pyproj.CRS.from_authority("OGC", "CRS84") if uri == CRS84 else pyproj.CRS.from_epsg(int(uri[len(EPSG) :]))
    return pyproj.Transformer.from_crs(crs, pyproj.CRS.from_authority("OGC", "CRS84"))


# Features outside of a system's area of use; of the layers' own none in Mercator and a few in the zone.
OUTSIDE = {
    f"{EPSG}3857": dict(zip(LAYERS_OF_THE_STANDARD, (2, 0, 0), strict=True)),
    f"{EPSG}4549": dict(zip(LAYERS_OF_THE_STANDARD, (177, 242, 13), strict=True)),
}


@cache
def _from_lonlat(uri: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(_to_lonlat(uri).target_crs, _to_lonlat(uri).source_crs)


@cache
def _used(uri: str) -> shapely.Geometry:
    """The area of use. Degrees name every place on earth; the poles are outside of Mercator, and what is far from 120° E
    is outside of the zone."""
    if uri in (CRS84, f"{EPSG}4326", f"{EPSG}4490"):
        return shapely.box(-181, -90, 181, 90)
    used = pyproj.CRS.from_epsg(int(uri[len(EPSG) :])).area_of_use
    assert used is not None
    return shapely.box(*used.bounds)


def _inside(api: Api, name: str, uri: str) -> set[str]:
    """The drawn features wholly within the area of use; enough of them, and no more left out than are outside."""
    drawn = {f["id"]: shapely.geometry.shape(f["geometry"]) for f in api.whole(name) if f["geometry"]}
    inside = {i for i, shape in drawn.items() if _used(uri).covers(shape)}
    left = len(drawn) - len(inside)
    if name in OURS:
        assert len(inside) > (100 if name not in FINDINGS else 2) and left <= 0.1 * len(drawn) + 1
    else:
        assert left == OUTSIDE.get(uri, {}).get(name, 0) and len(drawn) > 10
    return inside


def _shapes(page: dict[str, Any]) -> np.ndarray:
    return np.array([shapely.geometry.shape(f["geometry"]) for f in page["features"] if f["geometry"]])


def _lonlat(page: dict[str, Any], uri: str) -> np.ndarray:
    transformer = _to_lonlat(uri)
    return shapely.transform(_shapes(page), lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1])))


@pytest.mark.requirement("/req/crs/crs-uri")
@pytest.mark.requirement("/req/crs/fc-md-crs-list")
@pytest.mark.requirement("/req/crs/fc-md-storageCrs")
@pytest.mark.requirement("/req/crs/fc-md-storageCrs-valid-value")
@pytest.mark.requirement("/req/crs/fc-md-crs-list-global")
def test_systems_are_listed(api: Api) -> None:
    document = api.json("/collections")
    assert document["crs"] == ALL
    for one in document["collections"]:
        for held in (one, api.json(f"/collections/{one['id']}")):
            assert held["crs"] == ALL and CRS84 in held["crs"] and held["storageCrs"] in held["crs"]


@pytest.mark.requirement("/req/crs/fc-crs-definition")
@pytest.mark.requirement("/req/crs/fc-bbox-crs-definition")
def test_parameters_are_defined(api: Api) -> None:
    document = api.json("/api")
    for name in ("crs", "bbox-crs"):
        held = document["components"]["parameters"][name]
        assert held["schema"] == {"type": "string", "format": "uri", "enum": ALL}
        assert (held["style"], held["explode"], held["required"]) == ("form", False, False)


@pytest.mark.requirement("/req/crs/fc-crs-default-value")
@pytest.mark.requirement("/req/crs/ogc-crs-header")
@pytest.mark.requirement("/req/crs/ogc-crs-header-value")
def test_without_crs_it_is_crs84(api: Api) -> None:
    for name in api.names():
        answer, named = api.get(f"/collections/{name}/items", limit="9"), api.items(name, limit="9", crs=CRS84)
        assert answer.headers["content-crs"] == f"<{CRS84}>" and answer.json()["features"] == named["features"]
        other = api.items(name, limit="9", crs=f"{EPSG}4326")["features"]
        assert any(f["geometry"] for f in other) and other != named["features"]


@pytest.mark.requirement("/req/crs/fc-crs-valid-value")
@pytest.mark.parametrize("uri", UNKNOWN)
def test_unknown_crs_is_400(api: Api, uri: str) -> None:
    for name in api.names():
        identity = api.items(name, limit="1")["features"][0]["id"]
        for path in (f"/collections/{name}/items", f"/collections/{name}/items/{identity}"):
            answer = api.get(path, crs=uri)
            assert answer.status_code == 400 and answer.json()["parameter"] == "crs"


@pytest.mark.requirement("/req/crs/fc-bbox-crs-valid-value")
@pytest.mark.parametrize("uri", UNKNOWN)
def test_unknown_bbox_crs_is_400(api: Api, uri: str) -> None:
    for name in api.names():
        answer = api.get(f"/collections/{name}/items", bbox="118,31,121,32", bbox_crs=uri)
        assert answer.status_code == 400 and answer.json()["parameter"] == "bbox-crs"


@pytest.mark.requirement("/req/crs/fc-crs-valid-value")
@pytest.mark.requirement("/req/crs/geojson")
@pytest.mark.requirement("/req/crs/ogc-crs-header-value")
@pytest.mark.parametrize("uri", ALL)
def test_every_system_answers(api: Api, schemas: Schemas, uri: str) -> None:
    for name in api.names():
        answer = api.get(f"/collections/{name}/items", crs=uri, limit="300")
        assert answer.status_code == 200 and answer.headers["content-crs"] == f"<{uri}>"
        assert not schemas.errors("featureCollectionGeoJSON.yaml", answer.json()), name
        drawn = {f["id"] for f in answer.json()["features"] if f["geometry"]}
        assert drawn >= _inside(api, name, uri) & {f["id"] for f in answer.json()["features"]}
        alone = api.get(f"/collections/{name}/items/{answer.json()['features'][0]['id']}", crs=uri)
        assert alone.status_code == 200 and alone.headers["content-crs"] == f"<{uri}>"
        assert alone.json()["geometry"] == answer.json()["features"][0]["geometry"]


@pytest.mark.requirement("/req/crs/fc-crs-action")
@pytest.mark.parametrize("uri", ALL)
def test_geometries_are_transformed(api: Api, uri: str) -> None:
    for name in api.names():
        plain, moved = (api.items(name, limit="10000", **asked) for asked in ({}, {"crs": uri}))
        assert [f["id"] for f in plain["features"]] == [f["id"] for f in moved["features"]]
        assert [f["properties"] for f in plain["features"]] == [f["properties"] for f in moved["features"]]
        inside = _inside(api, name, uri)
        for page in (plain, moved):
            page["features"] = [f for f in page["features"] if f["id"] in inside]
        if inside:
            apart = shapely.hausdorff_distance(_shapes(plain), _lonlat(moved, uri))
            assert len(apart) == len(inside) and (apart < 2e-7).all()


@pytest.mark.requirement("/req/crs/fc-crs-action")
def test_axes_are_those_of_the_register(api: Api) -> None:
    at = {uri: shapely.get_coordinates(_shapes(api.items("regions", limit="1", crs=uri)))[0] for uri in ALL}
    east, north = at[CRS84]
    assert 115 < east < 125 and 30 < north < 36
    for uri in (f"{EPSG}4326", f"{EPSG}4490"):
        assert at[uri] == pytest.approx([north, east], abs=1e-7)
    assert 3.3e6 < at[f"{EPSG}4549"][0] < 3.7e6 and 1e5 < at[f"{EPSG}4549"][1] < 9e5  # northing, easting
    assert at[f"{EPSG}3857"][0] > 1.3e7 and 3e6 < at[f"{EPSG}3857"][1] < 4.2e6


def _quarter(api: Api, name: str, uri: str) -> tuple[shapely.Geometry, str]:
    """A box in a system over about a quarter of a collection within the area of use, and as the parameter is written."""
    found = next(one for one in api.collections() if one["id"] == name)["extent"]["spatial"]["bbox"][0]
    west, south, east, north = shapely.box(*found).intersection(_used(uri)).bounds
    corners = np.array([[west, south], [(west + east) / 2, (south + north) / 2]])
    one, two = np.column_stack(_from_lonlat(uri).transform(corners[:, 0], corners[:, 1]))
    return shapely.box(*one, *two), ",".join(map(repr, [*one.tolist(), *two.tolist()]))


@pytest.mark.requirement("/req/crs/fc-bbox-crs-action")
@pytest.mark.parametrize("uri", ALL)
def test_bbox_in_every_system(api: Api, uri: str) -> None:
    """What is found meets the box in its own system; what is not found does not (a centimetre at the edge aside)."""
    for name in api.names():
        box, asked = _quarter(api, name, uri)
        found, inside = api.ids(name, bbox=asked, bbox_crs=uri), _inside(api, name, uri)
        slack = 0.02 if uri[-4:] in ("4549", "3857") else 2e-7
        inner = box.buffer(-slack)
        for feature in api.whole(name, crs=uri):
            if feature["id"] in inside:
                shape = shapely.geometry.shape(feature["geometry"])
                met = feature["id"] in found
                assert shape.distance(box) <= slack if met else not shape.intersects(inner), feature["id"]


@pytest.mark.requirement("/req/crs/fc-bbox-crs-action")
@pytest.mark.parametrize("uri", ALL)
def test_bbox_in_every_system_is_that_place(api: Api, uri: str) -> None:
    """The box brought to lon/lat: of every feature, also outside of the area of use (some metres at the edge aside)."""
    for name in api.names():
        box, asked = _quarter(api, name, uri)
        dense, back = shapely.segmentize(box, max(box.length / 1000, 1e-6)), _to_lonlat(uri)
        area = shapely.transform(dense, lambda xy, back=back: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))
        found, low, high = api.ids(name, bbox=asked, bbox_crs=uri), area.buffer(-1e-3), area.buffer(1e-3)
        drawn = {f["id"]: shapely.geometry.shape(f["geometry"]) for f in api.whole(name) if f["geometry"]}
        surely, perhaps = ({i for i, shape in drawn.items() if shape.intersects(part)} for part in (low, high))
        assert surely <= found & drawn.keys() <= perhaps < drawn.keys(), (name, uri)
        assert surely or name == "idle" or (name not in OURS and len(_inside(api, name, uri)) < 20)  # few are there


@pytest.mark.requirement("/req/crs/fc-bbox-crs-default-value")
def test_bbox_crs_default(api: Api) -> None:
    for name in api.names():
        _, box = _quarter(api, name, CRS84)
        found = api.ids(name, bbox=box)
        assert found == api.ids(name, bbox=box, bbox_crs=CRS84) and len(found) < len(api.ids(name))
