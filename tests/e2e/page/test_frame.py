"""The frame of the page: languages, navigation, addresses, errors, what is loaded and how large it is."""

from __future__ import annotations

import gzip
import html
import re
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.page.conftest import Visit

KB = 1024
FIRST_KB, ALL_KB = 600, 1200


def _keys(file: Path) -> set[str]:
    return set(re.findall(r"^  (\w+):", file.read_text("utf-8"), re.MULTILINE))


def test_both_dictionaries_hold_the_same_words(checkout: Path) -> None:
    chinese, english = (_keys(checkout / "web" / "words" / f"{lang}.ts") for lang in ("zh", "en"))
    assert len(chinese) > 60 and chinese == english


def test_sizes_of_the_built_files(built: Path) -> None:
    size = {f.name: len(gzip.compress(f.read_bytes(), 9)) for f in built.iterdir() if f.suffix in (".js", ".css")}
    assert sum(size.values()) <= ALL_KB * KB, size


def test_first_view_loads_little_and_no_charts(visit: Visit, built: Path) -> None:
    visitor = visit("/")
    names = {u.rsplit("/", 1)[1] for u in visitor.requests if "/static/app/" in u}
    size = {n: len(gzip.compress((built / n).read_bytes(), 9)) for n in names}
    assert sum(size.values()) <= FIRST_KB * KB, size
    sent = visitor.page.evaluate("performance.getEntriesByType('resource').map(r => [r.name, r.transferSize])")
    assert sum(n for url, n in sent if "/static/app/" in url) <= FIRST_KB * KB, sent
    assert not any(b"echarts" in (built / n).read_bytes() for n in names)


def test_language_switch_keeps_the_state(visit: Visit) -> None:
    visitor = visit("/?view=rankings&year=2023&size=small")
    assert visitor.page.locator("html").get_attribute("lang") == "zh-CN"
    visitor.page.get_by_role("link", name="English").click()
    page = visitor.ready()
    assert visitor.address == "/?view=rankings&lang=en&year=2023&size=small"
    assert page.locator("html").get_attribute("lang") == "en"
    assert "Synthetic demonstration data" in page.locator("header.bar").inner_text()
    page.go_back()
    visitor.until("document.documentElement.lang === 'zh-CN'")
    assert "合成演示数据" in page.locator("header.bar").inner_text()


def test_filters_follow_to_another_view_and_back(visit: Visit) -> None:
    visitor = visit("/?view=rankings")
    visitor.page.get_by_label("规模").select_option("small")
    visitor.page.wait_for_url("**size=small**")
    visitor.page.get_by_role("link", name="地图", exact=True).click()
    page = visitor.ready()
    assert visitor.address.startswith("/?size=small")
    assert page.get_by_label("规模").input_value() == "small"
    page.go_back()
    page.go_back()
    visitor.until("!location.search.includes('size')")
    assert page.get_by_label("规模").input_value() == ""


@pytest.mark.parametrize(
    ("path", "said"), [("/?view=nothing", "没有名为"), ("/?year=1999&lang=en", "no ranking of this year")]
)
def test_wrong_addresses_say_what_is_wrong(visit: Visit, path: str, said: str) -> None:
    visitor = visit(path)
    assert said in visitor.page.get_by_role("alert").inner_text()


def test_old_addresses_of_enterprises_lead_to_the_portrait(visit: Visit) -> None:
    visitor = visit("/?view=rankings")
    visitor.page.goto(visitor.base + "/enterprises/abc?lang=en")
    assert visitor.address == "/?view=portrait&enterprise=abc&lang=en"


@pytest.mark.parametrize("path", ["/", "/?view=rankings&lang=en"])
def test_at_200_per_cent_nothing_is_lost(visit: Visit, path: str) -> None:
    """A window of 1440 × 900 at 200 % has 720 × 450 pixels (WCAG 1.4.4, 1.4.10)."""
    visitor = visit(path, "zoomed")
    assert visitor.overflow() <= 0
    visitor.page.get_by_role("button", name="Filters" if "en" in path else "筛选").click()
    assert visitor.page.get_by_label("Region" if "en" in path else "地区").is_visible()


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("path", ["/docs", "/docs?lang=en"])
def test_the_api_page_is_accessible_and_fits(visit: Visit, path: str, size: str) -> None:
    visitor = visit("/?view=rankings", size)
    visitor.page.goto(visitor.base + path)
    assert visitor.axe() == [] and visitor.overflow() <= 0


@pytest.mark.parametrize("path", ["/", "/?year=2023", "/?view=rankings&size=small", "/?view=overview"])
def test_what_the_frame_names_is_asked_by_the_page_and_once(visit: Visit, server: str, path: str) -> None:
    """The addresses that api/pages/first.py puts into the frame are those of the page: none in vain, none twice."""
    frame = urllib.request.urlopen(server + path).read().decode()
    named = [server + html.unescape(x) for x in re.findall(r'rel="preload" href="([^"]+)"', frame)]
    assert len(named) == (9 if path in ("/", "/?year=2023") else 6)
    bare = visit("", until_ready=False)
    silent = re.sub(r'<link rel="preload"[^>]*>', "", frame)
    bare.page.route(server + path, lambda route: route.fulfill(body=silent, content_type="text/html"))
    bare.open(path)
    assert set(named) <= set(bare.requests)
    usual = visit(path)
    sent = usual.page.evaluate("performance.getEntriesByType('resource').map(r => r.name)")
    assert [sent.count(address) for address in named] == [1] * len(named)
