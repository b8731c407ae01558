"""The overview in a real browser: what it shows is what the API says; pictures, numbers and tables for every figure."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.e2e.page.conftest import Visit
from tests.e2e.page.visitor import Visitor

FIGURES = ["groups-industry", "distribution", "concentration", "quadrant", "movement", "heat", "targets"]
DRAWN = [f for f in FIGURES if f != "targets"]


def answer(server: str, path: str) -> Any:
    with urllib.request.urlopen(f"{server}/api/v1/{path}") as found:
        return json.load(found)


def rows_of(page: Page, figure: str) -> list[list[str]]:
    """The table behind a figure, opened as a reader would."""
    box = page.locator(f"[data-figure={figure}]")
    box.locator("summary").click()
    box.locator("tbody tr").first.wait_for()
    return [row.locator("td").all_inner_texts() for row in box.locator("tbody tr").all()]


def numbers_of(page: Page, figure: str) -> list[list[str]]:
    """The CSV of a figure: its origin, its heads, its rows."""
    with page.expect_download() as caught:
        page.locator(f"[data-figure={figure}] footer button").last.click()
    text = Path(caught.value.path()).read_text("utf-8")
    assert text.startswith("\ufeff# permu")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    ("address", "heading", "title"),
    [
        ("/?view=overview", "2024 年总览", "产出与效益"),
        ("/?view=overview&lang=en", "Overview of 2024", "Output against benefit"),
    ],
)
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_every_figure_is_there_and_accessible(visit: Visit, address: str, heading: str, title: str, size: str) -> None:
    visitor = visit(address, size)
    page = visitor.page
    assert page.locator("h1").inner_text() == heading
    assert page.locator("[data-figure]").evaluate_all("boxes => boxes.map(b => b.dataset.figure)") == FIGURES
    assert page.get_by_role("heading", name=title).is_visible()
    assert page.locator(".chart canvas").count() == 5 and visitor.overflow() <= 0
    assert visitor.axe() == []


def test_cards_are_the_sums_of_the_group(visit: Visit, server: str) -> None:
    page = visit("/?view=overview&region=3205").page
    group = answer(server, "summary?region=3205")["groups"][0]
    shown = [b.split()[0].replace(",", "") for b in page.locator(".card b").all_inner_texts()]
    assert shown[:4] == [str(round(group[n])) for n in ("enterprises", "land_mu", "output_wan_yuan", "tax_wan_yuan")]
    assert float(shown[4]) == pytest.approx(group["metrics"]["output_per_mu"]["ratio"], abs=0.006)


def test_table_of_a_figure_is_the_answer(visit: Visit, server: str) -> None:
    page = visit("/?view=overview").page
    counts = [int(row[2].replace(",", "")) for row in rows_of(page, "distribution")]
    assert counts == answer(server, "overview/distribution?by=output_per_mu")["counts"]
    links = answer(server, "overview/movement")["links"]
    assert [int(row[2].replace(",", "")) for row in rows_of(page, "movement")] == [x["count"] for x in links]


def test_numbers_and_picture_of_every_figure(visit: Visit) -> None:
    page = visit("/?view=overview&lang=en").page
    for figure in FIGURES:
        origin, heads, *rows = numbers_of(page, figure)
        assert "2024" in origin[0] and "Synthetic" in origin[0]
        assert rows and {len(row) for row in rows} == {len(heads)}, figure
    for figure in DRAWN:
        with page.expect_download() as caught:
            page.locator(f"[data-figure={figure}] footer button").first.click()
        picture = Image.open(caught.value.path())
        assert picture.format == "PNG" and picture.width >= 1000
        shown = picture.convert("RGB")
        assert len(shown.getcolors(2**24) or []) > 20 and shown.getpixel((0, 0)) == (255, 255, 255), figure


def test_the_dimension_stands_in_the_address(visit: Visit) -> None:
    visitor: Visitor = visit("/?view=overview")
    page = visitor.page
    page.get_by_role("button", name="规模", exact=True).click()
    visitor.until("document.querySelector('[data-figure=groups-size]') !== null")
    assert visitor.address == "/?view=overview&dim=size"
    page.reload()
    visitor.ready()
    assert page.locator("[data-figure=groups-size]").count() == 1


def test_targets_without_base_figures_and_links_of_the_heat_table(visit: Visit) -> None:
    page = visit("/?view=overview&size=small").page
    told = page.locator("[data-figure=targets]").inner_text()
    assert "缺 2015 年基数" in told and "targets.yaml" in told
    href = page.locator("[data-figure=heat] tbody th a").first.get_attribute("href") or ""
    assert "view=rankings" in href and "size=small" in href


def test_a_first_year_has_no_movement(visit: Visit) -> None:
    page = visit("/?view=overview&policy=huaian-2024&lang=en").page
    assert "no release of the year before" in page.locator("[data-figure=movement]").inner_text()
    assert "simple mean" in page.locator("[data-figure=groups-industry]").inner_text()  # a score has no Σ ÷ Σ
