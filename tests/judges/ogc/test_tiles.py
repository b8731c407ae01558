"""Abstract tests of OGC API Tiles part 1 (20-057), the classes that are claimed, for every layer that has tiles.

The tiles are asked along the standard's own way: collection → list of tile sets → tile set → template → tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from httpx import Response
from pmtiles.reader import MemorySource, all_tiles

from api.ogc.tiles import CONFORMANCE
from engine.layers import LAYERS
from tests.judges.ogc.api import Api, relations

MVT, JSON, PROBLEM = "application/vnd.mapbox-vector-tile", "application/json", "application/problem+json"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
QUAD = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
EDGE = 20037508.3427892  # metres: the tile matrix set's corner
WHOLE = 60  # a matrix of so many tiles is asked whole, of more the tiles under some features
SAMPLE = 12
BUFFER = 5 / 256  # of a tile: what lies so near is drawn with it
FROM = 10  # the layer itself; below it regions stand for the others

Place = tuple[int, int, int]  # tile matrix, row, column


@dataclass(frozen=True)
class TileSet:
    """A collection's tile set: its metadata as told."""

    name: str
    address: str
    told: dict[str, Any]

    @cached_property
    def template(self) -> str:
        """The address of a tile, with its three variables."""
        found: str = relations(self.told["links"])["item"][0]["href"]
        return found

    @cached_property
    def limits(self) -> dict[int, tuple[range, range]]:
        """Rows and columns of each tile matrix."""
        return {
            int(one["tileMatrix"]): (
                range(one["minTileRow"], one["maxTileRow"] + 1),
                range(one["minTileCol"], one["maxTileCol"] + 1),
            )
            for one in self.told["tileMatrixSetLimits"]
        }

    def ask(self, api: Api, place: Place | tuple[str, str, str]) -> Response:
        """A tile."""
        z, y, x = place
        return api.get(self.template.format(tileMatrix=z, tileRow=y, tileCol=x), accept=MVT)


@pytest.fixture(scope="module")
def tilesets(api: Api) -> list[TileSet]:
    """The tile sets of all collections that link to some: those of the layers."""
    found = []
    for one in api.collections():
        for link in relations(one["links"]).get(f"{REL}tilesets-vector", []):
            for listed in api.json(link["href"])["tilesets"]:
                address = relations(listed["links"])["self"][0]["href"]
                found.append(TileSet(one["id"], address, api.json(address)))
    assert [one.name for one in found] == list(LAYERS)
    return found


def corners(place: Place) -> tuple[float, float, float]:
    """Left and top edge of a tile and its width, in metres."""
    z, y, x = place
    width = 2 * EDGE / 2**z
    return x * width - EDGE, EDGE - y * width, width


