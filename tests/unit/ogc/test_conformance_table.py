"""docs/conformance.md names what is tested and what is claimed; its results come from `make conformance`."""

from __future__ import annotations

import re

from api.ogc.documents import CONFORMANCE
from tests.judges.conformance import PLACE, Outcomes, declared, table, verdict


def test_the_table_holds_every_requirement_that_is_tested() -> None:
    text = PLACE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(/[^`]+)` \|", text, re.MULTILINE)) == declared()
    assert all(f"<{uri}>" in text for uri in CONFORMANCE)
    assert "FAIL" not in text and "skipped" not in text


def test_every_claimed_class_of_filters_is_tested() -> None:
    for uri in CONFORMANCE:
        if "/cql2/" in uri:
            name = uri.rsplit("/", 1)[1]
            assert any(f"/{name}/" in requirement for requirement in declared()), name


def test_one_failure_fails_a_requirement() -> None:
    assert verdict(["passed", "failed", "passed"]) == "FAIL"
    assert verdict(["passed", "skipped"]) == "skipped" and verdict(["passed"]) == "pass"
    outcomes = Outcomes()
    outcomes.results["/req/x"] += ["passed", "failed"]
    assert "| `/req/x` | FAIL | 2 |" in table(outcomes.results)
