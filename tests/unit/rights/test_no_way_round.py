"""No way round a hidden column: ordering, filtering, distributions, cached copies, texts of errors."""

from __future__ import annotations

import pytest

from tests.unit.rights.conftest import World

OGC = "/ogc/collections/enterprises/items"


@pytest.mark.parametrize("role", ["gis", "public"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/rankings?by=benefit_per_mu",
        "/api/v1/rankings?by=tax_wan_yuan&order=worst",
        "/api/v1/rankings/bottom?by=score",
        "/api/v1/rankings/places?by=benefit_per_mu",
        "/api/v1/overview/distribution?by=score",
        "/api/v1/overview/concentration?by=tax_wan_yuan",
        "/api/v1/overview/quadrant?x=output_per_mu&y=benefit_per_mu",
        "/api/v1/overview/movement?by=benefit_per_mu",
        f"{OGC}?filter=benefit_per_mu%3E10",
        f"{OGC}?filter=tax_per_mu%20IS%20NULL",
        f"{OGC}?filter-lang=cql2-json&filter=%7B%22op%22%3A%22%3E%22%2C%22args%22%3A%5B%7B%22property%22%3A%22score%22%7D%2C50%5D%7D",
        f"{OGC}?benefit_per_mu=10",
        f"{OGC}?sortby=benefit_per_mu",
    ],
)
def test_a_hidden_figure_neither_orders_nor_filters(world: World, role: str, path: str) -> None:
    answer = world.get(
        role, f"{path}&release={world.releases['2024-huaian-2024']}" if path.startswith("/api") else path
    )
    allowed = {400, 403} if path != "/api/v1/overview/movement?by=benefit_per_mu" else {400, 403, 404}
    if answer.status_code == 200:  # group figures with small groups merged are no single firm's
        assert role == "public" and path.startswith("/api/v1/overview/"), answer.text[:300]
        assert '"name"' not in answer.text and '"enterprise_id"' not in answer.text
    else:
        assert answer.status_code in allowed, (answer.status_code, answer.text[:300])


def test_queryables_name_only_what_is_shown(world: World) -> None:
    told = world.get("gis", "/ogc/collections/enterprises/queryables").json()["properties"]
    assert {"tax_per_mu", "benefit_per_mu", "output_per_mu", "score"}.isdisjoint(told) and "grade" in told


@pytest.mark.parametrize("path", ["/api/v1/rankings?limit=3", "/layers/enterprises.geojson?", f"{OGC}?limit=3"])
def test_one_roles_copy_is_not_anothers(world: World, path: str) -> None:
    """An ETag of the regulator's answer gives nobody else a 304, and each role's own gives it one."""
    first = world.get("regulator", path)
    again = world.get("regulator", path, headers={"If-None-Match": first.headers["etag"]})
    other = world.get("gis", path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert first.content != other.content and "private" in first.headers["cache-control"]


def test_an_enterprise_that_is_not_yours_reads_like_one_that_is_not_there(world: World) -> None:
    table = world.table("2024-huaian-2024")
    other = str(table.filter(~table["region_code"].str.starts_with(world.city))["enterprise_id"][0])
    for ending in ("", "/explain", "/standing", "/facts", "/history", "/checkup?format=xlsx"):
        texts = [world.get("land_bureau", f"/api/v1/enterprises/{who}{ending}") for who in (other, "E0000000000000000")]
        assert [t.status_code for t in texts] == [404, 404], ending
        said = [t.json()["detail"].replace(other, "X").replace("E0000000000000000", "X") for t in texts]
        assert said[0] == said[1], ending


def test_a_cursor_of_another_role_is_refused_or_cut(world: World) -> None:
    page = world.get("regulator", "/api/v1/rankings?limit=3").json()
    answer = world.get("public", f"/api/v1/rankings?limit=3&cursor={page['next']}")
    assert answer.status_code == 400 and answer.json()["parameter"] == "cursor"


def test_statistics_figures_switched_off(world: World) -> None:
    """The figures of single firms that rest on statistics go, the others stay, the firm itself keeps its own."""
    import time

    from api.rights import users

    users.set_switch(world.warehouse, "statistics_figures", False)
    time.sleep(0.6)
    try:
        at = f"/api/v1/enterprises/{world.firm}?release={world.releases['2024-sunan-2017']}"
        regulator, firm = world.get("regulator", at).json(), world.get("enterprise", at).json()
        assert "output_wan_yuan" not in regulator and "tax_wan_yuan" in regulator and "output_wan_yuan" in firm
        assert all(fact["source"] != "statistics" for fact in regulator["facts"])
        assert (
            world.get("regulator", f"/api/v1/enterprises/{world.firm}/explain").json()["rule"] == "statistics_figures"
        )
        assert world.get("regulator", "/api/v1/rankings?by=output_per_mu").status_code == 403
    finally:
        users.set_switch(world.warehouse, "statistics_figures", True)
        time.sleep(0.6)
