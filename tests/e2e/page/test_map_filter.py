"""The map's filter against the rankings': for every question the parcels in full colour are those whose main user is listed."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.page.conftest import Visit
from tests.e2e.page.test_map import legend

POLICY = {"policy": "huaian-2024"}
_BUNDLE = """
import { asksFor } from "./web/views/map/style";
import { createExpression } from "@maplibre/maplibre-gl-style-spec";
export function chosen(asked, ids, features) {
  const made = createExpression(asksFor(asked, ids), "filter");
  if (made.result !== "success") throw new Error(JSON.stringify(made.value));
  return features.map((properties) => made.value.evaluate({ zoom: 12 }, { type: 3, properties }) === true);
}
"""
Chosen = Callable[[dict[str, str], list[str] | None, list[dict[str, Any]]], list[bool]]


@pytest.fixture(scope="module")
def chosen(browser: Browser, checkout: Path, built: Path) -> Iterator[Chosen]:
    """The page's own expression, evaluated by MapLibre's own code."""
    esbuild = next((checkout / "node_modules" / "@esbuild").glob("*/bin/esbuild"))
    words = [str(esbuild), "--bundle", "--format=iife", "--global-name=m", "--loader=ts", "--jsx=automatic"]
    words.append("--jsx-import-source=preact")
    code = subprocess.run(words, input=_BUNDLE, cwd=checkout, capture_output=True, check=True, text=True).stdout
    page = browser.new_page()
    page.add_script_tag(content=code)
    yield lambda asked, ids, features: page.evaluate("([a, i, f]) => m.chosen(a, i, f)", [asked, ids, features])
    page.close()


def answer(server: str, path: str, **asked: str) -> Any:
    with urllib.request.urlopen(f"{server}{path}?{urllib.parse.urlencode({**POLICY, **asked})}") as found:
        return json.load(found)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"industry": "C"},
        {"industry": "D"},
        {"industry": "A"},
        {"industry": "26"},
        {"industry": "345"},
        {"industry": "3990"},
        {"region": "3205"},
        {"region": "320500"},
        {"region": "320583"},
        {"region": "320583100"},
        {"region": "ZONE"},
        {"size": "small"},
        {"group": "above_scale"},
        {"group": "below_scale"},
        {"group": "land_3mu_up"},
        {"group": "land_below_3mu"},
        {"grade": "B"},
        {"grade": "T"},
        {"q": "示例"},
        {"q": "91", "size": "small"},
        {"q": "nobody at all"},
        {"region": "3205", "size": "small", "group": "below_scale", "grade": "C"},
    ],
    ids=lambda asked: "+".join(f"{k}={v}" for k, v in asked.items()) or "all",
)
def test_the_map_marks_whom_the_table_lists(server: str, chosen: Chosen, asked: dict[str, str]) -> None:
    zones = [r["code"] for r in answer(server, "/api/v1/regions")["regions"] if r["level"] == "zone"]
    asked = {k: zones[0] if v == "ZONE" else v for k, v in asked.items()}
    parcels = [f["properties"] for f in answer(server, "/layers/parcels.geojson")["features"]]
    listed = answer(server, "/api/v1/rankings/ids", **asked)
    assert listed["total"] == len(listed["ids"]) == answer(server, "/api/v1/rankings", **asked, limit="1")["total"]
    named = listed["ids"] if "q" in asked or asked.get("region") in zones else None
    marked = chosen(asked, named, parcels)
    used = [p for p, is_marked in zip(parcels, marked, strict=True) if is_marked and p["enterprise_id"]]
    main = {p["enterprise_id"] for p in parcels if p["enterprise_id"]}
    assert {p["enterprise_id"] for p in used} == main & set(listed["ids"])
    if asked:
        assert len(used) == sum(marked)  # land that nobody uses is outside every question


def test_a_zone_and_a_search_reach_the_map(visit: Visit, server: str) -> None:
    zone = next(r["code"] for r in answer(server, "/api/v1/regions")["regions"] if r["level"] == "zone")
    for question in (f"region={zone}", "q=%E7%A4%BA%E4%BE%8B"):
        window = visit(f"/?policy=huaian-2024&{question}&at=31.3,120.7,11,0,0")
        assert any("/api/v1/rankings/ids?" in u for u in window.requests)
        assert "主要使用企业不在筛选之内" in legend(window)


def test_the_map_says_where_a_search_finds_more_than_it_marks(visit: Visit, server: str) -> None:
    window = visit("/?policy=huaian-2024&at=31.3,120.7,11,0,0")
    known = answer(server, "/api/v1/rankings/ids", q="示例")["ids"][:2]
    told = json.dumps({"total": 123_456, "ids": known})
    window.page.route("**/rankings/ids?**", lambda route: route.fulfill(body=told, content_type="application/json"))
    window.page.get_by_label("查找企业").fill("示例")
    window.until(
        "document.querySelector('.legend-box').innerText.includes('共查到 123,456 家企业，地图只标出排在最前的 2 家')"
    )


def test_regions_are_of_the_rows_that_are_asked(visit: Visit) -> None:
    window = visit("/?policy=huaian-2024&grade=D&q=%E7%A4%BA%E4%BE%8B")
    asked = [urllib.parse.unquote(u) for u in window.requests if "group_by=region_" in u]
    assert asked and all("grade=D" in u and "q=示例" in u for u in asked)
