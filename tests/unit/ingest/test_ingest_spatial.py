"""Layers: GBK .dbf without .cpg, missing .prj, other coordinate systems, names that .dbf cut off, broken rings."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import polars as pl
import pyproj
import pytest
import shapely

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.geometry import dm2
from ingest.load import ingest
from ingest.read.gcj02 import from_lonlat

# Writing test layers warns about cut names: that is what they are for.
pytestmark = pytest.mark.filterwarnings("ignore")
SQUARE = shapely.box(120.9, 31.3, 120.901, 31.301)
BOWTIE = shapely.Polygon([(120.9, 31.3), (120.901, 31.301), (120.901, 31.3), (120.9, 31.301)])


def layer(path: Path, crs: str | None = "EPSG:4490", **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {
        "宗地代码": ["320583001001GB00001", "320583001001GB00002"],
        "权利人": ["甲公司", "乙公司"],
        "宗地面积": [1.5, 2.5],
    }
    frame = gpd.GeoDataFrame(data, geometry=[SQUARE, BOWTIE], crs="EPSG:4490")
    frame = frame.to_crs(crs) if crs else frame
    frame.to_file(path, **options)
    return path


def load(home: Warehouse, path: Path) -> pl.DataFrame:
    (report,) = ingest(home, [path], source="land", year=2024)
    assert (report.rows_in, report.kept) == (2, 2)
    return pl.read_parquet(home.canonical / "land" / report.load_id / "parcel.parquet", glob=False)


@pytest.mark.parametrize("encoding", ["GB18030", "UTF-8"])
@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4528", "EPSG:4549", "EPSG:4326"])
def test_a_shapefile_without_cpg(home: Warehouse, tmp_path: Path, encoding: str, crs: str) -> None:
    path = layer(tmp_path / "宗地.shp", crs, encoding=encoding)
    path.with_suffix(".cpg").unlink()
    table = load(home, path)
    assert table["holder_name"].to_list() == ["甲公司", "乙公司"]
    assert table["area_dm2"].to_list() == [150, 250]
    assert table["row"].to_list() == [1, 2]
    square = shapely.from_wkb(table["geometry"][0])
    assert square.centroid.distance(SQUARE.centroid) < 1e-6


@pytest.mark.parametrize("name", ["宗地.gpkg", "宗地.geojson"])
def test_other_formats_and_a_repaired_ring(home: Warehouse, tmp_path: Path, name: str) -> None:
    table = load(home, layer(tmp_path / name, "EPSG:4326" if name.endswith("json") else "EPSG:4490"))
    repaired = shapely.from_wkb(table["geometry"][1])
    assert repaired.is_valid
    assert repaired.geom_type == "MultiPolygon"


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4528"])
def test_a_missing_prj_is_read_off_the_coordinates(home: Warehouse, tmp_path: Path, crs: str) -> None:
    path = layer(tmp_path / "宗地.shp", crs)
    path.with_suffix(".prj").unlink()
    assert shapely.from_wkb(load(home, path)["geometry"][0]).centroid.distance(SQUARE.centroid) < 1e-6


def test_coordinates_that_show_no_system(home: Warehouse, tmp_path: Path) -> None:
    path = layer(tmp_path / "宗地.shp", "EPSG:4549")
    path.with_suffix(".prj").unlink()
    with pytest.raises(PermuError, match="coordinate system") as error:
        ingest(home, [path], source="land", year=2024)
    assert error.value.code == "no_crs"


MAPPING = """
source: land
crs: {crs}
tables:
  parcel:
    require: [[parcel_code], [area_dm2]]
    fields:
      parcel_code: {{type: parcel, headers: [宗地代码]}}
      holder_name: {{type: name, headers: [权利人]}}
      area_dm2: {{type: amount, unit: 平方米, headers: [宗地面积]}}
      geometry: {{type: geometry}}
