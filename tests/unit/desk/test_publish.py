"""Publishing over HTTP: a preview that says what would change, then the change with who and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.publishing import difference
from engine.ranking.run import rank
from engine.releases import find
from engine.states import events
from tests.unit.desk.conftest import Asking

DRAFT = "weights.tax_per_mu=20;weights.sales_per_mu=60"


@pytest.fixture(scope="module")
def second(desk: Asking, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The release of huaian-2024 and a newer one of the same year and policy id, under other weights."""
    old = desk.releases["2024-huaian-2024"]
    text = desk.get("simulate/draft", release=old, changes=DRAFT).decode().replace("huaian-2024-draft", "huaian-2024")
    file: Path = tmp_path_factory.mktemp("pack") / "other.yaml"
    file.write_text(text, "utf-8")
    return old, rank(desk.warehouse, 2024, str(file)).release_id


def test_the_preview_says_what_the_public_would_see_change(desk: Asking, second: tuple[str, str]) -> None:
    old, new = second
    first = desk.get(f"publish/{old}", target="public")
    assert first["public"] == {"before": None, "after": old, "difference": None}
    desk.post(f"publish/{old}", {"state": "public", "reason": "公示七日", "expected": "draft"})
    told = desk.get(f"publish/{new}", target="public")
    assert (told["public"]["before"], told["public"]["after"]) == (old, new)
    simulated = desk.get("simulate", release=old, changes=DRAFT, limit=10000)
    change = told["public"]["difference"]
    assert change["moved"] == simulated["moved"] > 0 and change["matrix"] == simulated["matrix"]
    into = {r["enterprise_id"] for r in simulated["rows"] if r["grade_after"] == "D"}
    out = {r["enterprise_id"] for r in simulated["rows"] if r["grade_before"] == "D"}
    assert {f["enterprise_id"] for f in change["into_worst"]} == into
    assert {f["enterprise_id"] for f in change["out_of_worst"]} == out
    assert (change["into_worst_count"], change["out_of_worst_count"]) == (len(into), len(out))


def test_the_change_is_an_event_with_who_and_why(desk: Asking, second: tuple[str, str]) -> None:
    _, new = second
    done = desk.post(f"publish/{new}", {"state": "public", "reason": " 第二次  公示 ", "expected": "draft"})
    last = events(desk.warehouse, new)[-1]
    assert (last["state"], last["who"], last["reason"]) == ("public", "local administrator", "第二次 公示")
    assert (done["before"], done["state"]) == ("draft", "public")
    with desk.warehouse.read() as db:
        assert db.execute("SELECT COUNT(*) FROM audit WHERE action = 'desk.publish'").fetchone()[0] >= 1


def test_a_state_that_changed_meanwhile_is_a_conflict(desk: Asking, second: tuple[str, str]) -> None:
    _, new = second
    body: dict[str, object] = {"state": "final", "reason": "x", "expected": "draft"}
    told = desk.post(f"publish/{new}", body, status=409)
    assert told["code"] == "wrong_state" and "public" in told["detail"]
    assert desk.post(f"publish/{new}", {"state": "public", "reason": "again"}, status=409)["code"] == "wrong_state"
    assert desk.get(f"publish/{new}", status=409, target="public")["code"] == "wrong_state"


def test_a_reason_is_needed(desk: Asking, second: tuple[str, str]) -> None:
    assert desk.post(f"publish/{second[1]}", {"state": "final", "reason": "  "}, status=400)["code"] == "no_reason"
    assert desk.post(f"publish/{second[1]}", {"state": "final"}, status=400)["code"] == "bad_parameter"
    assert desk.post("publish/nothing", {"state": "final", "reason": "x"}, status=404)["code"] == "unknown_release"


def test_only_one_is_final_and_withdrawing_gives_the_place_back(desk: Asking, second: tuple[str, str]) -> None:
    old, new = second
    desk.post(f"publish/{new}", {"state": "final", "reason": "enacted"})
    assert desk.get(f"publish/{old}", status=409, target="final")["code"] == "already_final"
    told = desk.get(f"publish/{new}", target="withdrawn")
    assert (told["public"]["before"], told["public"]["after"]) == (new, old)
    assert told["may_become"] == ["withdrawn"]
    desk.post(f"publish/{new}", {"state": "withdrawn", "reason": "an error"})
    assert desk.get("simulate", year=2024, policy="huaian-2024")["release_id"] == old


def test_a_policy_without_grades_tells_of_its_bottom_list(desk: Asking) -> None:
    release = find(desk.warehouse, desk.releases["2024-sunan-2017"])
    assert difference(desk.warehouse, release.id, release.id) is None
    told = difference(desk.warehouse, desk.releases["2023-sunan-2017"], release.id)
    assert told is not None and told["worst"] == "bottom" and told["moved"] is None
    assert told["enterprises"] == release.rankings.height and told["into_worst_count"] == len(told["into_worst"]) > 0
