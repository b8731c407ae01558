"""Every endpoint is asked as every user: no answer holds a figure or names a firm that is not for the user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from api.rights import users
from api.rights.routes import rule_of
from engine.schema.columns import column
from tests.unit.rights.asked import Real, addresses, routes
from tests.unit.rights.conftest import WHO, World, role_of
from tests.unit.rights.hidden import Hidden, hidden_from
from tests.unit.rights.read import told

EXPECTED = (200, 204, 303, 307, 400, 403, 404)


@pytest.fixture
def switched_off(world: World) -> Iterator[None]:
    """While the switch of statistics figures is off."""
    for on in (False, True):
        users.set_switch(world.warehouse, "statistics_figures", on)
        time.sleep(0.6)
        if not on:
            yield


def improper(who: str, world: World, features: tuple[dict[str, Any], ...]) -> list[object]:
    """What the features of tiles hold that is not for the user: columns, rows."""
    found: list[object] = [n for n in {name for f in features for name in f} if role_of(who) not in column(n).roles]
    if region := world.region_of(who):
        found += [f for f in features if "land_mu" in f and not str(f.get("region_code", region)).startswith(region)]
    if who == "enterprise":
        found += [f for f in features if f.get("enterprise_id", world.firm) != world.firm]
    return found


def look_through(world: World, who: str, real: Real, hidden: Hidden) -> None:
    """Ask every route as a user; AssertionError names the addresses that tell too much."""
    asked, answered, leaks = 0, 0, []
    for template, methods in routes(world):
        for address in addresses(template, real) if "GET" in methods else ():
            answer = world.get(who, address)
            assert answer.status_code in EXPECTED, (address, answer.status_code, answer.text[:300])
            said = told(answer.content, answer.headers.get("content-type", ""))
            leaks += [(address, one) for one in hidden.found_in(said, address)]
            leaks += [(address, one) for one in improper(who, world, said.features)[:5]]
            asked, answered = asked + 1, answered + (answer.status_code == 200)
    assert not leaks, leaks
    assert asked > 150 and answered > 60, (asked, answered)


def test_every_route_has_a_rule(world: World) -> None:
    found = list(routes(world))
    assert len(found) > 40
    assert [p for p, _ in found if rule_of(p if p != "/static" else "/static/x") is None] == []


@pytest.mark.parametrize("who", [who for who in WHO if who != "regulator"])
def test_no_answer_holds_what_the_role_may_not_see(world: World, real: Real, who: str) -> None:
    hidden = hidden_from(world, who)
    assert len(hidden.figures) > 10_000 and (len(hidden.firms) > 500 or who in ("gis", "public"))
    look_through(world, who, real, hidden)


def test_nor_what_rests_on_statistics_while_that_is_switched_off(world: World, real: Real, switched_off: None) -> None:
    hidden = hidden_from(world, "regulator", statistics=False)
    assert len(hidden.figures) > 1_500
    look_through(world, "regulator", real, hidden)