"""


def mapped(home: Warehouse, path: Path, crs: str) -> shapely.Geometry:
    mapping = path.parent / "m.yaml"
    mapping.write_text(MAPPING.format(crs=crs), "utf-8")
    (report,) = ingest(home, [path], mapping=mapping, year=2024)
    table = pl.read_parquet(home.canonical / "land" / report.load_id / "parcel.parquet", glob=False)
    return shapely.from_wkb(table["geometry"][0])


def test_a_declared_system_where_the_prj_is_missing(home: Warehouse, tmp_path: Path) -> None:
    path = layer(tmp_path / "宗地.shp", "EPSG:4549")
    path.with_suffix(".prj").unlink()
    assert mapped(home, path, "EPSG:4549").centroid.distance(SQUARE.centroid) < 1e-6


@pytest.mark.parametrize("name", ["宗地.geojson", "宗地.shp"])
def test_gcj02_is_moved_back_on_request(home: Warehouse, tmp_path: Path, name: str) -> None:
    data = {"宗地代码": ["320583001001GB00001"], "宗地面积": [1.5]}
    shifted = gpd.GeoDataFrame(data, geometry=[shapely.transform(SQUARE, from_lonlat)], crs="EPSG:4326")
    shifted.to_file(tmp_path / name)
    assert mapped(home, tmp_path / name, "gcj02").hausdorff_distance(SQUARE) < 1e-7


REFUSED_CRS = [
    ("gcj02", "EPSG:4549", "not degrees"),
    ("EPSG:999999", None, "is no coordinate system"),
    ("Mercator", None, "Mercator"),
]


@pytest.mark.parametrize(("declared", "drawn", "words"), REFUSED_CRS)
def test_a_declared_system_that_cannot_be(
    home: Warehouse, tmp_path: Path, declared: str, drawn: str | None, words: str
) -> None:
    path = layer(tmp_path / "宗地.shp", drawn or "EPSG:4490")
    path.with_suffix(".prj").unlink()
    with pytest.raises(PermuError, match=words) as error:
        mapped(home, path, declared)
    assert error.value.code == "no_crs"


def test_degrees_elsewhere_are_no_chinese_system(home: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "宗地.shp"
    data = {"宗地代码": ["1"], "宗地面积": [1.5]}
    gpd.GeoDataFrame(data, geometry=[shapely.box(-71.6, 43.6, -71.5, 43.7)]).to_file(path)
    with pytest.raises(PermuError) as error:
        ingest(home, [path], source="land", year=2024)
    assert error.value.code == "no_crs"
    assert "crs:" in error.value.en


def test_metres_in_a_file_that_says_degrees(home: Warehouse, tmp_path: Path) -> None:
    path = layer(tmp_path / "宗地.shp", "EPSG:4549")
    path.with_suffix(".prj").write_text(pyproj.CRS("EPSG:4490").to_wkt("WKT1_ESRI"), "utf-8")
    with pytest.raises(PermuError, match="outside the globe") as error:
        ingest(home, [path], source="land", year=2024)
    assert error.value.code == "no_crs"


def test_a_cpg_that_is_not_true(home: Warehouse, tmp_path: Path) -> None:
    path = layer(tmp_path / "宗地.shp", encoding="GB18030")
    path.with_suffix(".cpg").write_text("UTF-8", "ascii")
    assert load(home, path)["holder_name"].to_list() == ["甲公司", "乙公司"]


def test_corners_that_are_nowhere(home: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "宗地.gpkg"
    data = {"宗地代码": ["320583001001GB00001", "320583001001GB00002"], "宗地面积": [1500, 2500]}
    nowhere = shapely.Polygon([(120.9, 31.3), (float("inf"), 31.3), (120.9, 31.4)])
    gpd.GeoDataFrame(data, geometry=[SQUARE, nowhere], crs="EPSG:4490").to_file(path)
    (report,) = ingest(home, [path], source="land", year=2024)
    assert report.reasons == {"bad_geometry": 1}


def test_a_shapefile_without_its_index(home: Warehouse, tmp_path: Path) -> None:
    path = layer(tmp_path / "宗地.shp")
    path.with_suffix(".shx").unlink()
    (report,) = ingest(home, [path], source="land", year=2024)
    assert report.kept == 2
    assert "built anew" in str(report.understood["sheets"])
    assert not path.with_suffix(".shx").exists(), "nothing is written beside the file"


def test_a_shapefile_without_its_table(home: Warehouse, tmp_path: Path) -> None:
    path = layer(tmp_path / "宗地.shp")
    path.with_suffix(".dbf").unlink()
    with pytest.raises(PermuError, match="dbf is missing") as error:
        ingest(home, [path], source="land", year=2024)
    assert error.value.code == "unreadable_file"


def test_a_killed_load_leaves_the_ledger_whole(
    home: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layer(tmp_path / "宗地.gpkg")

    def dies(self: Warehouse) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "connect", dies)
        with pytest.raises(KeyboardInterrupt):
            ingest(home, [path], source="land", year=2024)
    assert not home.ledger.exists()
    assert load(home, path).height == 2
    assert (home.loads.stat().st_mode & 0o777) == 0o700


SWAPPED = shapely.transform(SQUARE, lambda xy: xy[:, ::-1])
METRES = shapely.box(500_000, 3_450_000, 500_100, 3_450_100)
# Xinjiang: turned round, its longitude is still a latitude that exists.
FAR_WEST = shapely.box(43.80, 87.60, 43.81, 87.61)


def drawn_as(path: Path, *shapes: shapely.Geometry) -> Path:
    data = {"宗地代码": [f"320583001001GB{n:05d}" for n in range(len(shapes))], "宗地面积": [1500.0] * len(shapes)}
    gpd.GeoDataFrame(data, geometry=list(shapes), crs="EPSG:4490").to_file(path)
    return path


@pytest.mark.parametrize(("shape", "words"), [(SWAPPED, "axes are swapped"), (METRES, "metres")])
@pytest.mark.parametrize("name", ["宗地.shp", "宗地.geojson", "宗地.gpkg"])
def test_a_layer_that_is_nowhere_says_why(
    home: Warehouse, tmp_path: Path, name: str, shape: shapely.Geometry, words: str
) -> None:
    with pytest.raises(PermuError, match=words) as error:
        ingest(home, [drawn_as(tmp_path / name, shape)], source="land", year=2024)
    assert error.value.code == "no_crs"


@pytest.mark.parametrize("name", ["宗地.shp", "宗地.gpkg"])
def test_single_features_that_are_nowhere_are_refused_by_name(home: Warehouse, tmp_path: Path, name: str) -> None:
    path = drawn_as(tmp_path / name, SQUARE, SWAPPED, METRES, FAR_WEST, SQUARE)
    (report,) = ingest(home, [path], source="land", year=2024)
    assert report.kept == 2 and report.reasons == {"axes_swapped": 2, "metres_for_degrees": 1}


def test_a_repaired_ring_keeps_the_area_it_was_drawn_with(home: Warehouse, tmp_path: Path) -> None:
    """A spike folds back over itself: the shoelace area of the ring is kept beside the valid polygon."""
    x, y = SQUARE.bounds[:2]
    bow = shapely.Polygon([(x, y), (x + 0.002, y + 0.001), (x + 0.002, y), (x, y + 0.0005)])
    (report,) = ingest(home, [drawn_as(tmp_path / "宗地.gpkg", bow, SQUARE)], source="land", year=2024)
    table = pl.read_parquet(home.canonical / "land" / report.load_id / "parcel_shape.parquet", glob=False)
    before = table["ring_dm2"].to_list()
    assert before[1] is None and 0 < before[0] < dm2(shapely.from_wkb(table["geometry"].to_list()))[0]
