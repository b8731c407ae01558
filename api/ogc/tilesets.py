"""What OGC API Tiles says about tiles: the WebMercatorQuad tile matrix set and the metadata of a layer's tile set.

OGC 20-057 (OGC API Tiles 1.0) and OGC 17-083r4 (Two Dimensional Tile Matrix Set 2.0); TileJSON 3.0 beside them.
"""

from __future__ import annotations

import math
from typing import Any

from api.ogc.links import Link, link
from engine.layers.archive import Archive

QUAD = "WebMercatorQuad"
MVT, TILEJSON, JSON = "application/vnd.mapbox-vector-tile", "application/vnd.mapbox.tile+json", "application/json"
_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
VECTOR_REL, SCHEMES_REL, SCHEME_REL = _REL + "tilesets-vector", _REL + "tiling-schemes", _REL + "tiling-scheme"
URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{QUAD}"
MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_HALF = 20037508.3427892  # metres from the middle of the world to its edge
_SCALE, _CELL = 559082264.028717, 156543.033928041  # of matrix 0 (17-083r4, annex E)
ZOOMS = 25
_BUFFER = 5 / 256  # of a tile: tippecanoe draws what lies so near in the next tile too


def matrix_set() -> dict[str, Any]:
    """WebMercatorQuad in full."""
    matrices = [
        {
            "id": str(z), "scaleDenominator": _SCALE / 2**z, "cellSize": _CELL / 2**z, "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-_HALF, _HALF], "tileWidth": 256, "tileHeight": 256, "matrixWidth": 2**z, "matrixHeight": 2**z,
        }
        for z in range(ZOOMS)
    ]  # fmt: skip
    return {
        "id": QUAD, "title": "Google Maps Compatible for the World", "uri": URI, "crs": MERCATOR, "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible", "tileMatrices": matrices,
    }  # fmt: skip


def matrix_sets(root: str) -> dict[str, Any]:
    """The list of tile matrix sets: one."""
    url = f"{root}/tileMatrixSets"
    one = {"id": QUAD, "title": "Google Maps Compatible for the World", "uri": URI, "crs": MERCATOR}
    return {
        "tileMatrixSets": [{**one, "links": [link("self", f"{url}/{QUAD}", JSON)]}],
        "links": [link("self", url, JSON)],
    }


def _address(root: str, collection: str) -> str:
    return f"{root}/collections/{collection}/tiles"


def tile_links(root: str, collection: str) -> list[Link]:
    """The templates of a tile's address, and the tile matrix set that they count in."""
    template = f"{_address(root, collection)}/{QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    return [
        {**link("item", template, MVT, "A vector tile"), "templated": True},
        link(SCHEME_REL, f"{root}/tileMatrixSets/{QUAD}", JSON, QUAD),
    ]


def _head(title: str) -> dict[str, Any]:
    return {"title": title, "dataType": "vector", "crs": MERCATOR, "tileMatrixSetURI": URI}


def tilesets(root: str, collection: str, title: str) -> dict[str, Any]:
    """The tile sets of a collection: one."""
    url = _address(root, collection)
    own = [link("self", f"{url}/{QUAD}", JSON, title), *tile_links(root, collection)]
    return {"tilesets": [{**_head(title), "links": own}], "links": [link("self", url, JSON)]}


def tileset(root: str, collection: str, title: str, archive: Archive, told: dict[str, Any]) -> dict[str, Any]:
    """A tile set's metadata; ``permu`` says what each zoom holds and leaves out."""
    url = f"{_address(root, collection)}/{QUAD}"
    west, south, east, north = archive.bounds
    return _head(title) | {
        "description": archive.metadata.get("description", ""),
        "tileMatrixSetLimits": limits(archive),
        "boundingBox": {"crs": CRS84, "lowerLeft": [west, south], "upperRight": [east, north]},
        "layers": [_layer(one) for one in archive.metadata["vector_layers"]],
        "permu": told,
        "links": [
            link("self", url, JSON, title),
            link("alternate", f"{url}?f=tilejson", TILEJSON, "TileJSON"),
            *tile_links(root, collection),
        ],
    }


def _layer(one: dict[str, Any]) -> dict[str, Any]:
    kinds = {"Number": "number", "Boolean": "boolean"}
    properties = {name: {"type": kinds.get(kind, "string")} for name, kind in one["fields"].items()}
    return {
        "id": one["id"], "dataType": "vector", "minTileMatrix": str(one["minzoom"]), "maxTileMatrix": str(one["maxzoom"]),
        "propertiesSchema": {"type": "object", "properties": properties},
    }  # fmt: skip


def tilejson(root: str, collection: str, title: str, archive: Archive) -> dict[str, Any]:
    """TileJSON 3.0, for map libraries that know nothing of OGC."""
    return {
        "tilejson": "3.0.0", "name": title, "description": archive.metadata.get("description", ""), "scheme": "xyz",
        "tiles": [f"{_address(root, collection)}/{QUAD}/{{z}}/{{y}}/{{x}}"], "bounds": list(archive.bounds),
        "minzoom": archive.header["min_zoom"], "maxzoom": archive.header["max_zoom"],
        "vector_layers": archive.metadata["vector_layers"],
    }  # fmt: skip


def limits(archive: Archive) -> list[dict[str, Any]]:
    """Rows and columns of each tile matrix within which the tile set lies."""
    west, south, east, north = archive.bounds
    found = []
    for z in range(archive.header["min_zoom"], archive.header["max_zoom"] + 1):
        (left, top), (right, bottom) = _at(west, north, z, -_BUFFER), _at(east, south, z, _BUFFER)
        found.append(
            {
                "tileMatrix": str(z), "minTileRow": top, "maxTileRow": bottom, "minTileCol": left, "maxTileCol": right,
            }
        )  # fmt: skip
    return found


def _at(lon: float, lat: float, z: int, beyond: float) -> tuple[int, int]:
    """Column and row of the tile that holds a place, or what lies so many tiles beyond it."""
    most, angle = 2**z - 1, math.radians(max(min(lat, 85.05), -85.05))
    x = (lon + 180) / 360 * 2**z + beyond
    y = (1 - math.asinh(math.tan(angle)) / math.pi) / 2 * 2**z + beyond
    return min(max(int(x), 0), most), min(max(int(y), 0), most)
