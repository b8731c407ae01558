"""Refused rows, disputes, corrections and the state of the data over HTTP."""

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from engine.schema.warehouse import Warehouse
from ingest import disputes, overview, refused
from ingest.findings import REVIEW
from ingest.refused import PLACE
from tests.unit.desk.conftest import Asking


def test_refused_rows_are_those_that_wait(desk: Asking) -> None:
    told = desk.get("refused", limit=10000)
    theirs = refused.open_rows(desk.warehouse)
    mine = {(r["load_id"], r["sheet"], r["row"]) for r in told["rows"]}
    assert mine == set(theirs.select("load_id", "sheet", "row").rows()) and told["total"] == theirs.height > 5
    for row in told["rows"]:
        assert row["zh"] and row["en"] and row["file"] and row["cells"]
        assert [c["value"] for c in row["cells"] if c["at_fault"]] in ([], [row["value"]])


def test_refused_rows_by_reason_source_and_load(desk: Asking) -> None:
    whole = desk.get("refused", limit=10000)["rows"]
    for name, key in (("reason", "code"), ("source", "source"), ("load", "load_id")):
        asked = whole[0][key]
        found = desk.get("refused", limit=10000, **{name: asked})
        assert found["rows"] == [r for r in whole if r[key] == asked] and found["counts"][key] == {
            asked: found["total"]
        }


def test_the_workbook_holds_every_row_that_waits(desk: Asking) -> None:
    book = openpyxl.load_workbook(io.BytesIO(desk.get("refused/export", year=2024)))
    rows = sum(sheet.max_row - 2 for sheet in book.worksheets)
    assert rows == desk.get("refused", year=2024)["total"]
    assert [c.value for c in book.worksheets[0][2]][: len(PLACE)] == [title for _, title in PLACE]
    assert desk.get("refused/export", status=404, year=2019)["code"] == "no_refused_rows"


@pytest.fixture
def disputed(desk: Asking) -> str:
    """An enterprise whose employees two departments state differently; the merge's tables say so."""
    folder = sorted(desk.warehouse.merged.glob("2024-*"))[-1]
    facts = pl.read_parquet(folder / "facts.parquet")
    mine = facts.filter(field="employees", source="statistics").row(0, named=True)
    here = (pl.col("enterprise_id") == mine["enterprise_id"]) & (pl.col("field") == "employees")
    changed = facts.with_columns(
        how=pl.when(here).then(pl.lit("disputed")).otherwise("how"), spread=pl.when(here).then(30).otherwise("spread")
    )
    claims = pl.read_parquet(folder / "claims.parquet")
    other = claims.filter(here).head(1).with_columns(source=pl.lit("hr"), value=pl.col("value") - 30)
    kept = claims.filter(~here | (pl.col("source") == "statistics"))
    changed.write_parquet(folder / "facts.parquet")
    pl.concat([kept, other]).write_parquet(folder / "claims.parquet")
    found: str = mine["enterprise_id"]
    return found


def test_a_disputed_figure_says_who_says_what_and_why_one_was_taken(desk: Asking, disputed: str) -> None:
    told = desk.get("disputes/facts", field="employees")
    (one,) = [d for d in told["disputes"] if d["enterprise_id"] == disputed]
    assert (
        (one["source_taken"], one["trust"]) == ("statistics", ["statistics", "hr"]) and one["title"] and one["title_en"]
    )
    said = {c["source"]: c["value"] for c in one["claims"]}
    assert said["statistics"] - said["hr"] == 30 and one["value_taken"] == said["statistics"]
    assert told["total"] == len(disputes.nested(disputes.disputes(desk.warehouse, None, "employees")))
    assert desk.get("disputes/facts", status=400, field="shoe_size")["parameter"] == "field"


def test_land_findings_with_both_areas_and_the_parcel(desk: Asking) -> None:
    told = desk.get("disputes/land", reason="area_dispute", limit=1000)
    assert told["total"] > 0
    for one in told["findings"]:
        assert abs(one["declared_mu"] - one["drawn_mu"]) * 200_000 / 3 == pytest.approx(one["value"])
    code = told["findings"][0]["parcel_code"]
    parcel = desk.get(f"disputes/land/{code}")
    assert parcel["feature"]["geometry"]["type"] in ("Polygon", "MultiPolygon") and parcel["findings"]
    assert parcel["drawn_mu"] == told["findings"][0]["drawn_mu"]
    assert desk.get("disputes/land/nothing", status=404)["code"] == "unknown_parcel"


def test_land_findings_are_those_that_ask_for_a_person(desk: Asking) -> None:
    told = desk.get("disputes/land", year=2024, limit=10000)
    folder = sorted(desk.warehouse.merged.glob("2024-*"))[-1]
    held = pl.read_parquet(folder / "findings.parquet").filter(pl.col("kind").is_in(REVIEW))
    assert told["counts"]["kind"] == dict(held.group_by("kind").len().iter_rows())


def test_corrections_are_listed(desk: Asking) -> None:
    assert desk.get("disputes/corrections") == {"corrections": []}


def test_status_is_what_the_command_says(desk: Asking) -> None:
    told, theirs = desk.get("status", year=2024), overview.status(desk.warehouse, 2024)
    assert [(c["source"], c["kept"], c["refused"], c["holes"]) for c in told["coverage"]] == [
        (c["source"], c["kept"], c["refused"], c["holes"]) for c in theirs["coverage"]
    ]
    power = next(c for c in told["coverage"] if c["source"] == "power")
    assert [n > 0 for n in power["counties_by_month"]] == [m in power["months_held"] for m in range(1, 13)]
    assert told["review"]["refused_open"] == theirs["refused_open"]


def test_a_decision_outdates_the_merge_until_it_is_taken_back(desk: Asking) -> None:
    def since() -> int:
        return next(m["decisions_since"] for m in desk.get("status", year=2024)["merges"] if m["year"] == 2024)  # type: ignore[no-any-return]

    item = desk.get("review", kind="unlinked", limit=1)["items"][0]
    before = since()
    desk.post(f"review/{item['id']}", {"verdict": "reject"})
    assert since() == before + 1
    desk.post(f"review/{item['id']}", {"verdict": "reopen"})
    assert since() == before


def test_a_file_that_the_merge_does_not_know_makes_it_stale(desk: Asking) -> None:
    def stale() -> dict[str, object]:
        return next(m for m in desk.get("status", year=2024)["merges"] if m["year"] == 2024)  # type: ignore[no-any-return]

    assert not stale()["stale"]
    with desk.warehouse.connect() as db:
        loads = db.execute("SELECT loads FROM merges WHERE year = 2024").fetchone()["loads"]
        db.execute("UPDATE merges SET loads = ? WHERE year = 2024", (json.dumps(json.loads(loads)[1:]),))
    try:
        assert stale()["stale"] and "permu merge --year 2024" in str(stale()["why_en"])
    finally:
        with desk.warehouse.connect() as db:
            db.execute("UPDATE merges SET loads = ? WHERE year = 2024", (loads,))


def test_without_a_warehouse_it_says_what_to_do(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from api.app import create_app

    client = TestClient(create_app(Warehouse(tmp_path / "none")), base_url="http://127.0.0.1")
    answer = client.get("/api/v1/desk/review")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_warehouse")
