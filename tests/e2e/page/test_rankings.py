"""The rankings: the table against the API, its address, its files, its keyboard."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.e2e.page.conftest import Visit
from tests.e2e.page.visitor import Visitor


def asked(visitor: Visitor, path: str) -> Any:
    return json.load(urllib.request.urlopen(visitor.base + path))


def column(visitor: Visitor, name: str) -> list[str]:
    found: list[str] = visitor.page.locator(f".tabulator-cell[tabulator-field={name}]").all_inner_texts()
    return found


@pytest.mark.parametrize("lang", ["", "&lang=en"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_the_table_is_accessible_in_both_languages(visit: Visit, size: str, lang: str) -> None:
    visitor = visit(f"/?view=rankings&policy=huaian-2024{lang}", size)
    assert visitor.axe() == [] and visitor.overflow() <= 0
    heads = visitor.page.locator(".tabulator-header").inner_text()
    assert ("10,000 yuan per mu" if lang else "万元/亩") in heads


def test_rows_are_those_of_the_api_with_last_years_movement(visit: Visit) -> None:
    visitor = visit("/?view=rankings&region=3205&size=small&by=benefit_per_mu&order=worst")
    query = "region=3205&size=small&by=benefit_per_mu&order=worst"
    rows = asked(visitor, f"/api/v1/rankings?{query}&limit=5")["rows"]
    before = asked(visitor, f"/api/v1/rankings/places?{query}&limit=5")["places"]
    assert column(visitor, "name")[:5] == [r["name"] for r in rows]
    assert column(visitor, "rank")[0].replace(",", "") == f"{rows[0]['rank']} / {rows[0]['of']}"
    visitor.until("document.querySelector('.tabulator-cell[tabulator-field=moved]').innerText !== ''")
    for row, shown in zip(rows, column(visitor, "moved"), strict=False):
        up = before[row["enterprise_id"]]["rank"] - row["rank"] if row["enterprise_id"] in before else None
        assert shown == ("新" if up is None else "＝" if up == 0 else f"{'▲' if up > 0 else '▼'} {abs(up)}")


def test_scrolling_brings_every_row_once(visit: Visit) -> None:
    visitor = visit("/?view=rankings&size=small&cols=size")
    total = asked(visitor, "/api/v1/rankings?size=small&limit=1")["total"]
    seen: dict[str, None] = {}
    for _ in range(60):
        seen |= dict.fromkeys(column(visitor, "rank") and visitor.page.locator(".tabulator-row a").all_inner_texts())
        if len(seen) >= total:
            break
        visitor.page.evaluate("document.querySelector('.tabulator-tableholder').scrollBy(0, 400)")
        visitor.page.wait_for_timeout(60)
    pages = [u for u in visitor.requests if "/api/v1/rankings?" in u]
    assert len(pages) == -(-total // 50) and all("cursor=" in u for u in pages[1:])
    rows = asked(visitor, "/api/v1/rankings?size=small&limit=1000")["rows"]
    assert set(seen) == {r["name"] for r in rows}


def test_columns_are_chosen_and_kept_in_the_address(visit: Visit) -> None:
    visitor = visit("/?view=rankings")
    page = visitor.page
    page.get_by_role("button", name="选择列").click()
    page.get_by_role("checkbox", name="统一社会信用代码").check()
    page.get_by_role("checkbox", name="税收 万元").uncheck()
    page.keyboard.press("Escape")
    visitor.ready()
    heads = page.locator(".tabulator-col-title").all_inner_texts()
    assert any(h.startswith("统一社会信用代码") for h in heads) and not any(h.startswith("税收\n") for h in heads)
    again = visit(visitor.address)
    assert again.page.locator(".tabulator-col-title").all_inner_texts() == heads


def test_files_carry_the_same_question(visit: Visit, tmp_path: Path) -> None:
    visitor = visit("/?view=rankings&region=3205&size=small&by=benefit_per_mu&order=worst")
    page, rows = (
        visitor.page,
        asked(visitor, "/api/v1/rankings?region=3205&size=small&by=benefit_per_mu&order=worst&limit=1000")["rows"],
    )
    with page.expect_download() as got:
        page.get_by_role("link", name="XLSX").first.click()
    got.value.save_as(tmp_path / "ranking.xlsx")
    sheet = load_workbook(tmp_path / "ranking.xlsx", read_only=True).worksheets[0]
    assert {r["name"] for r in rows} <= {c for line in sheet.iter_rows(values_only=True) for c in line}
    with page.expect_download() as got:
        page.get_by_role("link", name="CSV").first.click()
    text = io.StringIO(got.value.path().read_text("utf-8-sig"))
    named = {cell for line in csv.reader(text) for cell in line}
    assert {r["name"] for r in rows} <= named
    with page.expect_download() as got:
        page.get_by_role("button", name="GeoJSON").click()
    features = json.loads(got.value.path().read_text("utf-8"))["features"]
    assert sorted(f["properties"]["name"] for f in features) == sorted(r["name"] for r in rows)


def test_no_value_is_a_dash_and_stands_last(visit: Visit) -> None:
    visitor = visit("/?view=rankings&order=worst&q=示例")
    total = asked(visitor, "/api/v1/rankings?limit=1")
    assert total["of"] < total["total"]
    assert column(visitor, "rank")[0] != "–"
    assert "无数据" in visitor.page.locator(".ranking-box").inner_html() or total["of"] > 50


def test_the_keyboard_reaches_a_row(visit: Visit) -> None:
    visitor = visit("/?view=rankings")
    visitor.page.locator(".tabulator-row a").first.focus()
    visitor.page.keyboard.press("Enter")
    visitor.until("location.search.startsWith('?view=portrait&')")
