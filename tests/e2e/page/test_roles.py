"""Map and rankings as each role sees them: what the API keeps back the page neither shows nor trips over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.states import change_state
from tests.e2e.page.conftest import Visit, serving
from tests.e2e.page.offices import Offices, peopled
from tests.e2e.page.test_map import colours, legend

# role → what its navigation names beside the map and the rankings
NAVIGATION = {
    "land_bureau": {"政策试算", "工作台"},
    "regulator": {"政策试算", "工作台"},
    "gis": set(),
    "public": set(),
}
FIGURES = "亩均产出"


@pytest.fixture(scope="module")
def offices(
    demo_folder: Path, tmp_path_factory: pytest.TempPathFactory, checkout: Path, built: Path
) -> Iterator[Offices]:
    home, keys = peopled(demo_folder / "warehouse", tmp_path_factory.mktemp("roles") / "home")
    for release in home.releases.iterdir():
        change_state(home, release.name, "public", "the public sees no drafts")
    for base in serving(home.home, checkout):
        yield Offices(base, keys, home)


@pytest.mark.parametrize("role", NAVIGATION)
def test_the_map_by_role(visit: Visit, offices: Offices, role: str) -> None:
    window = visit("/?policy=huaian-2024", **offices.signed_in(role))
    assert colours(window) > 8 and window.axe() == []
    named = set(window.page.locator("nav a").all_inner_texts())
    assert named & {"政策试算", "工作台"} == NAVIGATION[role]
    choices = window.page.locator(".map-controls").inner_text()
    assert (FIGURES in choices) == (role in ("land_bureau", "regulator"))
    assert "等级" in choices
    asked = " ".join(window.requests)
    assert ("/layers/parcels.pmtiles" in asked) == (role != "public")


def test_the_public_sees_grades_of_enterprises_as_points(visit: Visit, offices: Offices) -> None:
    window = visit("/?policy=huaian-2024&at=31.6,120,10.2,0,0", **offices.signed_in("public"))
    assert "A 优先发展" in legend(window) and colours(window) > 3


@pytest.mark.parametrize("role", NAVIGATION)
def test_the_rankings_by_role(visit: Visit, offices: Offices, role: str) -> None:
    window = visit("/?view=rankings&policy=huaian-2024", **offices.signed_in(role))
    assert window.page.locator(".tabulator-row a").count() > 5 and window.axe() == []
    shown = window.page.locator(".rankings-view .toolbar").first.inner_text()
    assert ("XLSX" in shown) == (role != "public")
    assert ("末位 5%" in shown) == (role == "regulator")


def test_nobody_signed_in_is_led_to_the_form_and_back(visit: Visit, offices: Offices) -> None:
    window = visit("/?view=rankings", **offices.signed_in("gis"))
    stranger = window.context.browser.new_page() if window.context.browser else None
    assert stranger
    stranger.goto(offices.base + "/?view=rankings&policy=huaian-2024")
    assert stranger.url.startswith(offices.base + "/login?next=")
    stranger.get_by_label("用户名").fill("a-regulator")
    stranger.get_by_label("密钥").fill(offices.keys["regulator"])
    stranger.get_by_role("button", name="登录").click()
    stranger.wait_for_selector("main [data-ready=true]", state="attached")
    assert "view=rankings&policy=huaian-2024" in stranger.url
    assert "监管部门" in stranger.locator("header.bar").inner_text()
    stranger.get_by_role("button", name="退出").click()
    assert "/login" in stranger.url
    stranger.close()
