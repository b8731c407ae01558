"""``permu publish | withdraw | purge`` on a copy of the tour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.tour import Done, Tour, inside

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tour: Tour, tmp_path: Path) -> Path:
    tour.copy(tmp_path / "data" / "warehouse")
    return tmp_path


def said(folder: Path, *words: str) -> Done:
    return inside(folder, *words, "--json")


def test_publish_withdraw_and_what_answers_then(folder: Path) -> None:
    (release,) = {r["release_id"] for r in said(folder, "releases").json()["releases"] if r["policy"] == "huaian-2024"}
    tried = said(folder, "publish", release, "--state", "public", "--reason", "7 days", "--dry-run")
    assert tried.json()["dry_run"] is True
    done = said(folder, "publish", release, "--state", "public", "--reason", "7 days")
    assert done.code == 0 and (done.json()["before"], done.json()["state"]) == ("draft", "public")
    again = said(folder, "publish", release, "--state", "public", "--reason", "7 days")
    assert again.code == 2 and again.json()["error"]["code"] == "wrong_state" and "Traceback" not in again.err
    assert said(folder, "withdraw", release, "--reason", "objection").json()["state"] == "withdrawn"
    gone = said(folder, "rankings", "--year", "2024", "--policy", "huaian-2024")
    assert gone.code == 2 and gone.json()["error"]["code"] == "no_release"
    assert said(folder, "replay", release).json()["same"] is True  # kept, and still checked by its id


def test_purge_says_what_goes(folder: Path) -> None:
    assert said(folder, "purge").json() == {"dry_run": False, "removed": [], "bytes": 0}
    for _ in range(2):
        assert said(folder, "merge", "--year", "2023").code in (0, 1)
    would = said(folder, "purge", "--dry-run").json()
    assert [one["kind"] for one in would["removed"]] == ["merge"] and would["bytes"] > 0
    assert said(folder, "purge").json()["removed"] == would["removed"]
    assert said(folder, "purge", "--dry-run").json()["removed"] == []
