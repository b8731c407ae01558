"""Map services' boundaries in GCJ-02 → EPSG:4490, judged by outside vectors and by the way back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pyproj
import pytest
import shapely

from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.read.gcj02 import from_lonlat, to_lonlat

MAPPING = """
source: regions
crs: {crs}
tables:
  region:
    require: [[region_code], [name]]
    required_values: [region_code]
    fields:
      region_code: {{type: region, headers: [adcode]}}
      name: {{type: name, headers: [name]}}
      level: {{type: text, headers: [level]}}
      geometry: {{type: geometry}}
"""
_EARTH = pyproj.Geod(ellps="GRS80")
FILES = ["jiangsu_cities_cnmaps.geojson", "jiangsu_counties_cnmaps.geojson"]


def metres(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(_EARTH.inv(one[:, 0], one[:, 1], other[:, 0], other[:, 1])[2])


def load(home: Warehouse, path: Path, folder: Path, crs: str) -> dict[str, shapely.Geometry]:
    mapping = folder / f"{crs.replace(':', '')}.yaml"
    mapping.write_text(MAPPING.format(crs=crs), "utf-8")
    (report,) = ingest(home, [path], mapping=mapping, year=2023)
    assert report.rows_in == report.kept
    rows = pl.read_parquet(home.canonical / "regions" / report.load_id / "region.parquet", glob=False)
    return {code: shapely.from_wkb(wkb) for code, wkb in rows.select("region_code", "geometry").rows()}


def drawn(path: Path) -> dict[str, shapely.Geometry]:
    features = json.loads(path.read_text("utf-8"))["features"]
    return {f["properties"]["adcode"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in features}


def test_boundaries_gcj02_vectors_of_the_outside_judge(shared: Path) -> None:
    with (shared / "judges" / "codes" / "gcj02_bd09_vectors_eviltransform.csv").open(encoding="utf-8") as handle:
        rows = [r for r in csv.DictReader(handle) if r["op"] == "wgs2gcj"]
    true = np.array([[float(r["lng_in"]), float(r["lat_in"])] for r in rows])
    shifted = np.array([[float(r["lng_out"]), float(r["lat_out"])] for r in rows])
    assert len(rows) == 3
    assert metres(from_lonlat(true), shifted).max() < 0.5
    assert metres(to_lonlat(shifted), true).max() < 0.5


def test_boundaries_there_and_back_over_all_of_china() -> None:
    random = np.random.default_rng(2017)
    points = np.column_stack((random.uniform(73.5, 135, 100_000), random.uniform(4, 53.5, 100_000)))
    assert metres(to_lonlat(from_lonlat(points)), points).max() < 0.001
    assert metres(from_lonlat(points), points).min() > 1
    outside = np.array([[-71.5, 43.6], [2.3, 48.9], [151.2, -33.9]])
    assert np.array_equal(to_lonlat(outside), outside)


@pytest.mark.parametrize("name", FILES)
def test_boundaries_from_gcj02_on_request(shared: Path, home: Warehouse, tmp_path: Path, name: str) -> None:
    path = shared / "real" / "boundaries" / name
    given = drawn(path)
    moved = load(home, path, tmp_path, "gcj02")
    assert set(moved) == set(given)
    for code, shape in moved.items():
        back = shapely.transform(shape, from_lonlat)
        assert shape.is_valid
        assert shapely.hausdorff_distance(back, given[code]) * 111_000 < 0.5
        off = metres(shapely.get_coordinates(shape.centroid), shapely.get_coordinates(given[code].centroid))[0]
        assert 300 < off < 800, "the shift in Jiangsu is about half a kilometre"


def test_boundaries_as_they_say_without_the_request(shared: Path, home: Warehouse, tmp_path: Path) -> None:
    path = shared / "real" / "boundaries" / FILES[0]
    taken, given = load(home, path, tmp_path, "EPSG:4490"), drawn(path)
    assert all(shapely.hausdorff_distance(taken[c], given[c]) * 111_000 < 0.5 for c in given)
