"""Other methods than GET: HEAD is GET without its body, nothing that is read can be written, the desk is the bureau's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rights.asked import SILENT, Real, addresses, routes
from tests.unit.rights.conftest import WHO, World

BUREAU_ALONE = ("/api/v1/desk/review", "/api/v1/desk/refused", "/api/v1/desk/publish")
WRITING = ("POST", "PUT", "PATCH", "DELETE")
OF_THE_DESK = {"/api/v1/desk/review/{item_id}": "desk_review", "/api/v1/desk/publish/{release_id}": "desk_publish"}


def answered(world: World, who: str, template: str, real: Real) -> tuple[str, Any]:
    """The first address of a route that is answered, else the last, with the answer."""
    for address in addresses(template, real):
        found = address, world.get(who, address)
        if found[1].status_code in (200, 307):  # 307: to the page
            break
    return found


@pytest.mark.parametrize("who", ["regulator", "public"])
def test_reading_routes_are_only_read(world: World, real: Real, who: str) -> None:
    """And each tells something to those who may see all: else the tests of the others would be about refusals."""
    asked = 0
    for template in [t for t, methods in routes(world) if "GET" in methods and not t.startswith(SILENT)]:
        asker = "land_bureau" if who == "regulator" and template.startswith(BUREAU_ALONE) else who
        header = {"Authorization": f"Bearer {world.keys[asker]}"}
        address, whole = answered(world, asker, template, real)
        assert whole.status_code in (200, 307) or who == "public", (address, whole.text[:300])
        head = world.client.head(address, headers=header)
        assert (head.status_code, head.content) == (whole.status_code, b""), address
        assert head.headers.get("content-type") == whole.headers.get("content-type"), address
        for method in WRITING if template not in (*OF_THE_DESK, "/login") else ():
            status = world.client.request(method, address, headers=header).status_code
            assert status in (403, 405), (method, address, status)
        asked += 1
    assert asked > 70


@pytest.mark.parametrize("template", OF_THE_DESK)
@pytest.mark.parametrize("who", [who for who in WHO if who != "land_bureau"])
def test_nobody_but_the_bureau_writes_at_the_desk(world: World, real: Real, who: str, template: str) -> None:
    header = {"Authorization": f"Bearer {world.keys[who]}"}
    for address in addresses(template, real):
        for method in WRITING:
            answer = world.client.request(method, address, headers=header, json={"target": "withdrawn", "reason": "x"})
            assert answer.status_code == 403 and answer.json()["rule"] == OF_THE_DESK[template], answer.text
    states = {r["release_id"]: r["state"] for r in world.get("regulator", "/api/v1/releases").json()["releases"]}
    assert states[real.release] == "public"
