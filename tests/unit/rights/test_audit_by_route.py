"""Every rule of an address that is audited leaves exactly its row, every other none; no file goes out without its row."""

from __future__ import annotations

from typing import Any

import pytest

from api.operations import chain
from api.rights.routes import RULES, Rule, rule_of
from engine.layers import LAYERS
from engine.schema.warehouse import Warehouse, now
from tests.unit.rights.asked import FORMATS, Real, addresses, routes
from tests.unit.rights.conftest import World

WITHOUT = {"/layers/*", "/api/v1/overview", "/rankings"}  # no layer of another name, no such page: never answered
BUREAU_ALONE = ("desk_review", "desk_publish")
RULE = {rule.pattern: rule for rule in RULES}


@pytest.fixture(scope="module")
def by_rule(world: World, real: Real) -> dict[str, list[str]]:
    """The addresses that are asked of each rule."""
    found: dict[str, list[str]] = {}
    for template, methods in routes(world):
        for address in addresses(template, real) if "GET" in methods else ():
            rule = rule_of(address.partition("?")[0])
            assert rule is not None, address
            found.setdefault(rule.pattern, []).append(address)
    for address in [*found["/ogc/collections/enterprises/items**"], *found["/ogc/collections/enterprises/tiles/**"]]:
        for layer in LAYERS:  # of the default release
            rule = rule_of(other := address.partition("?")[0].replace("enterprises", layer))
            found.setdefault(rule.pattern if rule else "", []).append(other)
    return found


def who_may(rule: Rule) -> str:
    return "land_bureau" if rule.action in BUREAU_ALONE else "regulator"


def kept(world: World, who: str, address: str) -> tuple[Any, list[dict[str, Any]]]:
    """The answer to an address, and the rows of the log that it left."""
    log = world.client.app.state.audit  # type: ignore[attr-defined]
    log.flush()
    before = now()
    answer = world.get(who, address)
    log.flush()
    return answer, list(chain.rows(world.warehouse, before))


def first_answered(world: World, who: str, asked: list[str]) -> tuple[Any, list[dict[str, Any]], str]:
    """The first address of several that is answered, with its rows."""
    for address in asked:
        answer, rows = kept(world, who, address)
        if answer.status_code in (200, 307):
            return answer, rows, address
    raise AssertionError(asked)


def is_file(answer: Any) -> bool:
    return str(answer.headers.get("content-disposition", "")).startswith("attachment")


def test_every_audited_rule_is_asked(by_rule: dict[str, list[str]]) -> None:
    assert {rule.pattern for rule in RULES if rule.audit != "no"} - set(by_rule) == WITHOUT
    assert {rule.audit for rule in RULES} == {"view", "export", "tiles", "no"}


@pytest.mark.parametrize("pattern", [rule.pattern for rule in RULES if rule.pattern not in WITHOUT])
def test_a_rule_leaves_its_row(world: World, real: Real, by_rule: dict[str, list[str]], pattern: str) -> None:
    rule = RULE[pattern]
    asked = [a for a in by_rule.get(pattern, []) if rule.audit != "tiles" or a[-1].isdigit()]
    if rule.audit == "no":
        for address in asked[:1]:
            assert kept(world, "regulator", address)[1] == [], address
        return
    who = who_may(rule)
    answer, rows, address = first_answered(world, who, asked)
    path, _, query = address.partition("?")
    route, question = (pattern, "") if rule.audit == "tiles" else (path, chain.question_of(query.encode()))
    assert len(rows) == 1 and rows[0]["times"] == 1, rows
    told = {name: rows[0][name] for name in ("user", "role", "kind", "method", "route", "question", "status")}
    assert told == {
        "user": f"a-{who}", "role": who, "kind": "export" if rule.audit == "export" or is_file(answer) else "view",
        "method": "GET", "route": route, "question": question, "status": answer.status_code,
    }  # fmt: skip
    named = f"release={real.release}" in address or "/ogc/releases/" in address
    assert rows[0]["release"] == real.release or not named, rows


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("route", ["rankings?", "rankings/bottom?count=7&"])
def test_the_row_of_an_export_tells_how_many_went_out(world: World, real: Real, route: str, form: str) -> None:
    answer, rows = kept(world, "regulator", f"/api/v1/{route}release={real.release}&industry=26&format={form}")
    whole = world.get("regulator", f"/api/v1/{route}release={real.release}&industry=26").json()
    count = sum(len(group["rows"]) for group in whole["groups"]) if "groups" in whole else whole["total"]
    assert answer.status_code == 200 and [(r["kind"], r["rows"]) for r in rows] == [("export", count)] and count >= 7


def test_no_file_goes_out_that_cannot_be_kept(
    world: World, by_rule: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each address that answers with a file, asked again while the ledger is away."""
    files = [
        (who_may(RULE[pattern]), address)
        for pattern, asked in by_rule.items()
        for address in asked
        if RULE[pattern].audit == "export" or "&format=" in address or "/export" in address or "/draft" in address
    ]
    assert len(files) > 40 and len({address.partition("?")[0] for _, address in files}) > 30
    log = world.client.app.state.audit  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        patched.setattr(log, "warehouse", Warehouse(world.warehouse.home / "gone"))
        for who, address in files:
            answer = world.get(who, address)
            assert answer.status_code == 503 and answer.json()["code"] == "audit_unavailable", address
            assert "content-disposition" not in answer.headers and len(answer.content) < 1000, address
