"""The overview's and the portrait's routes: answers over hand-made releases, refusals, ETags, what a role may see."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from engine.schema.warehouse import Warehouse
from tests.unit.api.firms import FIRMS
from tests.unit.api.release_builder import build

V1 = "/api/v1"


def get(client: TestClient, path: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(f"{V1}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("panel", ["distribution", "concentration", "quadrant", "movement", "targets"])
def test_a_panel_says_its_release_and_is_kept(client: TestClient, ids: dict[str, str], panel: str) -> None:
    answer = client.get(f"{V1}/overview/{panel}", params={"release": ids["2024"]})
    assert answer.json()["release_id"] == ids["2024"] == answer.headers["X-Permu-Release"]
    tag = answer.headers["ETag"]
    again = client.get(f"{V1}/overview/{panel}", params={"release": ids["2024"]}, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert (
        client.get(f"{V1}/overview/{panel}", params={"release": ids["2024"], "region": "3205"}).headers["ETag"] != tag
    )


def test_distribution_by_default_is_of_the_benefit(client: TestClient, ids: dict[str, str]) -> None:
    found = get(client, "overview/distribution", release=ids["2024"])
    assert found["by"] == "benefit_per_mu" and sum(found["counts"]) == found["of"]
    ranked = get(client, "rankings", release=ids["2024"], by="benefit_per_mu")
    assert found["of"] == ranked["of"] and found["missing"] == ranked["total"] - ranked["of"]


def test_quadrant_takes_the_group_asked(client: TestClient, ids: dict[str, str]) -> None:
    found = get(client, "overview/quadrant", release=ids["2024"], region="3205", x="benefit_per_mu", y="output_per_mu")
    assert (found["x"], found["y"]) == ("benefit_per_mu", "output_per_mu")
    assert {p["enterprise_id"] for p in found["points"]} == {"E01", "E02", "E04", "E07", "E10", "E11", "E12"}


def test_movement_is_against_the_year_before(client: TestClient, ids: dict[str, str]) -> None:
    found = get(client, "overview/movement", release=ids["2024"])
    assert found["against"]["release_id"] == ids["2023"]
    assert sum(x["count"] for x in found["links"] if x["from"] == "absent") == 3  # E10, E11, E12 came in 2024
    assert found == get(client, "overview/movement", release=ids["2024"], against=ids["2023"])


def test_summary_of_one_metric(client: TestClient, ids: dict[str, str]) -> None:
    asked = {"release": ids["2024"], "group_by": "industry,region_city"}
    whole = get(client, "summary", **asked)["groups"]
    one = get(client, "summary", **asked, by="benefit_per_mu")["groups"]
    assert [g["metrics"]["benefit_per_mu"] for g in one] == [g["metrics"]["benefit_per_mu"] for g in whole]
    assert all(set(g["metrics"]) == {"benefit_per_mu"} for g in one)


@pytest.mark.parametrize(
    ("path", "asked", "status", "code"),
    [
        ("overview/distribution", {"by": "nothing"}, 400, "bad_parameter"),
        ("overview/concentration", {"by": "land_mu"}, 400, "bad_parameter"),
        ("overview/quadrant", {"by": "benefit_per_mu"}, 400, "unknown_parameter"),
        ("overview/quadrant", {"x": ""}, 400, "bad_parameter"),
        ("overview/movement", {"grade": "A"}, 400, "unknown_parameter"),
        ("overview/movement", {"against": "none"}, 404, "unknown_release"),
        ("overview/movement", {"year": "2023"}, 404, "no_release"),
        ("overview/targets", {"region": "x"}, 400, "bad_parameter"),
        ("enterprises/E99/facts", {}, 404, "unknown_enterprise"),
        ("enterprises/E99/parcels", {}, 404, "unknown_enterprise"),
        ("enterprises/E99/standing", {}, 404, "unknown_enterprise"),
    ],
)
def test_refusals(client: TestClient, path: str, asked: dict[str, str], status: int, code: str) -> None:
    answer = client.get(f"{V1}/{path}", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_movement_stays_within_a_policy(client: TestClient, ids: dict[str, str]) -> None:
    answer = client.get(f"{V1}/overview/movement", params={"release": ids["2024"], "against": ids["graded"]})
    assert answer.status_code == 400 and answer.json()["parameter"] == "against"


# --- portrait ----------------------------------------------------------------------------------------------------


def test_parcels_are_geojson_with_what_is_used(client: TestClient, ids: dict[str, str]) -> None:
    answer = client.get(f"{V1}/enterprises/E02/parcels", params={"release": ids["2024"]})
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert [f["properties"]["kinds"] for f in features] == [["rented_in"], ["own"]]
    rented = features[0]["properties"]
    assert rented["used_mu"] == pytest.approx(10_000 * 365 * 3 / 200_000 / 366) and rented["users"] == 2
    assert features[0]["geometry"]["type"] == "Polygon"


def test_standing_tells_rank_of_and_median(client: TestClient, ids: dict[str, str]) -> None:
    lines = {x["metric"]: x for x in get(client, "enterprises/E01/standing", release=ids["2024"])["metrics"]}
    groups = {g["grouping"]: g for g in lines["benefit_per_mu"]["groups"]}
    ranked = get(client, "rankings", release=ids["2024"], by="benefit_per_mu", limit=100)
    values = sorted(r["benefit_per_mu"] for r in ranked["rows"] if r["benefit_per_mu"] is not None)
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    own = next(r["rank"] for r in ranked["rows"] if r["enterprise_id"] == "E01")
    assert (groups["all"]["rank"], groups["all"]["of"]) == (own, len(values))
    assert groups["all"]["median"] == pytest.approx(middle)
    assert groups["industry_region_size"]["key"] == {"industry_2": "26", "region_county": "320507", "size": "small"}


def test_standing_of_a_scored_enterprise_has_bases_and_points(client: TestClient, ids: dict[str, str]) -> None:
    lines = {x["metric"]: x for x in get(client, "enterprises/E01/standing", release=ids["graded"])["metrics"]}
    assert (lines["tax_per_mu"]["base"], lines["score"]["base"]) == (10.0, None)
    assert {g["rank"] for g in lines["tax_per_mu"]["groups"]} == {None}  # it is scored, not ranked


def test_facts_of_the_demo_by_year(demo_client: TestClient) -> None:
    row = get(demo_client, "rankings", limit=1)["rows"][0]
    found = get(demo_client, f"enterprises/{row['uscc']}/facts")
    assert [y["year"] for y in found["years"]] == [2023, 2024] and found["enterprise_id"] == row["enterprise_id"]
    lines = {x["field"]: x for x in found["facts"]}
    assert lines["land_dm2_days"]["values"]["2024"]["value"] == pytest.approx(row["land_mu"])
    facts = get(demo_client, f"enterprises/{row['enterprise_id']}")["facts"]
    for fact in facts:
        told = lines[fact["field"]]["values"]["2024"]
        assert (told["exact"], told["source"], told["how"]) == (fact["value"], fact["source"], fact["how"])
        assert ("claims" in told) == (fact["how"] in ("disputed", "corrected"))


# --- base figures of the targets ---------------------------------------------------------------------------------


def test_base_figures_are_read_when_the_file_changes(empty: Warehouse) -> None:
    release = build(empty, FIRMS)
    folder = empty.releases / release
    table = pl.read_parquet(folder / "rankings.parquet")
    facts = table.select("enterprise_id", value_added_fen=pl.lit(10**8), energy_ce=pl.lit(10**10))
    facts.write_parquet(folder / "facts_wide.parquet")
    file = empty.home / "targets.yaml"
    figure = 'figures: [{region: "3205", target: energy_per_value_added, value: 0.02, source: 统计年鉴}]'
    with TestClient(create_app(empty), base_url="http://127.0.0.1") as own:
        told = []
        for text in (None, f"targets: sunan-2017\n{figure}\n"):
            if text:
                file.write_text(text, "utf-8")
            lines = get(own, "overview/targets", year=2024)["lines"]
            told.append(next(x for x in lines if (x["region"], x["target"]) == ("3205", "energy_per_value_added")))
        file.write_text("targets: other\n", "utf-8")
        broken = own.get(f"{V1}/overview/targets")
    assert (told[0]["reason"], told[0]["value"], told[0]["met"]) == ("no_base", 0.01, None)
    assert (told[1]["reason"], told[1]["progress"], told[1]["met"]) == (None, -0.5, True)
    assert (broken.status_code, broken.json()["code"]) == (500, "bad_targets")
