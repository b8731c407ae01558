"""Lebanon, New Hampshire, by mapping files alone: every row accounted for, areas and polygons right."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import shapely

from engine.schema.warehouse import Warehouse
from ingest.load import LoadReport, ingest

MAPPINGS = Path(__file__).parent / "mappings"
FILES = [
    ("parcels.csv", "commerce", 5660, "enterprise"), ("parcels.csv", "land", 5660, "parcel"),
    ("LebParcels.shp", "land", 4364, "parcel_shape"), ("parcels.csv", "statistics", 5660, "annual"),
    ("land.csv", "statistics", 7764, "annual"), ("buildings.csv", "statistics", 5970, "annual"),
]  # fmt: skip
Loaded = tuple[Warehouse, dict[tuple[str, str], LoadReport]]


@pytest.fixture(scope="module")
def loaded(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    home = Warehouse(tmp_path_factory.mktemp("lebanon")).create()
    reports = {}
    for name, source, _, _ in FILES:
        mapping = MAPPINGS / f"lebanon_{source}.yaml"
        (reports[name, source],) = ingest(home, [shared / "real" / "lebanon_nh" / name], year=2024, mapping=mapping)
    return home, reports


def table(loaded: Loaded, name: str, source: str, of: str) -> pl.DataFrame:
    home, reports = loaded
    return pl.read_parquet(home.canonical / source / reports[name, source].load_id / f"{of}.parquet", glob=False)


@pytest.mark.parametrize(("name", "source", "rows", "of"), FILES)
def test_lebanon_row_conservation(loaded: Loaded, name: str, source: str, rows: int, of: str) -> None:
    report = loaded[1][name, source]
    assert report.rows_in - report.furniture == rows
    assert report.rows_in == report.kept + report.refused + report.furniture
    assert table(loaded, name, source, of).height == report.kept
    assert set(report.reasons) <= {"missing_parcel_code"}


def test_lebanon_joins_and_zero_areas(loaded: Loaded) -> None:
    parcels = table(loaded, "parcels.csv", "land", "parcel")
    shapes = table(loaded, "LebParcels.shp", "land", "parcel_shape")
    joined = shapes.filter(pl.col("parcel_code").is_in(parcels["parcel_code"].implode()))
    assert (joined.height, joined["parcel_code"].n_unique()) == (4306, 4281)
    assert parcels.height - 4281 == 1379
    assert parcels.filter(pl.col("area_dm2") == 0).height + parcels["area_dm2"].null_count() == 1336


def test_lebanon_one_polygon_was_invalid_and_is_kept(loaded: Loaded) -> None:
    sheet = loaded[1]["LebParcels.shp", "land"].understood["sheets"][0]  # type: ignore[index]
    assert sheet["counts"] == {"geometry_repaired": 1}
    shapes = table(loaded, "LebParcels.shp", "land", "parcel_shape")
    polygons = shapely.from_wkb(shapes["geometry"].to_list())
    assert shapely.is_valid(polygons).all()
    west, south, east, north = shapely.total_bounds(polygons)
    assert (-72.4 < west < east < -72.1) and (43.5 < south < north < 43.8)


def test_lebanon_acres_and_dollars(loaded: Loaded) -> None:
    parcels = table(loaded, "parcels.csv", "land", "parcel")
    assert parcels["area_dm2"][0] == round(2.34 * 404685.64224)
    lines = table(loaded, "land.csv", "statistics", "annual").filter(pl.col("local_id") == "1-1")
    assert lines["value_added_fen"].sum() == 163_900_00
