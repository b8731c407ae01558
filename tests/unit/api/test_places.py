"""Where the enterprises of a ranking page stood the year before: the same as asking that year's ranking."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

V1 = "/api/v1"
QUESTIONS: list[dict[str, str]] = [
    {},
    {"by": "benefit_per_mu", "order": "worst"},
    {"region": "3205", "size": "small"},
    {"group": "above_scale", "by": "output_per_mu", "q": "示例"},
]


def whole(client: TestClient, year: int, asked: dict[str, str]) -> dict[str, Any]:
    """Every ranked row of a year, by enterprise."""
    same = {k: v for k, v in asked.items() if k != "q"}
    rows = client.get(f"{V1}/rankings", params={**same, "year": year, "limit": 1000}).json()["rows"]
    return {r["enterprise_id"]: {"rank": r["rank"], "of": r["of"]} for r in rows if r["rank"] is not None}


@pytest.mark.parametrize("asked", QUESTIONS)
def test_places_are_those_of_the_year_before_page_by_page(demo_client: TestClient, asked: dict[str, str]) -> None:
    before, cursor, seen = whole(demo_client, 2023, asked), None, 0
    while seen == 0 or cursor:
        question = {**asked, "year": 2024, "limit": 90, **({"cursor": cursor} if cursor else {})}
        page = demo_client.get(f"{V1}/rankings", params=question).json()
        found = demo_client.get(f"{V1}/rankings/places", params=question).json()
        named = [r["enterprise_id"] for r in page["rows"]]
        assert found["places"] == {e: before[e] for e in named if e in before}
        assert found["against"]["year"] == 2023 and found["release_id"] == page["release_id"]
        seen, cursor = seen + len(named), page["next"]
    assert seen == page["total"] > 20


def test_a_year_without_one_before_and_another_policy_are_refused(client: TestClient, ids: dict[str, str]) -> None:
    alone = client.get(f"{V1}/rankings/places", params={"year": 2023})
    assert (alone.status_code, alone.json()["code"]) == (404, "no_release")
    other = client.get(f"{V1}/rankings/places", params={"release": ids["2024"], "against": ids["graded"]})
    assert (other.status_code, other.json()["parameter"]) == (400, "against")


@pytest.mark.parametrize("asked", QUESTIONS)
def test_ids_are_those_of_the_ranking_in_its_order(demo_client: TestClient, asked: dict[str, str]) -> None:
    same = {k: v for k, v in asked.items() if k not in ("by", "order")}
    page = demo_client.get(f"{V1}/rankings", params={**same, "limit": 1000}).json()
    found = demo_client.get(f"{V1}/rankings/ids", params=same).json()
    assert found["ids"] == [r["enterprise_id"] for r in page["rows"]] and found["total"] == page["total"] > 20
