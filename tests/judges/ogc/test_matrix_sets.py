"""Abstract tests of the Two Dimensional Tile Matrix Set standard 2.0 (17-083r4), the classes that are claimed."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pyproj
import pytest

from engine.layers import LAYERS
from tests.judges.ogc.api import Api, relations

MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
PIXEL = 0.00028  # metres: what a scale denominator takes a pixel for
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
_SIZE = {"type": "integer", "minimum": 1}
_POINT = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}


def _object(required: str, **more: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": more}


_LINK = _object("href rel", href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, templated={"type": "boolean"})
MATRIX = _object(
    "id scaleDenominator cellSize pointOfOrigin tileWidth tileHeight matrixWidth matrixHeight",
    id=_TEXT, scaleDenominator=_NUMBER, cellSize=_NUMBER, cornerOfOrigin={"enum": ["topLeft", "bottomLeft"]},
    pointOfOrigin=_POINT, tileWidth=_SIZE, tileHeight=_SIZE, matrixWidth=_SIZE, matrixHeight=_SIZE,
)  # fmt: skip
MATRIX_SET = _object(
    "crs tileMatrices",
    id=_TEXT, title=_TEXT, uri={"type": "string", "format": "uri"}, crs={"type": "string", "format": "uri"},
    orderedAxes={"type": "array", "items": _TEXT, "minItems": 1}, wellKnownScaleSet={"type": "string", "format": "uri"},
    tileMatrices={"type": "array", "items": MATRIX, "minItems": 1},
)  # fmt: skip
LIMITS = _object(
    "tileMatrix minTileRow maxTileRow minTileCol maxTileCol",
    tileMatrix=_TEXT, minTileRow=_WHOLE, maxTileRow=_WHOLE, minTileCol=_WHOLE, maxTileCol=_WHOLE,
)  # fmt: skip
LAYER = _object(
    "id dataType",
    id=_TEXT, dataType={"enum": ["map", "vector", "coverage"]}, minTileMatrix=_TEXT, maxTileMatrix=_TEXT,
    propertiesSchema=_object("type properties", type={"const": "object"}, properties={"type": "object"}),
)  # fmt: skip
TILE_SET = _object(
    "dataType crs tileMatrixSetURI links",
    title=_TEXT, description=_TEXT, dataType={"enum": ["map", "vector", "coverage"]}, crs=_TEXT,
    tileMatrixSetURI={"type": "string", "format": "uri"},
    tileMatrixSetLimits={"type": "array", "items": LIMITS, "minItems": 1},
    boundingBox=_object("lowerLeft upperRight", lowerLeft=_POINT, upperRight=_POINT, crs=_TEXT),
    layers={"type": "array", "items": LAYER, "minItems": 1}, links={"type": "array", "items": _LINK, "minItems": 1},
)  # fmt: skip


def document(api: Api, address: str) -> Any:
    """A document as application/json that RFC 7159 allows: UTF-8 without a mark, no name twice, no NaN."""
    answer = api.get(address, accept="application/json")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    return json.loads(answer.content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def _refuse(word: str) -> None:
    raise AssertionError(word)


def matrix_sets(api: Api) -> list[dict[str, Any]]:
    """Every tile matrix set that the list leads to."""
    listed = document(api, relations(api.json("/")["links"])[f"{REL}tiling-schemes"][0]["href"])["tileMatrixSets"]
    found = [document(api, relations(one["links"])["self"][0]["href"]) for one in listed]
    for one, whole in zip(listed, found, strict=True):
        assert one["id"] == whole["id"] and {one[name] == whole[name] for name in ("title", "uri", "crs")} == {True}
    return found


@pytest.mark.requirement("tms/2.0/req/json-tilematrixset/ietf")
@pytest.mark.requirement("tms/2.0/req/json-tilematrixset/media-type")
@pytest.mark.requirement("tms/2.0/req/json-tilematrixset/schema")
def test_tile_matrix_sets_in_json(api: Api) -> None:
    found = matrix_sets(api)
    assert [one["id"] for one in found] == ["WebMercatorQuad"]
    validator = jsonschema_rs.Draft202012Validator(MATRIX_SET, validate_formats=True)
    assert not [str(error)[:300] for one in found for error in validator.iter_errors(one)]
    for path in ("/tileMatrixSets/none", "/tileMatrixSets/webmercatorquad"):
        assert api.get(path).status_code == 404
    for path in ("/tileMatrixSets", "/tileMatrixSets/WebMercatorQuad"):
        assert api.get(path, f="xml").status_code == api.get(path, unknown="1").status_code == 400


@pytest.mark.requirement("tms/2.0/req/tilematrixset/model")
@pytest.mark.requirement("tms/2.0/req/json-tilematrixset/model")
def test_the_matrices_fit_their_coordinate_system(api: Api) -> None:
    """Each covers the same square of Web Mercator, twice as fine as the one before; counted from the corner on."""
    edge = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(180, 0)[0]
    for one in matrix_sets(api):
        assert one["crs"] == MERCATOR and one["orderedAxes"] == ["X", "Y"]
        assert one["uri"] == f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{one['id']}"
        matrices = one["tileMatrices"]
        assert [matrix["id"] for matrix in matrices] == [str(z) for z in range(25)]
        assert matrices[0]["scaleDenominator"] == pytest.approx(559082264.0287178, rel=1e-12)
        for z, matrix in enumerate(matrices):
            assert matrix["cornerOfOrigin"] == "topLeft" and matrix["pointOfOrigin"] == pytest.approx([-edge, edge])
            for side in ("Width", "Height"):
                assert matrix[f"tile{side}"] == 256 and matrix[f"matrix{side}"] == 2**z
                assert matrix["cellSize"] * 256 * 2**z == pytest.approx(2 * edge, rel=1e-12)
            assert matrix["scaleDenominator"] * PIXEL == pytest.approx(matrix["cellSize"], rel=1e-12)


@pytest.mark.requirement("tms/2.0/req/json-tilesetmetadata/ietf")
@pytest.mark.requirement("tms/2.0/req/json-tilesetmetadata/media-type")
@pytest.mark.requirement("tms/2.0/req/json-tilesetmetadata/schema")
@pytest.mark.requirement("tms/2.0/req/json-tilesetmetadata/model")
def test_metadata_of_every_tile_set(api: Api) -> None:
    """Limits once a matrix and within it, layers within the matrices, the box around all that is drawn."""
    matrices = {matrix["id"]: matrix for matrix in matrix_sets(api)[0]["tileMatrices"]}
    validator = jsonschema_rs.Draft202012Validator(TILE_SET, validate_formats=True)
    for name in LAYERS:
        told = document(api, f"/collections/{name}/tiles/WebMercatorQuad")
        assert not [str(error)[:300] for error in validator.iter_errors(told)]
        limits = {one["tileMatrix"]: one for one in told["tileMatrixSetLimits"]}
        assert len(limits) == len(told["tileMatrixSetLimits"]) and set(limits) <= set(matrices)
        for z, one in limits.items():
            assert one["minTileRow"] <= one["maxTileRow"] < matrices[z]["matrixHeight"]
            assert one["minTileCol"] <= one["maxTileCol"] < matrices[z]["matrixWidth"]
        zooms = sorted(map(int, limits))
        assert zooms == list(range(zooms[0], zooms[-1] + 1))
        for layer in told["layers"]:
            assert zooms[0] <= int(layer["minTileMatrix"]) <= int(layer["maxTileMatrix"]) <= zooms[-1]
        assert name in {layer["id"] for layer in told["layers"]}
        west, south, east, north = _extent(api, name)
        box = told["boundingBox"]
        assert box["crs"].endswith("/CRS84")
        low, high = box["lowerLeft"], box["upperRight"]
        assert low[0] <= west + 1e-6 and low[1] <= south + 1e-6 and high[0] >= east - 1e-6 and high[1] >= north - 1e-6


def _extent(api: Api, name: str) -> list[float]:
    found: list[float] = api.json(f"/collections/{name}")["extent"]["spatial"]["bbox"][0]
    return found
