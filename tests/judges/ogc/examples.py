"""The examples of CQL2 and collections with the properties that they speak of: which must be answered, which not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import shapely

EXAMPLES = "judges/ogcapi-features/cql2/standard/schema/examples"
GEOMETRIES = ("geometry", "road", "footprint", "location")  # an example's shape has one of these names
_TEXTS = (
    "city", "name", "cityName", "road_class", "etat_vol", "landsat:scene_id", "eo:instrument", "beamMode",
    "swathDirection", "polarization", "owner", "material", "geophys:SURVEY_NAME", "id",
)  # fmt: skip
_NUMBERS = (
    "balance", "depth", "category", "vehicle_height", "bridge_clearance", "eo:cloud_cover", "landsat:wrs_row", "floors",
    "taxes", "foo", "bar", "x",
)  # fmt: skip
_INSTANTS = ("event_time", "touchdown", "liftOff", "updated_at", "starts_at", "ends_at")
_DAYS = ("updated", "built")
_LISTS = ("layer:ids", "values")
EITHER = ("landsat:wrs_path", "value")  # a text in one example, a number in another

# What must be refused although the grammar allows it: functions of the server's own (a class that is not claimed), and
# lists of other things than the texts that the lists of these collections hold.
REFUSED = {
    "clause6_01": "avg", "clause6_02b": "avg", "clause7_18": "takes the geometry or a shape", "example68": "foo",
    "example69": "bar", "example81": "the items are texts", "example82": "the items are texts",
}  # fmt: skip
# Those that speak of the shape, of the name, or of nothing that a collection has.
OF_EVERY_LAYER = {
    "clause6_03", "clause7_01", "clause7_07", "clause7_16", "clause7_17", "example24", "example35", "example36",
    "example36-alt01", "example45", "example46", "example46-alt01", "example47", "example48", "example49",
    "example49-alt01", "example50", "example51", "example52", "example83", "example84", "example86",
}  # fmt: skip
TEXTUAL = ("example03", "example40", "example40-alt01")  # those that take EITHER for a text


def write(folder: Path) -> dict[str, Path]:
    """The collections, by name: one for each name of a geometry, and one where EITHER are texts."""
    found = {}
    for kind in ("number", "text"):
        found[f"examples_{kind}"] = place = folder / f"examples_{kind}.geojson"
        frame = gpd.GeoDataFrame(
            _rows(kind), geometry=[shapely.Point(1, 2), shapely.box(-9, -9, 9, 9)], crs="OGC:CRS84"
        )
        place.write_text(frame.to_json(), encoding="utf-8")
    plain = frame.drop(columns=list(_LISTS))
    for name in GEOMETRIES[1:]:
        found[f"examples_{name}"] = place = folder / f"examples_{name}.gpkg"
        pyogrio.write_dataframe(plain, place, layer=place.stem, layer_options={"GEOMETRY_NAME": name})
    return found


def _rows(kind: str) -> list[dict[str, Any]]:
    return [
        dict.fromkeys(_TEXTS, f"foo{n}")
        | dict.fromkeys(_NUMBERS, n + 0.5)
        | dict.fromkeys(_INSTANTS, f"2012-08-1{n}T05:30:00Z")
        | dict.fromkeys(_DAYS, f"2012-08-1{n}")
        | dict.fromkeys(_LISTS, ["a", "b"][: n + 1])
        | dict.fromkeys(EITHER, n + 0.5 if kind == "number" else f"{n}")
        | {"swimming_pool": n == 1}
        for n in (0, 1)
    ]


def collection_for(name: str, text: str) -> str:
    """The collection that has what an example speaks of."""
    for geometry in GEOMETRIES[1:]:
        if f"{geometry}," in text or f'"{geometry}"' in text:
            return f"examples_{geometry}"
    return "examples_text" if name in TEXTUAL else "examples_number"
