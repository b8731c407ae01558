"""Who may do what at the desk: by rule, and within a region."""

from __future__ import annotations

import pytest

from tests.unit.desk.conftest import Asking

READ = (
    "review",
    "refused",
    "disputes",
    "disputes/facts",
    "disputes/land",
    "disputes/corrections",
    "status",
    "simulate",
)
OVERSIGHT = ("disputes", "disputes/facts", "disputes/land", "disputes/corrections", "status", "simulate")


@pytest.mark.parametrize("path", READ)
def test_reading_by_role(offices: Asking, path: str) -> None:
    offices.get(path, who="province")
    offices.get(path, who="city")
    offices.get(path, who="regulator", status=200 if path in OVERSIGHT else 403)
    for who in ("gis", "enterprise", "public"):
        told = offices.get(path, who=who, status=403)
        assert told["code"] == "forbidden" and "docs/rights.md" in told["detail"]
    offices.get(path, status=401)


def test_only_the_bureau_decides(offices: Asking) -> None:
    item = offices.get("review", who="province", kind="unlinked", limit=1)["items"][0]["id"]
    release = offices.releases["2024-huaian-2024"]
    for who in ("regulator", "gis", "enterprise", "public"):
        offices.post(f"review/{item}", {"verdict": "reject"}, who=who, status=403)
        offices.post(f"publish/{release}", {"state": "public", "reason": "x"}, who=who, status=403)
        offices.get(f"publish/{release}", who=who, status=403)
    assert offices.get(f"review/{item}", who="province")["decisions"] == []
    kept = offices.post(f"review/{item}", {"verdict": "reject", "reason": "r"}, who="province")["decisions"]
    assert kept[-1]["who"] == "province"
    offices.post(f"review/{item}", {"verdict": "reopen"}, who="province")


def test_a_city_sees_its_own_items_only(offices: Asking) -> None:
    whole = offices.get("review", who="province", limit=10000)
    mine = offices.get("review", who="city", limit=10000)
    assert 0 < mine["total"] < whole["total"]
    for item in mine["items"][:4]:
        told = offices.get(f"review/{item['id']}", who="city")
        assert all(c["region_code"].startswith("3205") for c in told.get("candidates", []))
    elsewhere = {i["id"] for i in whole["items"]} - {i["id"] for i in mine["items"]}
    assert offices.get(f"review/{sorted(elsewhere)[0]}", who="city", status=404)["code"] == "unknown_item"


def test_a_city_accepts_nobody_elsewhere(offices: Asking) -> None:
    table = offices.get("simulate", who="province", changes="shares.A=40", limit=10000)["rows"]
    far = next(r["enterprise_id"] for r in table if not r["region_code"].startswith("3205"))
    item = offices.get("review", who="city", kind="unlinked", year=2024, limit=1)["items"][0]["id"]
    told = offices.post(f"review/{item}", {"verdict": "accept", "enterprise": far}, who="city", status=403)
    assert "region" in told["detail"]


def test_a_city_simulates_and_reads_its_own_region(offices: Asking) -> None:
    told = offices.get("simulate", who="city", changes="shares.A=40", limit=10000)
    assert told["rows"] and all(r["region_code"].startswith("3205") for r in told["rows"])
    assert offices.get("simulate", who="province", changes="shares.A=40")["of"] > told["of"]
    offices.get("simulate", who="city", region="3201", status=403)
    land = offices.get("disputes/land", who="city", limit=10000)["findings"]
    assert all(f["region_code"].startswith("3205") for f in land)
    far = [
        f
        for f in offices.get("disputes/land", who="province", limit=10000)["findings"]
        if f["region_code"][:4] != "3205"
    ]
    offices.get(f"disputes/land/{far[0]['parcel_code']}", who="city", status=404)
    counties = [
        c["county"] for line in offices.get("status", who="city", year=2024)["coverage"] for c in line["counties"]
    ]
    assert counties and all(c.startswith("3205") for c in counties)


def test_a_city_does_not_publish_for_others(offices: Asking) -> None:
    release = offices.releases["2024-huaian-2024"]
    told = offices.get(f"publish/{release}", who="city", target="public")
    assert told["outside"] > 0
    refused = offices.post(f"publish/{release}", {"state": "public", "reason": "x"}, who="city", status=403)
    assert "3205" in refused["detail"]
    offices.post(f"publish/{release}", {"state": "public", "reason": "x"}, who="province")


def test_refused_rows_of_a_city_and_their_workbook(offices: Asking) -> None:
    mine = offices.get("refused", who="city", limit=10000)
    assert mine["total"] < offices.get("refused", who="province", limit=10000)["total"]
    offices.get("refused/export", who="city", status=200 if mine["total"] else 404)
