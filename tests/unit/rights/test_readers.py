"""The readers of the tests of rights find figures and firms where there are some: of each format what the regulator
gets. A reader that finds nothing would let every other test pass."""

from __future__ import annotations

import pytest

from tests.unit.rights.asked import RELEASE, Real
from tests.unit.rights.conftest import World
from tests.unit.rights.hidden import hidden_from, telling
from tests.unit.rights.read import told

AT = "release={release}"
ITEMS = "/ogc/releases/{release}/collections/enterprises/items"
CHECK_UP = "/api/v1/enterprises/{firm}/checkup"


@pytest.fixture(scope="module")
def secret(world: World) -> frozenset[float]:
    """What the public may not see, and the regulator may."""
    return hidden_from(world, "public").figures


@pytest.mark.parametrize(
    ("address", "figures", "firms"),
    [
        (f"/api/v1/rankings?{AT}&limit=500", 1000, 1000),
        *((f"/api/v1/rankings?{AT}&format={form}", 1000, 1000) for form in ("csv", "xlsx", "parquet", "arrow")),
        *((f"/api/v1/rankings/bottom?{AT}&format={form}", 50, 20) for form in ("csv", "xlsx", "parquet", "arrow")),
        *((f"/layers/enterprises.{ending}?{AT}", 1000, 700) for ending in ("geojson", "fgb", "gpkg", "parquet")),
        (f"/layers/enterprises.shp.zip?{AT}", 1000, 700),
        (f"/layers/enterprises.pmtiles?{AT}", 100, 700),  # the figures of tiles are rounded
        (f"/layers/parcels.pmtiles?{AT}", 100, 200),
        ("/ogc/releases/{release}/collections/parcels/tiles/WebMercatorQuad/10/416/854", 2, 2),
        (f"{ITEMS}?f=json&limit=1000", 1000, 700),
        (f"{ITEMS}?f=html&limit=1000", 1000, 700),
        ("/api/v1/enterprises/{firm}/facts", 10, 1),
        (f"/api/v1/enterprises/{{firm}}/explain?{AT}", 10, 3),
        (f"{CHECK_UP}?{AT}&format=xlsx", 10, 3),
        (f"{CHECK_UP}?{AT}&format=pdf", 5, 3),
        (f"/api/v1/report?{AT}", 0, 20),  # few digits of each
    ],
)
def test_figures_and_firms_are_found(
    world: World, real: Real, secret: frozenset[float], address: str, figures: int, firms: int
) -> None:
    largest = world.table(RELEASE).sort("tax_fen", nulls_last=False)["enterprise_id"][-1]
    answer = world.get("regulator", address.format(release=real.release, firm=largest))
    assert answer.status_code == 200, answer.text[:300]
    said = told(answer.content, answer.headers["content-type"])
    named = {str(v) for c in ("enterprise_id", "uscc", "name") for v in world.table(RELEASE)[c].drop_nulls()}
    assert len(secret & said.numbers) >= figures and len(named & said.words) >= firms


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("税收1,234,567.89万元", {1234567.89}),
        ("320583,320584", {320583.0, 320584.0}),
        ("-1,234.5 to 1e5.", {-1234.5, 1e5}),
        ("E12345, v1.2.3 and 12_3", set()),
        ("a12 12a 1.5.7", set()),
    ],
)
def test_numbers_of_texts(text: str, numbers: set[float]) -> None:
    assert told(text.encode(), "text/plain").numbers == numbers


def test_a_figure_is_known_in_each_of_its_units_whole_and_rounded() -> None:
    exact = {123456789012.0, 123456.789012}
    assert telling("tax_fen", [123456789012.0]) == {*exact, 123456.789, 123456.79}
    assert telling("score", [12.345, 12.0]) == set()
