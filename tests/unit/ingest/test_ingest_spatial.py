"""Layers: GBK .dbf without .cpg, missing .prj, other coordinate systems, names that .dbf cut off, broken rings."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import polars as pl
import pytest
import shapely

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.load import ingest

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
