"""docs/conformance.md names what is tested and what is claimed; its results come from `make conformance`."""

from __future__ import annotations

import re

import pytest

from api.ogc import tiles
from api.ogc.documents import CONFORMANCE
from tests.judges.conformance import PLACE, Outcomes, declared, table, verdict

CLAIMED = [*CONFORMANCE, *tiles.CONFORMANCE]


def test_the_table_holds_every_requirement_that_is_tested() -> None:
    text = PLACE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)) == declared()
    assert all(f"<{uri}>" in text for uri in CLAIMED)
    assert "FAIL" not in text and "skipped" not in text


def beginnings(uri: str) -> tuple[str, ...]:
    """How the names of a class's requirements begin; those of Features and CQL2 stand without their standard."""
    standard, _, name = uri.removeprefix("http://www.opengis.net/spec/").partition("/conf/")
    assert standard and name
    start = "" if standard.startswith(("ogcapi-features-", "cql2/")) else standard
    return f"{start}/req/{name}/", f"{start}/conf/{name}/"


@pytest.mark.parametrize("uri", CLAIMED)
def test_every_claimed_class_is_tested(uri: str) -> None:
    assert [requirement for requirement in declared() if requirement.startswith(beginnings(uri))]


def test_a_class_is_not_tested_by_another_standards_requirement() -> None:
    held = ["/req/core/http", "ogcapi-tiles-1/1.0/req/mvt/content"]
    for uri in ("ogcapi-tiles-1/1.0/conf/core", "ogcapi-common-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/mvt"):
        assert not [one for one in held if one.startswith(beginnings(f"http://www.opengis.net/spec/{uri}"))]


def test_one_failure_fails_a_requirement() -> None:
    assert verdict(["passed", "failed", "passed"]) == "FAIL"
    assert verdict(["passed", "skipped"]) == "skipped" and verdict(["passed"]) == "pass"
    outcomes = Outcomes()
    outcomes.results["/req/x"] += ["passed", "failed"]
    assert "| `/req/x` | FAIL | 2 |" in table(outcomes.results)
