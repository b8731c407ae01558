"""The gate: 401, 403, 429, sessions of the page, requests of other sites, what is audited."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.operations import chain
from api.operations.limits import Limits
from api.rights import users
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from tests.unit.rights.conftest import World

RANKINGS = "/api/v1/rankings"


def warehouse_of(client: TestClient) -> Warehouse:
    """The warehouse that a client's application serves."""
    found: Warehouse = client.app.state.store.warehouse  # type: ignore[attr-defined]
    return found


def test_without_users_everybody_is_the_local_administrator(own: Callable[..., TestClient]) -> None:
    me = own().get("/api/v1/me").json()
    assert me["role"] == "administrator" and "desk_publish" in me["can"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nope"}, {"Authorization": "Basic bm86bm8="}])
def test_no_key_or_an_unknown_one_is_401(world: World, header: dict[str, str]) -> None:
    answer = world.client.get(RANKINGS, headers=header)
    assert answer.status_code == 401 and answer.json()["code"] == "unauthorized"
    assert answer.headers["www-authenticate"].startswith("Basic") and "Bearer" in answer.headers["www-authenticate"]


def test_the_page_is_not_asked_for_a_password_by_the_browser(world: World) -> None:
    answer = world.client.get(RANKINGS, headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")


def test_a_ledger_that_cannot_be_read_lets_nobody_in(own: Callable[..., TestClient]) -> None:
    client = own()
    warehouse_of(client).ledger.write_bytes(b"no database" * 1000)
    answer = client.get("/api/v1/me")
    assert answer.status_code == 503 and answer.json()["code"] in ("ledger_busy", "ledger_damaged")


def test_basic_and_bearer_are_both_taken(world: World) -> None:
    pair = b64encode(f"a-gis:{world.keys['gis']}".encode()).decode()
    wrong = b64encode(f"a-public:{world.keys['gis']}".encode()).decode()
    assert world.client.get(RANKINGS, headers={"Authorization": f"Basic {pair}"}).status_code == 200
    assert world.client.get(RANKINGS, headers={"Authorization": f"Basic {wrong}"}).status_code == 401
    assert world.get("gis", "/api/v1/me").json()["name"] == "a-gis"


@pytest.mark.parametrize(
    ("role", "path", "rule"),
    [
        ("land_bureau", f"{RANKINGS}?region=32", "region"),
        ("land_bureau", f"{RANKINGS}/bottom?format=csv", "export_bottom"),
        ("land_bureau", "/api/v1/summary?region=99", "region"),
        ("gis", f"{RANKINGS}?by=benefit_per_mu", "column"),
        ("gis", f"{RANKINGS}/bottom?by=output_per_mu", "column"),
        ("public", f"{RANKINGS}?format=csv", "export"),
        ("public", f"{RANKINGS}/bottom", "bottom"),
        ("public", "/api/v1/summary?q=a", "groups"),
        ("enterprise", f"{RANKINGS}/bottom", "bottom"),
        ("regulator", "/api/v1/desk/review", "desk_review"),
        ("gis", "/metrics", "metrics"),
    ],
)
def test_a_denial_names_its_rule(world: World, role: str, path: str, rule: str) -> None:
    answer = world.get(role, path)
    assert answer.status_code == 403 and answer.json()["rule"] == rule, answer.text
    assert "docs/rights.md" in answer.json()["detail"]


def test_drafts_do_not_exist_for_those_who_may_not_see_them(world: World) -> None:
    draft = world.releases["2023-sunan-2017"]
    answers = [world.get("public", f"{RANKINGS}?release={r}") for r in (draft, "2023-sunan-2017-00000000")]
    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].json()["detail"].replace(draft, "") == answers[1].json()["detail"].replace(
        "2023-sunan-2017-00000000", ""
    )
    listed = {
        role: {r["release_id"] for r in world.get(role, "/api/v1/releases").json()["releases"]}
        for role in ("gis", "public")
    }
    assert draft in listed["gis"] and draft not in listed["public"] and len(listed["public"]) == 2


def test_order_and_counts_tell_the_public_no_rank(world: World) -> None:
    page = world.get("public", f"{RANKINGS}?release={world.releases['2024-huaian-2024']}&limit=400").json()
    assert page["of"] is None and page["by"] == "grade" and {"rank", "ranks", "percentile"}.isdisjoint(page["rows"][0])
    shown = [(r["grade"] or "~", r["enterprise_id"]) for r in page["rows"] if r["grade"] != "T"]
    assert shown == sorted(shown)


def test_an_enterprise_sees_its_own_row_and_its_place(world: World) -> None:
    page = world.get("enterprise", f"{RANKINGS}?release={world.releases['2024-huaian-2024']}").json()
    assert [r["enterprise_id"] for r in page["rows"]] == [world.firm] and page["total"] == 1
    whole = world.get(
        "regulator", f"/api/v1/enterprises/{world.firm}?release={world.releases['2024-huaian-2024']}"
    ).json()
    assert page["rows"][0]["rank"] == whole["rank"] and page["rows"][0]["tax_wan_yuan"] == whole["tax_wan_yuan"]


def test_a_bureau_gets_its_region_unasked(world: World) -> None:
    page = world.get("land_bureau", f"{RANKINGS}?limit=400").json()
    assert {r["region_code"][: len(world.city)] for r in page["rows"]} == {world.city} and page["rows"][0]["rank"] == 1


def test_small_and_dominated_groups_are_withheld(world: World) -> None:
    path = f"/api/v1/summary?group_by=region_town,industry_2&release={world.releases['2024-sunan-2017']}"
    whole, public = (world.get(role, path).json()["groups"] for role in ("regulator", "public"))
    assert public == [] or min(g["enterprises"] for g in public) >= 5
    assert len(public) < len(whole) and all(f["mean"] is None for g in public for f in g["metrics"].values())
    everyone = world.get("public", f"/api/v1/summary?release={world.releases['2024-sunan-2017']}").json()["groups"]
    assert everyone and everyone[0]["output_wan_yuan"]


def test_a_disabled_key_stops_within_a_second_and_a_new_one_works_at_once(own: Callable[..., TestClient]) -> None:
    client = own()
    warehouse = warehouse_of(client)
    _, key = users.add(warehouse, "li", "regulator")
    header = {"Authorization": f"Bearer {key}"}
    time.sleep(0.06)
    assert client.get("/api/v1/me", headers=header).json()["name"] == "li"
    _, other = users.add(warehouse, "wu", "gis")
    time.sleep(0.06)
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {other}"}).json()["name"] == "wu"
    users.disable(warehouse, "li")
    time.sleep(0.6)
    assert client.get("/api/v1/me", headers=header).status_code == 401


def test_the_page_signs_in_with_a_cookie_and_out_again(own: Callable[..., TestClient]) -> None:
    client = own()
    _, key = users.add(warehouse_of(client), "li", "regulator")
    time.sleep(0.06)
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 303 and page.headers["location"] == "/login?next=/"
    wrong = client.post("/login", data={"name": "li", "key": "no"})
    assert wrong.status_code == 401 and "set-cookie" not in wrong.headers
    answer = client.post("/login?next=/docs", data={"name": "li", "key": key})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303 and answer.headers["location"] == "/docs"
    assert "httponly" in cookie and "samesite=lax" in cookie and key not in cookie
    assert client.get("/api/v1/me").json()["name"] == "li"
    assert client.post("/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil", "javascript:alert(1)", ""])
