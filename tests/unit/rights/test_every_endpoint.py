"""Every endpoint is asked as every role: no answer holds a figure that the role may not see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
import pytest
from fastapi.routing import iter_route_contexts

from api.rights.routes import rule_of
from engine.schema.columns import ROLES, column
from tests.unit.rights.asked import addresses, drawn, figures
from tests.unit.rights.conftest import World

RELEASE = "2024-huaian-2024"
# what nobody but the roles with figures may see of a single firm, nor compute from what they see
HIDDEN = ("output_fen", "tax_fen", "output_wan_yuan", "tax_wan_yuan", "output_per_mu", "benefit_per_mu", "score", "tax_per_mu",
          "sales_per_mu", "tax_per_tce", "item__tax_per_mu", "item__sales_per_mu", "item__tax_per_tce")  # fmt: skip
LAND = ("land_mu", "land_dm2_days")


def paths(world: World) -> list[tuple[str, list[str]]]:
    """Template and methods of every route of the application."""
    contexts = iter_route_contexts(world.client.app.routes)  # type: ignore[attr-defined]
    return [(c.path, sorted(c.methods or ["GET"])) for c in contexts if getattr(c, "path", None)]


def telling(values: Iterable[float]) -> set[float]:
    """Values that cannot stand in an answer by chance: seven digits and more."""
    return {float(v) for v in values if v is not None and len(f"{abs(v):.12g}".replace(".", "").strip("0")) >= 7}


def improper(role: str, world: World, features: list[dict[str, Any]]) -> list[object]:
    """What the features of tiles hold that is not for the role: columns, rows."""
    names = {name for f in features for name in f}
    found: list[object] = [n for n in names if role not in column(n).roles]
    if role == "land_bureau":
        found += [
            f for f in features if "land_mu" in f and "region_code" in f and not f["region_code"].startswith(world.city)
        ]
    if role == "enterprise":
        found += [f for f in features if f.get("enterprise_id", world.firm) != world.firm]
    return found


def hidden_from(role: str, world: World) -> set[float]:
    """The figures of single firms that a role may not see in the release asked."""
    table = world.table(RELEASE)
    names = [c for c in (*HIDDEN, *(LAND if role == "public" else ())) if c in table.columns]
    others = {
        "land_bureau": ~pl.col("region_code").str.starts_with(world.city).fill_null(False),
        "enterprise": pl.col("enterprise_id") != world.firm,
    }.get(role, pl.lit(True))
    if role in ("land_bureau", "enterprise"):
        names += list(LAND)
    found = telling(v for name in names for v in table.filter(others)[name])
    seen = table if role == "gis" else table.filter(~others) if role in ("land_bureau", "enterprise") else table.clear()
    kept = [*LAND] if role == "gis" else [*HIDDEN, *LAND]
    return found - telling(v for name in kept if name in seen.columns for v in seen[name])


def test_every_route_has_a_rule(world: World) -> None:
    found = paths(world)
    assert len(found) > 40
    assert [p for p, _ in found if rule_of(p if p != "/static" else "/static/x") is None] == []


def test_the_figures_looked_for_are_in_the_answers_of_those_who_may_see_them(world: World) -> None:
    held = telling(v for name in HIDDEN if name in world.table(RELEASE).columns for v in world.table(RELEASE)[name])
    for path in ("/api/v1/rankings?limit=500", "/api/v1/rankings?format=csv", "/api/v1/rankings?format=xlsx"):
        answer = world.get("regulator", f"{path}&release={world.releases[RELEASE]}")
        assert len(held & figures(answer.content, answer.headers["content-type"])) > 500, path


@pytest.mark.parametrize("role", [r for r in ROLES if r != "regulator"])
def test_no_answer_holds_what_the_role_may_not_see(world: World, role: str) -> None:
    hidden, release = hidden_from(role, world), world.releases[RELEASE]
    assert len(hidden) > 300
    other = str(world.table(RELEASE).filter(~pl.col("region_code").str.starts_with(world.city))["enterprise_id"][0])
    asked, answered = 0, 0
    for template, methods in paths(world):
        for address in addresses(template, world.firm, other, release) if "GET" in methods else ():
            answer = world.get(role, address)
            assert answer.status_code in (200, 204, 303, 307, 400, 403, 404), (
                address,
                answer.status_code,
                answer.text[:300],
            )
            media = answer.headers.get("content-type", "")
            features = drawn(answer.content, media) if answer.status_code == 200 else None
            assert not improper(role, world, features or []), address
            told = figures(answer.content, media) if answer.content and features is None else set()
            assert not told & hidden, (address, sorted(told & hidden)[:5])
            asked, answered = asked + 1, answered + (answer.status_code == 200)
    assert asked > 60 and answered > 15, (asked, answered)
