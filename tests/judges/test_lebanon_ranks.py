"""Lebanon, New Hampshire, the whole way: mapping files in, value per area by class out, served. Judge: plain pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from engine.ranking.run import rank
from engine.releases import Release, find
from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.merge import MergeReport, merge

MAPPINGS = Path(__file__).parent / "mappings"
RULES = "trust: {}\narea_dispute: {percent: 10, least_mu: '0'}\n"
FILES = [
    ("parcels.csv", "commerce"), ("parcels.csv", "land"), ("LebParcels.shp", "land"), ("parcels.csv", "statistics"),
    ("land.csv", "statistics"), ("buildings.csv", "statistics"),
]  # fmt: skip
YEAR = 2024
DM2_PER_ACRE = 404685.64224


@pytest.fixture(scope="module")
def made(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, MergeReport, Release]:
    folder = tmp_path_factory.mktemp("lebanon")
    home = Warehouse(folder / "warehouse").create()
    for name, source in FILES:
        ingest(home, [shared / "real" / "lebanon_nh" / name], year=YEAR, mapping=MAPPINGS / f"lebanon_{source}.yaml")
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    report = merge(home, YEAR, rules)
    rank(home, YEAR, "sunan-2017")
    return home, report, find(home, year=YEAR)


@pytest.fixture(scope="module")
def judge(shared: Path) -> pd.DataFrame:
    """Value per area of each parcel and its rank, straight from the file."""
    parcels = pd.read_csv(shared / "real" / "lebanon_nh" / "parcels.csv", dtype={"parcel_id": str, "class_code": str})
    dm2 = np.floor(parcels.lot_size_acres * DM2_PER_ACRE + 0.5)
    parcels["per_mu"] = np.where(dm2 > 0, parcels.total_value * 100 / (15 * dm2), np.nan)
    parcels["rank_all"] = parcels.per_mu.rank(method="min", ascending=False)
    parcels["rank_class"] = parcels.groupby("class_code").per_mu.rank(method="min", ascending=False)
    parcels["of_class"] = parcels.groupby("class_code").per_mu.transform("count")
    return parcels.set_index("parcel_id")


def test_lebanon_polygons_parcels_and_area_conflicts(made: tuple[Warehouse, MergeReport, Release]) -> None:
    counts = made[1].counts
    assert counts["enterprises"] == 5660
    assert counts["polygons_of_declared_parcels"] == 4306
    assert counts["polygons_with_declared_area"] == 4301
    assert counts["polygon_disputes"] == 552
    assert counts["area_disputes"] == 525
    parcels = made[2].table("parcels").collect()
    declared = parcels.filter(parcels["area_dm2"].is_not_null())
    assert declared["geometry"].is_not_null().sum() == 4281
    assert declared["geometry"].is_null().sum() == 1379
    assert made[1].counts["unlinked_keys"] == 0


def test_lebanon_value_per_area_and_ranks_by_class(
    made: tuple[Warehouse, MergeReport, Release], judge: pd.DataFrame
) -> None:
    table = made[2].rankings
    assert table["output_per_mu"].is_null().sum() == 1336
    assert (table["flags"].str.contains("landless")).sum() == 1336
    by_id = made[2].table("enterprises").select("enterprise_id", "local_id").collect()
    ours = table.join(by_id, on="enterprise_id").to_pandas().set_index("local_id").reindex(judge.index)
    assert np.array_equal(ours.output_per_mu.to_numpy(), judge.per_mu.to_numpy(), equal_nan=True)
    for theirs, mine in (("rank_all", "all"), ("rank_class", "industry_4")):
        assert np.array_equal(ours[f"rank__output_per_mu__{mine}"], judge[theirs], equal_nan=True), mine
    assert np.array_equal(ours["of__output_per_mu__industry_4"], judge.of_class)


def test_lebanon_sums_of_land_lines_and_buildings(made: tuple[Warehouse, MergeReport, Release], shared: Path) -> None:
    facts = made[2].table("facts").collect().to_pandas()
    for file, column, field in (
        ("land.csv", "lnd_assess_val", "value_added_fen"),
        ("buildings.csv", "cns_assess_val", "output_value_fen"),
        ("parcels.csv", "total_value", "main_revenue_fen"),
    ):
        raw = pd.read_csv(shared / "real" / "lebanon_nh" / file, dtype={"parcel_id": str})
        assert facts.loc[facts.field == field, "value"].sum() == round(raw[column].sum() * 100), file


def test_lebanon_is_served(made: tuple[Warehouse, MergeReport, Release], judge: pd.DataFrame, tmp_path: Path) -> None:
    client = TestClient(create_app(made[0]), base_url="http://localhost")
    answer = client.get("/api/v1/rankings", params={"year": YEAR, "industry": "1010", "limit": 10}).json()
    assert answer["of"] == judge.loc[judge.class_code == "1010", "per_mu"].notna().sum()
    best = judge[judge.class_code == "1010"].per_mu.nlargest(10).to_list()
    assert [row["output_per_mu"] for row in answer["rows"]] == best
    layer = tmp_path / "parcels.geojson"
    layer.write_bytes(client.get("/layers/parcels.geojson").content)
    drawn = pyogrio.read_dataframe(layer)
    west, south, east, north = drawn.total_bounds
    assert (round(west, 1), round(south, 1), round(east, 1), round(north, 1)) == (-72.3, 43.6, -72.2, 43.7)
    assert drawn["rank"].notna().sum() > 4000
