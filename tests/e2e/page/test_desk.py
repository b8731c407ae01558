"""The bureau's desk in a real browser: by keyboard, by role, in both languages, on both widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from engine.releases import find
from engine.schema.warehouse import Warehouse
from engine.states import change_state, events
from ingest import review
from tests.e2e.page.conftest import serving
from tests.e2e.page.offices import Offices, peopled
from tests.e2e.page.visitor import Visitor

Visit = Callable[..., Visitor]
TABS = ("review", "refused", "disputes", "status", "publish")


@pytest.fixture(scope="module")
def offices(
    demo_folder: Path, tmp_path_factory: pytest.TempPathFactory, checkout: Path, built: Path
) -> Iterator[Offices]:
    home, keys = peopled(demo_folder / "warehouse", tmp_path_factory.mktemp("desk") / "home")
    change_state(home, find(home, year=2024).id, "public", "for the test")
    for base in serving(home.home, checkout):
        yield Offices(base, keys, home)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(("size", "lang"), [("wide", "zh"), ("narrow", "en")])
def test_every_tab_is_whole_and_accessible(visit: Visit, offices: Offices, tab: str, size: str, lang: str) -> None:
    more = "&lang=en" if lang == "en" else ""
    window = visit(f"/?view=desk&tab={tab}&year=2024{more}", size, **offices.signed_in("land_bureau"))
    assert window.axe() == [] and window.overflow() <= 0
    title = window.page.locator("#desk-title").inner_text()
    assert title.isascii() == (lang == "en")


def _waiting(home: Warehouse) -> set[str]:
    return {i["id"] for i in review.items(home) if i["state"] == "open"}


def test_the_queue_is_worked_off_by_keyboard(visit: Visit, offices: Offices) -> None:
    before = _waiting(offices.warehouse)
    window = visit("/?view=desk&kind=unlinked&sure=high&year=2024", **offices.signed_in("land_bureau"))
    page = window.page
    several = page.locator(".desk-sides thead label")
    for _ in range(20):  # to an item of several candidates
        if several.count() > 1:
            break
        page.keyboard.press("j")
        window.ready()
    first = page.locator("#desk-item").inner_text()
    page.keyboard.press("a")  # several candidates: one has to be chosen
    page.locator(".toast-error").wait_for()
    assert _waiting(offices.warehouse) == before
    page.keyboard.press("2")
    assert page.locator("input[name=candidate]").nth(1).is_checked()
    page.keyboard.press("a")
    head = page.locator("#desk-item")
    expect(head).not_to_have_text(first)
    gone = before - _waiting(offices.warehouse)  # the record may wait in several years: a decision holds for all
    assert {i["name"] for i in review.items(offices.warehouse) if i["id"] in gone} == {first}
    page.keyboard.press("u")
    expect(head).to_have_text(first)
    assert _waiting(offices.warehouse) == before
    page.keyboard.press("j")
    expect(head).not_to_have_text(first)
    page.keyboard.press("k")
    expect(head).to_have_text(first)


def test_keys_are_letters_where_somebody_types_and_can_be_switched_off(visit: Visit, offices: Offices) -> None:
    before = _waiting(offices.warehouse)
    window = visit("/?view=desk&kind=land&year=2024", **offices.signed_in("land_bureau"))
    page = window.page
    page.locator(".desk-why input").fill("")
    page.locator(".desk-why input").press("r")
    assert page.locator(".desk-why input").input_value() == "r"
    page.locator(".desk-keys input").uncheck()
    window.ready()
    page.locator("#desk-item").press("r")
    assert "keys=off" in window.address and _waiting(offices.warehouse) == before


def test_a_dispute_shows_the_parcel_drawn(visit: Visit, offices: Offices) -> None:
    window = visit("/?view=desk&tab=disputes&reason=area_dispute&lang=en", **offices.signed_in("regulator"))
    page = window.page
    page.locator(".desk-parcel .plan-own").wait_for()
    assert "Declared area" in page.locator(".desk-parcel").inner_text()
    for kind in ("Figures", "Corrections"):
        page.get_by_role("button", name=kind).click()
        window.ready()
        assert window.axe() == []


def test_refused_rows_open_to_their_cells_and_export(visit: Visit, offices: Offices) -> None:
    window = visit("/?view=desk&tab=refused", **offices.signed_in("land_bureau"))
    page = window.page
    page.locator("details summary").first.click()
    assert page.locator(".desk-fault").first.is_visible()
    signed = offices.signed_in("land_bureau")["extra_http_headers"]  # a download carries cookies, no such header
    href = page.locator("a[download]").get_attribute("href")
    book = page.request.get(f"{offices.base}{href}", headers=signed)  # type: ignore[arg-type]
    assert "permu-refused.xlsx" in book.headers["content-disposition"] and book.body().startswith(b"PK")


def test_status_says_in_words_what_is_missing(visit: Visit, offices: Offices) -> None:
    window = visit("/?view=desk&tab=status&year=2024&lang=en", **offices.signed_in("regulator"))
    text = window.page.locator("main").inner_text()
    assert "Sources by months" in text and "2024 is merged" in text
    assert window.page.locator(".desk-tabs a").all_inner_texts() == ["Disputes", "Status"]


def test_publishing_says_what_changes_and_needs_a_reason(visit: Visit, offices: Offices) -> None:
    window = visit("/?view=desk&tab=publish&lang=en", **offices.signed_in("land_bureau"))
    page = window.page
    row = page.locator("tr", has_text="huaian-2024").first
    release = row.locator("th").inner_text()
    row.get_by_role("button", name="Make public").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("What the public sees").wait_for()
    assert "changes from none to" in dialog.inner_text() and window.axe() == []
    confirm = dialog.get_by_role("button", name="Confirm")
    assert confirm.is_disabled()
    dialog.locator("textarea").fill("seven days of publicity")
    with page.expect_navigation():
        confirm.click()
    last = events(offices.warehouse, release)[-1]
    assert (last["state"], last["who"], last["reason"]) == ("public", "a-land_bureau", "seven days of publicity")
    window.ready()
    assert "public" in page.locator("tr", has_text=release).inner_text()


@pytest.mark.parametrize("role", ["gis", "public"])
def test_the_desk_is_hidden_from_and_refused_to_others(visit: Visit, offices: Offices, role: str) -> None:
    window = visit("/?view=desk", **offices.signed_in(role))
    page = window.page
    assert page.locator("main .empty[role=alert]").count() == 1 and page.locator(".desk").count() == 0
    assert page.locator("nav a").count() > 0
    assert page.locator("nav a[href*='view=desk']").count() == page.locator("nav a[href*='view=whatif']").count() == 0
    asked = page.request.get(
        f"{offices.base}/api/v1/desk/review", headers=offices.signed_in(role)["extra_http_headers"]
    )  # type: ignore[arg-type]
    assert asked.status == 403


def test_an_address_shows_what_its_sender_saw(visit: Visit, offices: Offices) -> None:
    window = visit("/?view=desk&kind=unlinked&source=power&year=2024&sure=middle", **offices.signed_in("land_bureau"))
    window.page.locator(".desk-queue li a").nth(1).click()
    window.ready()
    name = window.page.locator("#desk-item").inner_text()
    other = visit(window.address, **offices.signed_in("land_bureau"))
    assert other.page.locator("#desk-item").inner_text() == name
