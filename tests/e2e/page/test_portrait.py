"""The portrait in a real browser: row, facts, standing, explanation, land and years of one enterprise; printable."""

from __future__ import annotations

import io
import json
import unicodedata
import urllib.request
from typing import Any

import pypdf
import pytest

from tests.e2e.page.conftest import Visit


def answer(server: str, path: str) -> Any:
    with urllib.request.urlopen(f"{server}/api/v1/{path}") as found:
        return json.load(found)


@pytest.fixture(scope="module")
def graded(server: str) -> dict[str, Any]:
    """The best enterprise of grade B: it has a next grade."""
    row: dict[str, Any] = answer(server, "rankings?policy=huaian-2024&grade=B&limit=1")["rows"][0]
    return row


def at(row: dict[str, Any], **more: str) -> str:
    asked = {"view": "portrait", "enterprise": row["enterprise_id"], "policy": "huaian-2024", **more}
    return "/?" + "&".join(f"{k}={v}" for k, v in asked.items())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_every_part_is_there_and_accessible(visit: Visit, graded: dict[str, Any], lang: str, size: str) -> None:
    visitor = visit(at(graded, lang=lang), size)
    page = visitor.page
    assert (
        page.locator("h1").inner_text().split()[0] == graded["name"]
        and graded["uscc"] in page.locator("main").inner_text()
    )
    parts = page.locator("section.part").evaluate_all("parts => parts.map(p => p.className.split('part-')[1])")
    assert parts == ["next", "years", "standing", "land", "issues", "facts", "story"]
    assert visitor.overflow() <= 0
    for details in page.locator("details").all():
        if details.get_attribute("open") is None:
            details.locator("summary").click()
    assert visitor.axe() == []


def test_figures_are_those_of_the_api(visit: Visit, server: str, graded: dict[str, Any]) -> None:
    page = visit(at(graded)).page
    own = f"enterprises/{graded['enterprise_id']}"
    story = answer(server, f"{own}/explain?policy=huaian-2024")["steps"]
    assert page.locator(".part-story li").count() == sum(s["kind"] != "next" for s in story)
    assert page.locator(".part-next li").count() == sum(s["kind"] == "next" for s in story) > 0
    facts = answer(server, f"{own}/facts")
    assert page.locator(".part-facts tbody tr").count() == len(facts["facts"])
    place = graded["ranks"]["score"]["all"]
    assert f"{place['rank']} / {place['of']}" in page.locator(".part-standing").inner_text().replace(",", "")
    parcels = answer(server, f"{own}/parcels?policy=huaian-2024")["features"]
    assert page.locator(".part-land tbody tr").count() == len(parcels)
    drawn = [p["geometry"]["coordinates"][0][0] for p in parcels if p["geometry"]]
    lon, lat = drawn[0]
    assert f"at={lat:.5f},{lon:.5f},15" in (page.get_by_role("link", name="在地图中查看").get_attribute("href") or "")
    assert page.locator(".plan g > circle").count() == sum(p["geometry"] is not None for p in parcels)


def test_years_lead_to_their_portraits(visit: Visit, graded: dict[str, Any]) -> None:
    visitor = visit(at(graded))
    visitor.page.locator(".part-years a").first.click()
    visitor.ready()
    assert "year=" in visitor.address and graded["enterprise_id"] in visitor.address


def test_the_check_up_sheet_is_linked(visit: Visit, server: str, graded: dict[str, Any]) -> None:
    page = visit(at(graded)).page
    href = page.get_by_role("link", name="体检表 PDF").get_attribute("href") or ""
    with urllib.request.urlopen(server + href) as found:
        assert found.headers["content-type"] == "application/pdf" and found.read(5) == b"%PDF-"


def test_it_prints_without_the_frame(visit: Visit, graded: dict[str, Any]) -> None:
    page = visit(at(graded, lang="en")).page
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = unicodedata.normalize("NFKC", "".join(p.extract_text() for p in printed.pages))
    assert graded["uscc"] in text and "What the next grade takes" in text and "Facts from the departments" in text
    assert not any(word in text for word in ("中文", "Filters", "Print", "How the result came about"))


def test_an_enterprise_that_is_not_there(visit: Visit) -> None:
    page = visit("/?view=portrait&lang=en").page
    assert page.locator("h1").inner_text() == "Choose an enterprise first"
