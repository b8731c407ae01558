"""The rules as data: the page of them is fresh, the contract's roles are exactly there, switches do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.rights.document import document
from api.rights.routes import OPEN, PERSON, RULES, rule_of
from api.rights.rules import ACTIONS, SWITCHES
from api.rights.view import ADMINISTRATOR, Viewer
from engine.schema.columns import BESIDE, COLUMNS, INDICATORS, ROLES, column
from engine.schema.errors import PermuError


def test_the_page_of_rights_is_made_from_the_rules(checkout: Path) -> None:
    text = (checkout / "docs" / "rights.md").read_text("utf-8")
    assert text == document(), "write it again: python -m api.rights.document > docs/rights.md"
    assert [n for n in (*ROLES, *ACTIONS, *SWITCHES, *COLUMNS, *BESIDE) if f"`{n}`" not in text] == []


def test_every_line_names_an_action_there_is() -> None:
    asked = {a for rule in RULES for a in (rule.action, rule.write) if a}
    assert asked - set(ACTIONS) == {OPEN, PERSON}
    assert {r for a in ACTIONS.values() for r in (*a.roles, *a.also)} <= set(ROLES)
    assert {a.switch for a in ACTIONS.values() if a.switch} <= set(SWITCHES)


@pytest.mark.parametrize(
    ("action", "may"),
    [
        ("export_bottom", {"regulator"}),
        ("desk_publish", {"land_bureau"}),
        ("explain", {"land_bureau", "regulator", "enterprise"}),
        ("drafts", {"land_bureau", "regulator", "gis"}),
        ("rankings", set(ROLES)),
        ("layer_parcels", set(ROLES) - {"public"}),
    ],
)
def test_who_may(action: str, may: set[str]) -> None:
    assert {r for r in ROLES if Viewer("x", r).can(action)} == may and ADMINISTRATOR.can(action)


def test_a_switch_gives_the_bureau_its_files() -> None:
    with pytest.raises(PermuError, match="export_bottom"):
        Viewer("x", "land_bureau").need("export_bottom")
    Viewer("x", "land_bureau", switches=frozenset({"bureau_exports_bottom"})).need("export_bottom")
    assert not Viewer("x", "gis", switches=frozenset({"bureau_exports_bottom"})).can("export_bottom")


def test_map_staff_see_no_money_and_the_public_only_grades() -> None:
    money = [
        *INDICATORS,
        "tax_wan_yuan",
        "output_wan_yuan",
        "score",
        "tax_fen",
        "output_fen",
        "base__tax_per_mu",
        "items",
        "unheard_of",
    ]
    assert [n for n in money if {"gis", "public"} & column(n).roles] == []
    assert all(
        "gis" in column(n).roles for n in ("rank", "rank__tax_per_mu__all", "grade", "land_mu", "rank_benefit_per_mu")
    )
    assert [
        n for n in ("rank", "of", "percentile", "land_mu", "flags", "grade_initial") if "public" in column(n).roles
    ] == []


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/api/v1/rankings/bottom", "/api/v1/rankings/bottom"),
        ("/api/v1/enterprises/E1", "/api/v1/enterprises/*"),
        ("/api/v1/enterprises/E1/explain", "/api/v1/enterprises/*/explain"),
        ("/layers/idle.pmtiles", "/layers/idle.*"),
        ("/ogc/releases/r/collections/idle/items/5", "/ogc/releases/*/collections/idle/items**"),
        ("/api/v1/enterprises/E1/secrets", None),
        ("/api/v2/rankings", None),
        ("/nothing", None),
    ],
)
def test_the_first_line_that_fits_counts(path: str, pattern: str | None) -> None:
    found = rule_of(path)
    assert (found.pattern if found else None) == pattern
