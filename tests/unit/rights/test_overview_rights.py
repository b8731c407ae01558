"""The overview and the portrait as each role: no figure of a single firm for who may not see one, no other firm's facts."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.unit.rights.conftest import World

V1 = "/api/v1"
LIMITED = ["enterprise", "public"]


def asked(world: World, role: str, path: str, **params: Any) -> dict[str, Any]:
    answer = world.get(role, f"{V1}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("role", LIMITED)
def test_no_bin_and_no_cell_stands_for_fewer_than_five(world: World, role: str) -> None:
    bins = asked(world, role, "overview/distribution", year=2024, by="output_per_mu")["counts"]
    assert bins and all(n == 0 or n >= 5 for n in bins)
    found = asked(world, role, "overview/quadrant", year=2024)
    assert found["points"] is None and all(cell[2] >= 5 for cell in found["cells"])
    assert sum(cell[2] for cell in found["cells"]) + found["hidden"] == found["of"]


def test_figures_are_not_for_map_staff(world: World) -> None:
    for panel in ("distribution", "concentration", "quadrant"):
        answer = world.get("gis", f"{V1}/overview/{panel}", params={"year": 2024})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", LIMITED)
def test_medians_of_the_public_have_three_digits_and_no_name_is_asked(world: World, role: str) -> None:
    found = asked(world, role, "overview/quadrant", year=2024)["cross"]["median"]
    exact = asked(world, "regulator", "overview/quadrant", year=2024)["cross"]["median"]
    assert found == {axis: float(f"{value:.3g}") for axis, value in exact.items()} != exact
    assert world.get(role, f"{V1}/overview/quadrant", params={"q": "有限"}).json()["code"] == "forbidden"


def test_a_regulator_sees_points_and_a_bureau_those_of_its_region(world: World) -> None:
    every = asked(world, "regulator", "overview/quadrant", year=2024)["points"]
    own = asked(world, "land_bureau", "overview/quadrant", year=2024)["points"]
    table = world.table("2024-sunan-2017")
    inside = set(table.filter(pl.col("region_code").str.starts_with(world.city))["enterprise_id"])
    assert len(own) < len(every) and {p["enterprise_id"] for p in own} <= inside
    other = next(c for c in table["region_city"].unique().sort() if c != world.city)
    refused = world.get("land_bureau", f"{V1}/overview/distribution", params={"year": 2024, "region": other})
    assert refused.status_code == 403 and refused.json()["code"] == "forbidden"


@pytest.mark.parametrize("role", ["enterprise", "public"])
def test_a_group_of_few_is_refused(world: World, role: str) -> None:
    table = world.table("2024-sunan-2017").filter(pl.col("benefit_per_mu").is_finite())
    town = (
        table.group_by("region_town").len().filter(pl.col("len") < 5).drop_nulls().sort("region_town")["region_town"][0]
    )
    for panel in ("distribution", "concentration", "quadrant"):
        answer = world.get(role, f"{V1}/overview/{panel}", params={"year": 2024, "region": town})
        assert (answer.status_code, answer.json()["code"]) == (403, "too_few_members")


@pytest.mark.parametrize("role", ["enterprise", "public"])
def test_movement_against_a_draft_is_unknown(world: World, role: str) -> None:
    answer = world.get(
        role, f"{V1}/overview/movement", params={"year": 2024, "against": world.releases["2023-sunan-2017"]}
    )
    assert answer.status_code == 404
    assert world.get(role, f"{V1}/overview/movement", params={"year": 2024}).status_code == 404
    assert asked(world, "regulator", "overview/movement", year=2024)["against"]["year"] == 2023


@pytest.mark.parametrize(
    ("role", "part", "status"),
    [
        ("regulator", "facts", 200), ("enterprise", "facts", 200), ("gis", "facts", 403), ("public", "facts", 403),
        ("regulator", "parcels", 200), ("gis", "parcels", 200), ("enterprise", "parcels", 200), ("public", "parcels", 403),
        ("regulator", "standing", 200), ("enterprise", "standing", 200), ("public", "standing", 200),
    ],
)  # fmt: skip
def test_parts_of_a_portrait_by_role(world: World, role: str, part: str, status: int) -> None:
    answer = world.get(role, f"{V1}/enterprises/{world.firm}/{part}")
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["code"] == "forbidden" and "[rule" in answer.json()["detail"]


@pytest.mark.parametrize("part", ["facts", "parcels", "standing"])
def test_another_firms_portrait_is_not_there_for_an_enterprise(world: World, part: str) -> None:
    other = world.table("2024-sunan-2017").filter(pl.col("enterprise_id") != world.firm)["enterprise_id"][0]
    answer = world.get("enterprise", f"{V1}/enterprises/{other}/{part}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_enterprise")


def test_facts_come_from_releases_that_the_role_may_see(world: World) -> None:
    years = {
        r: [y["year"] for y in asked(world, r, f"enterprises/{world.firm}/facts")["years"]]
        for r in ("regulator", "enterprise")
    }
    assert years == {"regulator": [2023, 2024], "enterprise": [2024]}


def test_standing_shows_the_public_no_figure(world: World) -> None:
    found = asked(world, "public", f"enterprises/{world.firm}/standing", policy="huaian-2024", year=2024)
    assert found["metrics"] == []  # each is a figure of this firm
