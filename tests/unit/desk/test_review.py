"""The review queue over HTTP: pages, one item with both sides, decisions and their undoing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest import review
from ingest.match import store
from tests.unit.desk.conftest import Asking


def _several(desk: Asking) -> dict[str, Any]:
    """An open record with several candidates."""
    items = desk.get("review", kind="unlinked", limit=500)["items"]
    found: dict[str, Any] = next(i for i in items if i["candidates"] > 1)
    return found


def test_the_queue_is_what_the_command_lists(desk: Asking) -> None:
    mine = desk.get("review", state="all", limit=10000)
    theirs = review.items(desk.warehouse)
    assert [i["id"] for i in mine["items"]] == [i["id"] for i in theirs] and mine["total"] == len(theirs) > 20
    assert sum(mine["counts"]["kind"].values()) == mine["total"] and mine["next"] is None


def test_pages_joined_are_the_whole(desk: Asking) -> None:
    whole = [i["id"] for i in desk.get("review", limit=10000)["items"]]
    found, cursor = [], None
    while True:
        page = desk.get("review", limit=90, cursor=cursor)
        found += [i["id"] for i in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == whole


def test_a_cursor_of_another_question_is_refused(desk: Asking) -> None:
    cursor = desk.get("review", limit=2)["next"]
    told = desk.get("review", status=400, kind="land", cursor=cursor)
    assert told["parameter"] == "cursor"
    for forged in ("x", "e30", "W10", "!!"):
        assert desk.get("review", status=400, cursor=forged)["code"] == "bad_parameter"


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"source": "power"}, lambda i: i["source"] == "power"),
        ({"year": "2023"}, lambda i: i["year"] == 2023),
        ({"kind": "proposal"}, lambda i: i["kind"] == "proposal"),
        ({"sure_from": "90"}, lambda i: i["sure_percent"] is not None and i["sure_percent"] >= 90),
        ({"sure_to": "20"}, lambda i: i["sure_percent"] is not None and i["sure_percent"] <= 20),
    ],
)
def test_filters(desk: Asking, asked: dict[str, str], kept: Any) -> None:
    whole = desk.get("review", limit=10000)["items"]
    found = desk.get("review", limit=10000, **asked)["items"]
    assert found and [i["id"] for i in found] == [i["id"] for i in whole if kept(i)]


def test_search_finds_by_name_in_any_width(desk: Asking) -> None:
    item = _several(desk)
    assert item["id"] in {i["id"] for i in desk.get("review", q=item["name"], limit=500)["items"]}
    assert desk.get("review", q="没有这样的名称")["total"] == 0


def test_malformed_and_unknown_parameters_are_400(desk: Asking) -> None:
    for asked in ({"kind": "x"}, {"sure_from": "101"}, {"state": ""}, {"year": "24"}, {"limit": "0"}):
        assert desk.get("review", status=400, **asked)["parameter"] == next(iter(asked))
    assert desk.get("review", status=400, colour="red")["code"] == "unknown_parameter"
    assert desk.get("review/Unothing", status=404)["code"] == "unknown_item"


def test_both_sides_of_a_record(desk: Asking) -> None:
    item = _several(desk)
    told = desk.get(f"review/{item['id']}")
    assert told["item"]["id"] == item["id"] and len(told["candidates"]) == item["candidates"]
    assert told["record"]["name"] == item["name"] and told["record"]["cells"]
    sure = [c["sure_percent"] for c in told["candidates"]]
    assert sure == sorted(sure, reverse=True) and all(0 <= s <= 100 for s in sure)
    for one in told["candidates"]:
        assert (
            one["uscc"]
            and one["region"]
            and one["industry"]
            and set(one["alike"]) == {"name", "address", "region", "capital"}
        )
        assert 0 <= one["alike"]["name"] <= 100


def test_a_refused_code_shows_the_row_as_it_came(desk: Asking) -> None:
    item = desk.get("review", kind="proposal", limit=1)["items"][0]
    told = desk.get(f"review/{item['id']}")
    assert told["record"]["cells"][item["field"]] == item["value"]
    assert told["candidates"][0]["alike"]["name"] == 100


def test_previous_and_next_walk_the_list(desk: Asking) -> None:
    ids = [i["id"] for i in desk.get("review", source="power", limit=5)["items"]]
    middle = desk.get(f"review/{ids[2]}", source="power")
    assert (middle["previous"], middle["next"], middle["position"]) == (ids[1], ids[3], 3)
    assert desk.get(f"review/{ids[0]}", source="power")["previous"] is None


def test_of_several_candidates_one_must_be_named(desk: Asking) -> None:
    item = _several(desk)
    told = desk.post(f"review/{item['id']}", {"verdict": "accept"}, status=400)
    assert told["code"] == "which_enterprise" and told["parameter"] == "enterprise"
    assert desk.get(f"review/{item['id']}")["decisions"] == []


def test_accepting_is_what_the_command_keeps_and_says_who_and_why(desk: Asking) -> None:
    item = _several(desk)
    second = desk.get(f"review/{item['id']}")["candidates"][1]["enterprise_id"]
    told = desk.post(f"review/{item['id']}", {"verdict": "accept", "enterprise": "2", "reason": "同一电表合同"})
    assert (told["enterprise_id"], told["decided"]) == (second, 1)
    (kept,) = told["decisions"]
    assert (kept["who"], kept["reason"], kept["verdict"]) == ("local administrator", "同一电表合同", "accept")
    assert next(i for i in review.items(desk.warehouse) if i["id"] == item["id"])["state"] == "accepted"
    assert item["id"] in {i["id"] for i in desk.get("review", state="accepted")["items"]}
    with desk.warehouse.read() as db:
        action, detail = db.execute("SELECT action, detail FROM audit ORDER BY at DESC LIMIT 1").fetchone()
    assert action == "desk.review" and "同一电表合同" in detail
    desk.post(f"review/{item['id']}", {"verdict": "reopen"})


def _state(home: Warehouse) -> tuple[list[Any], list[Any]]:
    """What waits, and the decisions that count."""
    with home.read() as db:
        counting = sorted(store.decisions(db).iter_rows())
    return review.items(home), counting


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_decision_and_its_undoing_leave_everything_as_it_was(desk: Asking, data: st.DataObject) -> None:
    before = _state(desk.warehouse)
    waiting = [i for i in before[0] if i["kind"] != "proposal"]
    item = data.draw(st.sampled_from(waiting))
    verdict = data.draw(st.sampled_from(["reject", "accept"] if item["candidates"] else ["reject"]))
    body: dict[str, object] = {"verdict": verdict}
    if verdict == "accept" or (item["candidates"] and data.draw(st.booleans())):
        body["enterprise"] = str(data.draw(st.integers(1, len(item["candidates"]))))
    assert desk.post(f"review/{item['id']}", body)["decided"] == 1
    assert _state(desk.warehouse)[1] != before[1]
    desk.post(f"review/{item['id']}", {"verdict": "reopen", "reason": "undone"})
    assert _state(desk.warehouse) == before


def test_a_finding_about_land_can_be_settled_but_not_accepted(desk: Asking) -> None:
    item = desk.get("review", kind="land", limit=1)["items"][0]
    assert desk.post(f"review/{item['id']}", {"verdict": "accept"}, status=400)["code"] == "only_settled"
    desk.post(f"review/{item['id']}", {"verdict": "reject", "reason": "as built"})
    assert item["id"] not in {i["id"] for i in desk.get("review", kind="land", limit=500)["items"]}
    desk.post(f"review/{item['id']}", {"verdict": "reopen"})
    assert item["id"] in {i["id"] for i in desk.get("review", kind="land", limit=500)["items"]}


def test_taking_a_code_while_somebody_writes_says_so_and_changes_nothing(desk: Asking) -> None:
    item = desk.get("review", kind="proposal", limit=1)["items"][0]
    with desk.warehouse.lock("ingest drops"):
        told = desk.post(f"review/{item['id']}", {"verdict": "accept"}, status=409)
        assert desk.get("status", year=2024)["lock"]["action"] == "ingest drops"
    assert told["code"] == "warehouse_busy" and "ingest drops" in told["detail"]
    assert desk.get(f"review/{item['id']}")["decisions"] == []
    assert desk.get("status", year=2024)["lock"] is None


def test_bodies_are_read_strictly(desk: Asking) -> None:
    path = f"review/{_several(desk)['id']}"
    before = desk.get(path)["decisions"]
    for body in ({}, {"verdict": "maybe"}, {"verdict": "reject", "colour": "red"}):
        desk.post(path, body, status=400)
    answer = desk.client.post(f"/api/v1/desk/{path}", data={"verdict": "reject"})
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")
    elsewhere = {"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    answer = desk.client.post(f"/api/v1/desk/{path}", json={"verdict": "reject"}, headers=elsewhere)
    assert answer.status_code == 403
    assert desk.get(path)["decisions"] == before