def test_signing_in_leads_nowhere_else(own: Callable[..., TestClient], to: str) -> None:
    client = own()
    _, key = users.add(warehouse_of(client), "li", "regulator")
    answer = client.post("/login", params={"next": to}, data={"name": "li", "key": key})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_other_sites_change_nothing(own: Callable[..., TestClient], headers: dict[str, str], status: int) -> None:
    assert own().post("/logout", headers=headers).status_code == status


def test_too_many_requests_are_429_with_the_time_to_wait(own: Callable[..., TestClient]) -> None:
    client = own(rate=1, burst=3)
    _, key = users.add(warehouse_of(client), "li", "regulator")
    header = {"Authorization": f"Bearer {key}"}
    time.sleep(0.06)
    answers = [client.get("/api/v1/me", headers=header) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429] and int(answers[3].headers["retry-after"]) >= 1


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    limits = Limits(2, 2, lambda: now[0])
    for _ in range(2):
        limits.take("a")
    with pytest.raises(PermuError):
        limits.take("a")
    limits.take("b")
    now[0] = 0.5
    limits.take("a")


def test_the_public_without_a_key_by_a_switch(own: Callable[..., TestClient]) -> None:
    client = own()
    users.add(warehouse_of(client), "li", "regulator")
    users.set_switch(warehouse_of(client), "anonymous_public", True)
    time.sleep(0.06)
    assert client.get("/api/v1/me").json()["role"] == "public"


def test_who_saw_and_exported_what_is_kept(world: World) -> None:
    release = world.releases["2024-huaian-2024"]
    world.get("regulator", f"{RANKINGS}?release={release}&grade=D&key=permu_secret")
    world.get("regulator", f"{RANKINGS}/bottom?release={release}&format=csv&percent=7")
    kept = [r for r in chain.rows(world.warehouse) if r["kind"] == "export" and "percent=7" in r["question"]]
    assert len(kept) == 1 and kept[0]["user"] == "a-regulator" and kept[0]["release"] == release and kept[0]["rows"] > 0
    world.get("gis", f"{RANKINGS}?by=tax_wan_yuan")
    world.client.app.state.audit.flush()  # type: ignore[attr-defined]
    rows = list(chain.rows(world.warehouse))
    assert any(r["kind"] == "denied" and r["user"] == "a-gis" for r in rows)
    assert not any("secret" in str(r) or key in str(r) for r in rows for key in world.keys.values())
    assert chain.check(world.warehouse).broken_at is None


def test_an_export_that_cannot_be_kept_is_not_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    log = world.client.app.state.audit  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        patched.setattr(log, "warehouse", Warehouse(world.warehouse.home / "gone"))
        answer = world.get("regulator", f"{RANKINGS}?format=csv")
    assert (
        answer.status_code == 503
        and answer.json()["code"] == "audit_unavailable"
        and "enterprise_id" not in answer.text
    )
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(("origins", "told"), [((), None), (("https://map.example",), "https://map.example")])
def test_other_origins_read_only_where_they_are_named(
    own: Callable[..., TestClient], origins: tuple[str, ...], told: str | None
) -> None:
    client = own(origins=origins)
    asked = {"Origin": "https://map.example", "Access-Control-Request-Method": "GET"}
    assert client.options(RANKINGS, headers=asked).headers.get("access-control-allow-origin") == told
    answer = client.get("/healthz", headers={"Origin": "https://map.example"})
    assert answer.headers.get("access-control-allow-origin") == told
    assert "access-control-allow-credentials" not in answer.headers
