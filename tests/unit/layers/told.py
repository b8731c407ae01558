"""What a layer's file says of itself, by the means of its format, as the library that users read it with shows it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyogrio
from pmtiles.reader import MmapSource, Reader

from engine.layers.origin import texts


def origin_in(place: Path) -> dict[str, str]:
    """Name → text of the origin in a file named by its ending over HTTP."""
    return _READERS[place.name.split(".", 1)[1]](place)


def _geojson(place: Path) -> dict[str, str]:
    told = json.loads(place.read_bytes())
    assert list(told)[:3] == ["type", "description", "permu"]
    assert pyogrio.read_info(place)["layer_metadata"]["DESCRIPTION"] == told["description"]
    return texts(told["permu"])


def _gdal(place: Path) -> dict[str, str]:
    told: dict[str, Any] = pyogrio.read_info(place)["layer_metadata"]
    assert told.pop("DESCRIPTION")
    assert told.pop("IDENTIFIER" if place.suffix == ".gpkg" else "TITLE")
    return told


def _parquet(place: Path) -> dict[str, str]:
    return texts(json.loads(pq.read_schema(place).metadata[b"permu"]))


def _shapefile(place: Path) -> dict[str, str]:
    with zipfile.ZipFile(place) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".fields.txt"))
        words = archive.read(name).decode("utf-8-sig")
    part = words.split("来源 provenance\n")[1].split("\n\n")[0]
    return dict(line.split(": ", 1) for line in part.splitlines())


def _pmtiles(place: Path) -> dict[str, str]:
    with place.open("rb") as file:
        return texts(Reader(MmapSource(file)).metadata()["permu"])


_READERS = {
    "geojson": _geojson, "gpkg": _gdal, "fgb": _gdal, "parquet": _parquet, "shp.zip": _shapefile, "pmtiles": _pmtiles,
}  # fmt: skip
