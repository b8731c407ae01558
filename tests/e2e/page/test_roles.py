"""The six views as each role sees them, in both languages: what the API keeps back the page neither shows nor trips over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.states import change_state
from tests.e2e.page.conftest import Visit, serving
from tests.e2e.page.offices import Offices, peopled, someone
from tests.e2e.page.test_map import colours, legend
from tests.e2e.page.visitor import Visitor

VIEWS = {
    "map": "/?policy=huaian-2024",
    "overview": "/?view=overview&policy=huaian-2024",
    "rankings": "/?view=rankings&policy=huaian-2024",
    "portrait": "/?view=portrait&policy=huaian-2024&enterprise={someone}",
    "whatif": "/?view=whatif&policy=huaian-2024",
    "desk": "/?view=desk",
}
# What a view holds where its role may see it.
HOLDS = {
    "map": ".legend-box .legend li", "overview": "[data-figure]", "rankings": ".tabulator-row a",
    "portrait": "section.part", "whatif": ".whatif-matrix", "desk": ".desk-tabs a",
}  # fmt: skip
OFFICERS = ("administrator", "land_bureau", "regulator")
ROLES = (*OFFICERS, "gis", "enterprise", "public")
REFUSED = {"zh": "您的角色不能查看本页", "en": "Your role may not see this view"}
FIGURES = {"zh": "亩均产出", "en": "Output per mu"}
# Words of the page itself: everything else may be a name, which stays as it is.
OWN_WORDS = "nav a, label, .rankings-view .toolbar, .portrait th[scope=col], .whatif-matrix th, .legend-title, .choices, .cards dt"
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def offices(
    demo_folder: Path, tmp_path_factory: pytest.TempPathFactory, checkout: Path, built: Path
) -> Iterator[Offices]:
    home, keys = peopled(demo_folder / "warehouse", tmp_path_factory.mktemp("roles") / "home")
    for release in home.releases.iterdir():
        change_state(home, release.name, "public", "the public sees no drafts")
    for base in serving(home.home, checkout):
        yield Offices(base, keys, home)


@pytest.mark.parametrize("role", ROLES)
def test_the_six_views_by_role(visit: Visit, offices: Offices, role: str) -> None:
    """One window goes through all views, each in Chinese and then, by the switch, in English; what a role may not see is
    refused in words, in its language."""
    # the administrator is whoever sits at a server without users
    signed = {} if role == "administrator" else offices.signed_in(role)
    window = visit("", until_ready=False, **signed)
    for view, path in VIEWS.items():
        before = len(window.requests)
        window.open(path.format(someone=someone(offices.warehouse)))
        if view == "map":
            assert colours(window) > 8
            assert any("/layers/parcels.pmtiles" in asked for asked in window.requests[before:]) == (role != "public")
        assert window.page.locator("html").get_attribute("lang") == "zh-CN"
        _seen(window, view, role, "zh")
        if role in ("enterprise", "public"):  # what officers see the tests of each view look at
            assert window.axe() == [], view
        window.page.locator("a.switch").click()
        window.until("document.documentElement.lang === 'en'")
        window.ready()
        _without_chinese(window, view)
        _seen(window, view, role, "en")


def _without_chinese(window: Visitor, view: str) -> None:
    left: list[str] = []
    for _ in range(100):  # words that come with an answer come after it
        left = [w for w in window.page.locator(OWN_WORDS).all_inner_texts() if CHINESE.search(w)]
        if not left:
            return
        window.page.wait_for_timeout(50)
    raise AssertionError((view, left))


def _seen(window: Visitor, view: str, role: str, lang: str) -> None:
    """What a view holds for a role, and what differs by role within it."""
    page = window.page
    if view in ("whatif", "desk") and role not in OFFICERS:
        assert REFUSED[lang] in page.locator("main [role=alert]").inner_text()
        return
    page.locator(HOLDS[view]).first.wait_for(state="attached")
    if view == "map":
        assert page.locator("nav a").count() == (5 if role in OFFICERS else 3)
        assert (FIGURES[lang] in page.locator(".map-controls").inner_text()) == (role in (*OFFICERS, "enterprise"))
    elif view == "rankings":
        rows = page.locator(".tabulator-row a").count()
        assert rows == 1 if role == "enterprise" else rows > 5
        shown = page.locator(".rankings-view .toolbar").first.inner_text()
        assert ("XLSX" in shown) == (role != "public")
        assert (("末位 5%" if lang == "zh" else "Bottom 5 %") in shown) == (role in ("administrator", "regulator"))
    elif view == "portrait":
        sheet = page.locator("a[href*=checkup]").count()
        assert (sheet > 0) == (role in (*OFFICERS, "enterprise"))
    elif view == "desk":
        assert page.locator(".desk-tabs a").count() == (2 if role == "regulator" else 5)


def test_the_public_sees_grades_of_enterprises_as_points(visit: Visit, offices: Offices) -> None:
    window = visit("/?policy=huaian-2024&at=31.6,120,10.2,0,0", **offices.signed_in("public"))
    assert "A 优先发展" in legend(window) and colours(window) > 3


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