def holding(z: int, shape: shapely.Geometry) -> Place:
    """The tile that holds a place inside a shape (in metres)."""
    at, width = shape.representative_point(), 2 * EDGE / 2**z
    return z, int((EDGE - at.y) // width), int((at.x + EDGE) // width)


def shapes(api: Api, name: str) -> dict[str, shapely.Geometry]:
    """A layer's drawn features in metres."""
    found = api.whole(name, crs=MERCATOR)
    return {f["id"]: shapely.geometry.shape(f["geometry"]) for f in found if f["geometry"]}


def some(api: Api, name: str) -> dict[str, shapely.Geometry]:
    """Some of them, first and last among them."""
    held = sorted(shapes(api, name).items())
    return dict([*held[:: max(1, len(held) // SAMPLE)], held[-1]])


@pytest.fixture(scope="module")
def answers(api: Api, tilesets: list[TileSet]) -> dict[str, dict[Place, Response]]:
    """Of every tile set and tile matrix the tiles: all where they are few, else those under some features."""
    found: dict[str, dict[Place, Response]] = {}
    for one in tilesets:
        asked = set()
        for z, (rows, columns) in one.limits.items():
            if len(rows) * len(columns) <= WHOLE:
                asked |= {(z, y, x) for y in rows for x in columns}
            asked |= {holding(z, shape) for shape in some(api, one.name).values()}
        found[one.name] = {place: one.ask(api, place) for place in sorted(asked)}
    return found


def held(answers: dict[str, dict[Place, Response]], name: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The tiles of a tile set that hold something, decoded; their rows count downwards, as they are stored."""
    for place, answer in answers[name].items():
        if answer.status_code == 200:
            yield place, mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})


def metres(place: Place, extent: int, geometry: dict[str, Any]) -> shapely.Geometry:
    """A geometry of a tile's grid, of which 0,0 is the tile's corner at the top left."""
    left, top, width = corners(place)
    unit = width / extent
    return shapely.transform(shapely.geometry.shape(geometry), lambda xy: xy * [unit, -unit] + [left, top])


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/conformance-success")
def test_the_classes_are_claimed(api: Api) -> None:
    assert set(CONFORMANCE) <= set(api.json("/conformance")["conformsTo"])


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-op")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-success")
def test_every_tile_matrix_has_tiles(
    api: Api, tilesets: list[TileSet], answers: dict[str, dict[Place, Response]]
) -> None:
    for one in tilesets:
        for z in one.limits:
            told = {place: a for place, a in answers[one.name].items() if place[0] == z}
            assert {a.status_code for a in told.values()} <= {200, 204} and len(told) >= 1
            full = [a for a in told.values() if a.status_code == 200]
            assert full and all(a.headers["content-type"] == MVT and a.content for a in full), (one.name, z)
        for shape in some(api, one.name).values():  # where a feature is, is a tile
            for z in one.limits:
                if z >= FROM:
                    assert answers[one.name][holding(z, shape)].status_code == 200, (one.name, z)


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-error")
def test_where_nothing_is_the_answer_is_empty(
    tilesets: list[TileSet], answers: dict[str, dict[Place, Response]]
) -> None:
    for one in tilesets:
        empty = [a for a in answers[one.name].values() if a.status_code == 204]
        assert empty or one.name == "regions"  # they leave no gap
        assert all(not a.content and "content-type" not in a.headers for a in empty)


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-error")
def test_outside_of_the_matrices_is_refused(api: Api, tilesets: list[TileSet]) -> None:
    for one in tilesets:
        asked: list[Any] = [
            ("25", 0, 0),
            ("none", 0, 0),
            ("-1", 0, 0),
            (min(one.limits) - 1, 0, 0),
            (max(one.limits) + 1, 0, 0),
        ]
        for z, (rows, columns) in one.limits.items():
            asked += [(z, 2**z, columns[0]), (z, rows[0], 2**z), (z, -1, columns[0]), (z, rows[0], -1), (z, "a", 0)]
        assert not [place for place in asked if not refused(one.ask(api, place))], one.name


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-error")
def test_outside_of_the_limits_is_refused(api: Api, tilesets: list[TileSet]) -> None:
    for one in tilesets:
        asked = []
        for z, (rows, columns) in one.limits.items():
            asked += [(z, y, columns[0]) for y in (rows[0] - 1, rows[-1] + 1)]
            asked += [(z, rows[0], x) for x in (columns[0] - 1, columns[-1] + 1)]
        assert not [place for place in asked if not refused(one.ask(api, place))], one.name


def refused(answer: Response) -> bool:
    """404 or 400, and says so."""
    if answer.status_code not in (400, 404):
        return False
    status: int = answer.json()["status"]
    return answer.headers["content-type"] == PROBLEM and status == answer.status_code


@pytest.mark.requirement("tms/2.0/req/json-tilesetmetadata/model")
def test_every_stored_tile_lies_within_the_limits(api: Api, tilesets: list[TileSet]) -> None:
    """And no tile matrix is said to have tiles that has none."""
    for one in tilesets:
        whole = api.get(f"{api.client.base_url}/layers/{one.name}.pmtiles").content
        stored = [place for place, _ in all_tiles(MemorySource(whole))]
        assert {z for z, _, _ in stored} == set(one.limits)
        for z, x, y in stored:
            rows, columns = one.limits[z]
            assert y in rows and x in columns, (one.name, z, y, x)


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-tilematrix-definition")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-tilerow-definition")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-tilecol-definition")
def test_the_variables_of_a_tile_are_defined(api: Api, tilesets: list[TileSet]) -> None:
    document = api.json("/api")
    for one in tilesets:
        given = document["paths"][one.template.removeprefix(document["servers"][0]["url"])]["get"]["parameters"]
        place = {held["name"]: held for held in given if held["in"] == "path"}
        assert list(place) == ["tileMatrix", "tileRow", "tileCol"] and all(held["required"] for held in place.values())
        kinds = {name: place[name]["schema"]["type"] for name in place}
        assert kinds == {"tileMatrix": "string", "tileRow": "integer", "tileCol": "integer"}
        assert place["tileRow"]["schema"]["minimum"] == place["tileCol"]["schema"]["minimum"] == 0


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/mvt/content")
def test_tiles_are_vector_tiles_of_the_layers_told(
    tilesets: list[TileSet], answers: dict[str, dict[Place, Response]]
) -> None:
    """Layers by zoom, properties and geometries of every feature of every tile."""
    for one in tilesets:
        told, seen = {layer["id"]: layer for layer in one.told["layers"]}, set()
        assert {one.name} <= set(told) <= {one.name, "regions"}
        for place, tile in held(answers, one.name):
            assert set(tile) == {one.name if place[0] >= FROM else "regions"}
            seen |= set(tile)
            for name, layer in tile.items():
                within = int(told[name]["minTileMatrix"]) <= place[0] <= int(told[name]["maxTileMatrix"])
                assert within and layer["version"] == 2 and layer["extent"] == 4096 and layer["features"]
                known = set(told[name]["propertiesSchema"]["properties"])
                for feature in layer["features"]:
                    assert set(feature["properties"]) <= known and feature["properties"]
                    kind, at = feature["geometry"]["type"], feature["geometry"]["coordinates"]
                    assert at and kind in (("Point",) if name == "enterprises" else ("Polygon", "MultiPolygon"))
        assert seen == set(told)


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/core/tc-success")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/mvt/content")
def test_a_tile_holds_what_meets_it_and_nothing_else(
    api: Api, tilesets: list[TileSet], answers: dict[str, dict[Place, Response]]
) -> None:
    """From zoom 10 on (nothing is left out of so few): the features of the items that meet the tile, in their place."""
    identity = {"enterprises": "enterprise_id", "regions": "region"}
    for one in tilesets:
        drawn, key, compared = shapes(api, one.name), identity.get(one.name, "parcel_code"), 0
        ids, tree = list(drawn), shapely.STRtree(list(drawn.values()))
        for place, tile in held(answers, one.name):
            if place[0] < FROM:
                continue
            left, top, width = corners(place)
            area = shapely.box(left, top - width, left + width, top)
            near = shapely.box(*np.array(area.bounds) + np.array([-1, -1, 1, 1]) * width * BUFFER)
            found = {str(f["properties"][key]): f["geometry"] for f in tile[one.name]["features"]}
            assert len(found) == len(tile[one.name]["features"])
            meant, most = ({ids[i] for i in tree.query(box, "intersects")} for box in (area, near))
            assert meant <= set(found) <= most, (one.name, place)
            for name, geometry in found.items():
                shape = metres(place, 4096, geometry)
                assert near.buffer(width / 4096).covers(shape)
                if place[0] == max(one.limits):  # as it is: elsewhere lines are simplified
                    apart = shapely.hausdorff_distance(shape, drawn[name].intersection(near))
                    assert apart < 3 * width / 4096, (one.name, place, name, apart)
                    compared += 1
        assert compared >= min(SAMPLE, len(drawn))


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/tileset/description")
def test_a_tile_set_is_described(api: Api, tilesets: list[TileSet]) -> None:
    for one in tilesets:
        answer = api.get(one.address, accept=JSON)
        assert answer.headers["content-type"] == JSON and answer.json() == one.told
        assert one.told["dataType"] == "vector" and one.told["crs"] == MERCATOR and one.told["title"]
        assert one.told["tileMatrixSetURI"] == QUAD
        found = relations(one.told["links"])
        assert found["self"][0]["href"] == one.address
        scheme = api.json(found[f"{REL}tiling-scheme"][0]["href"])
        assert scheme["uri"] == QUAD and scheme["crs"] == MERCATOR
        assert set(one.limits) <= {int(matrix["id"]) for matrix in scheme["tileMatrices"]}
        (item,) = found["item"]
        assert item["templated"] is True and item["type"] == MVT
        assert all(item["href"].count(f"{{{name}}}") == 1 for name in ("tileMatrix", "tileRow", "tileCol"))
        told = api.get(found["alternate"][0]["href"])
        assert told.headers["content-type"] == found["alternate"][0]["type"] and told.json()["tilejson"] == "3.0.0"


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/tilesets-list/tileset-path")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/tilesets-list/tileset-links")
def test_a_list_of_tile_sets(api: Api, tilesets: list[TileSet]) -> None:
    for one in tilesets:
        answer = api.get(f"/collections/{one.name}/tiles", accept=JSON)
        assert answer.status_code == 200 and answer.headers["content-type"] == JSON
        document = answer.json()
        assert relations(document["links"])["self"][0]["href"].endswith(f"/collections/{one.name}/tiles")
        (listed,) = document["tilesets"]
        found = relations(listed["links"])
        assert found["self"][0]["href"] == one.address
        assert one.address.endswith(f"/collections/{one.name}/tiles/WebMercatorQuad")
        assert {name: one.told[name] for name in ("title", "dataType", "crs", "tileMatrixSetURI")} == {
            name: value for name, value in listed.items() if name != "links"
        }
        assert found[f"{REL}tiling-scheme"] == relations(one.told["links"])[f"{REL}tiling-scheme"]


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/geodata-tilesets/desc-links")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/geodata-tilesets/operation")
def test_collections_lead_to_their_tile_sets(api: Api) -> None:
    for one in api.collections():
        for document in (one, api.json(f"/collections/{one['id']}")):
            links = relations(document["links"]).get(f"{REL}tilesets-vector", [])
            itself = relations(document["links"])["self" if document is not one else "items"][0]["href"].split("?")[0]
            assert len(links) == (1 if one["id"] in LAYERS else 0)
            for link in links:
                assert link["href"] == itself.removesuffix("/items") + "/tiles" and link["type"] == JSON
                assert api.get(link["href"]).status_code == 200
        if one["id"] not in LAYERS:
            assert api.get(f"/collections/{one['id']}/tiles").status_code == 404
    for path in ("none/tiles", "none/tiles/WebMercatorQuad", "parcels/tiles/none", "none/tiles/WebMercatorQuad/10/0/0"):
        assert api.get(f"/collections/{path}").status_code == 404


@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/oas30/completeness")
@pytest.mark.requirement("ogcapi-tiles-1/1.0/req/oas30/operation-id")
def test_the_definition_holds_all_of_the_tiles(api: Api, tilesets: list[TileSet]) -> None:
    """Paths as the links name them, operations by the standard's suffixes, and every answer described."""
    document = api.json("/api")
    root, paths = document["servers"][0]["url"], document["paths"]
    for one in tilesets:
        suffixed = {
            one.address.removesuffix("/WebMercatorQuad"): ".collection.vector.getTileSetsList",
            one.address: ".collection.vector.getTileSet",
            one.template: ".collection.vector.getTile",
        }
        for address, suffix in suffixed.items():
            assert paths[address.removeprefix(root)]["get"]["operationId"].endswith(suffix), address
        answers = {
            one.template: [one.ask(api, place) for place in ((min(one.limits) - 1, 0, 0), ("a", 0, 0))]
            + [one.ask(api, holding(FROM, shape)) for shape in list(some(api, one.name).values())[:1]],
            one.address: [api.get(one.address), api.get(one.address, f="tilejson"), api.get(one.address, f="x")],
        }
        for address, told in answers.items():
            described = paths[address.removeprefix(root)]["get"]["responses"]
            for answer in told:
                response = described[str(answer.status_code)]
                if "$ref" in response:
                    response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
                assert answer.headers["content-type"] in response["content"], (address, answer.status_code)
        assert {"200", "204", "304", "400", "404"} <= set(paths[one.template.removeprefix(root)]["get"]["responses"])
