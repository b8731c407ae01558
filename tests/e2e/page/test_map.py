"""The map: what is drawn, what the pointer and the keyboard reach, what the address holds, pictures of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from pyproj import Transformer

from tests.e2e.page.conftest import Visit
from tests.e2e.page.visitor import Visitor

AXE_OUTSIDE = (".maplibregl-canvas",)


def colours(visitor: Visitor) -> int:
    """How many colours the drawing holds: one is an empty canvas."""
    picture = visitor.page.locator(".map-box").screenshot()
    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 20) or [])


def legend(visitor: Visitor) -> str:
    return visitor.page.locator(".legend-box").inner_text()


@pytest.mark.parametrize("lang", ["", "&lang=en"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_the_map_is_drawn_and_accessible(visit: Visit, size: str, lang: str) -> None:
    visitor = visit(f"/?policy=huaian-2024{lang}", size)
    assert colours(visitor) > 8
    assert visitor.axe() == [] and visitor.overflow() <= 0
    assert ("no data" if lang else "无数据") in legend(visitor)


def test_colours_bands_and_height_are_in_the_address(visit: Visit) -> None:
    visitor = visit("/?at=31.9,119.95,11.5,0,0")
    page = visitor.page
    page.get_by_role("button", name="亩均效益").click()
    page.get_by_role("button", name="整数档").click()
    page.get_by_role("button", name="3D").click()
    visitor.until("location.search.includes('d3=1') && /at=[^&]*,55(&|$)/.test(location.search)")
    assert "by=benefit_per_mu" in visitor.address and "bands=fixed" in visitor.address
    assert "万元/亩" in legend(visitor) and "米" in legend(visitor)
    again = visit(visitor.address)
    assert legend(again) == legend(visitor)
    assert again.page.get_by_role("button", name="3D").get_attribute("aria-pressed") == "true"


def test_filters_shared_with_the_list_and_the_table(visit: Visit) -> None:
    visitor = visit("/?region=3205&order=worst")
    whole = visitor.page.locator(".best").inner_text()
    assert "3205" in visitor.page.get_by_label("地区").input_value() and "后 10" in whole
    visitor.page.get_by_role("link", name="查看全部排名").click()
    visitor.ready()
    assert "region=3205" in visitor.address and "order=worst" in visitor.address


def test_search_finds_on_the_map_and_leads_to_the_portrait(visit: Visit) -> None:
    visitor = visit("/")
    name = visitor.page.locator(".best li a").first.inner_text()
    visitor.page.get_by_label("查找企业").fill(name)
    visitor.until("location.search.includes('q=') && /at=[^,]+,[^,]+,14/.test(location.search)")
    visitor.page.locator(".best li a").first.click()
    visitor.until("location.search.startsWith('?view=portrait&')")


def test_a_parcel_under_the_pointer_says_what_it_is_and_leads_to_its_user(visit: Visit) -> None:
    visitor = visit("/")
    visitor.page.locator(".best li button").first.click()
    visitor.until("/at=[^,]+,[^,]+,14/.test(location.search)")
    visitor.page.wait_for_timeout(500)
    box = visitor.page.locator(".map-box").bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.page.mouse.move(*middle)
    card = visitor.page.locator(".map-card").inner_text()
    assert "亩均产出" in card and "万元/亩" in card
    assert "EPSG:4549" in visitor.page.locator(".map-coordinates").inner_text()
    visitor.page.mouse.click(*middle)
    visitor.until("location.search.startsWith('?view=portrait&')")


def test_coordinates_in_metres_agree_with_proj(visit: Visit) -> None:
    """An outside judge: PROJ's EPSG:4549 at the corners and the middle of the zone, within a millimetre."""
    visitor = visit("/")
    judge = Transformer.from_crs(4490, 4549, always_xy=True)
    module = next(u for u in visitor.requests if "/static/app/" in u)
    assert module
    visitor.page.mouse.move(800, 450)
    shown = visitor.page.locator(".map-coordinates").inner_text()
    degrees, _, metres = shown.partition(" · EPSG:4549 ")
    lon, lat = (float(x.rstrip("°EN")) for x in degrees.removeprefix("CGCS2000 ").split())
    east, north = (float(x) for x in metres.replace("E ", "").replace("N ", "").replace("m", "").split())
    expected = judge.transform(lon, lat)
    # five decimals of a degree are about a metre
    assert abs(east - expected[0]) < 0.7 and abs(north - expected[1]) < 0.7


def test_picture_of_the_map_holds_title_legend_and_origin(visit: Visit, tmp_path: Path) -> None:
    visitor = visit("/?policy=huaian-2024")
    with visitor.page.expect_download() as got:
        visitor.page.get_by_role("button", name="图片 PNG").click()
    picture = Image.open(got.value.path())
    box = visitor.page.locator(".map-box").bounding_box()
    assert box and abs(picture.width - box["width"]) < 1 and picture.height > box["height"] + 60
    assert got.value.suggested_filename.endswith(".png")
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 30


def test_the_keyboard_moves_the_map_and_reaches_the_list(visit: Visit) -> None:
    visitor = visit("/?at=31.9,119.95,11.5,0,0")
    visitor.page.locator(".maplibregl-canvas").focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.until("!location.search.includes('119.95')")
    visitor.page.locator(".best li a").first.focus()
    visitor.page.keyboard.press("Enter")
    visitor.until("location.search.startsWith('?view=portrait&')")
