"""Group figures for those who see no single firm: five firms and none that dominates, counted by hand."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.rights import users
from api.rights.groups import coarse
from engine.schema.warehouse import Warehouse
from tests.unit.api.release_builder import Firm, build

M = 100_000_000  # fen in 1,000,000 yuan


def _town(start: int, town: str, outputs: list[int], taxes: list[int] | None = None) -> list[Firm]:
    pairs = zip(outputs, taxes or [1] * len(outputs), strict=True)
    return [Firm(f"E{start + n:03}", o * M, t * M, region=town) for n, (o, t) in enumerate(pairs)]


TOWNS = {
    "320507001": _town(0, "320507001", [10, 10, 10, 10, 10]),  # five equal firms
    "320507002": _town(10, "320507002", [1, 1, 1, 1]),  # four
    "320507003": _town(20, "320507003", [86, 4, 4, 3, 3]),  # one holds 86 %
    "320507004": _town(30, "320507004", [85, 5, 5, 3, 2]),  # 85 %: not more than 85
    "320507005": _town(40, "320507005", [10] * 6, [1, 1, 1, 1, 1, -90]),  # a loss that is a giant
}


def _client(warehouse: Warehouse, towns: list[str]) -> tuple[TestClient, dict[str, str]]:
    build(warehouse, [firm for town in towns for firm in TOWNS[town]], state="public")
    _, key = users.add(warehouse, "p", "public")
    return TestClient(create_app(warehouse), base_url="http://127.0.0.1"), {"Authorization": f"Bearer {key}"}


def test_small_and_dominated_groups_are_left_out(home: Warehouse) -> None:
    client, key = _client(home, list(TOWNS))
    found = client.get("/api/v1/summary?group_by=region_town", headers=key).json()["groups"]
    assert [g["key"]["region_town"] for g in found] == ["320507001", "320507004"]
    first = found[0]
    assert first["enterprises"] == 5 and first["output_wan_yuan"] == 5000.0
    assert first["metrics"]["output_per_mu"]["ratio"] == pytest.approx(1000 / 15)
    assert {first["metrics"]["output_per_mu"][name] for name in ("mean", "p10", "p50", "p90")} == {None}
    counts = {r["code"]: r["enterprises"] for r in client.get("/api/v1/regions", headers=key).json()["regions"]}
    assert counts["320507001"] == 5 and counts["320507002"] is None


def test_where_one_is_left_out_the_smallest_other_goes_too(home: Warehouse) -> None:
    client, key = _client(home, ["320507001", "320507002", "320507004"])
    found = client.get("/api/v1/summary?group_by=region_town", headers=key).json()["groups"]
    assert len(found) == 1  # the total minus two groups would else be the four firms


def test_the_whole_is_told_where_it_is_nobodys(home: Warehouse) -> None:
    client, key = _client(home, ["320507001", "320507003"])
    assert len(client.get("/api/v1/summary", headers=key).json()["groups"]) == 1
    assert client.get("/api/v1/summary?region=320507003", headers=key).json()["groups"] == []


@pytest.mark.parametrize(
    ("exact", "shown"), [(12.34567, 12.3), (98765.4, 98800.0), (None, None), (0.0, 0.0), (-0.012345, -0.0123)]
)
def test_three_digits(exact: float | None, shown: float | None) -> None:
    assert coarse(exact) == shown
