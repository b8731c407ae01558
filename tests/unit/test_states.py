"""States of a release, and what may be purged, on a copy of the small demo."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.purge import purge, unused
from engine.ranking.run import rank, replayed_sha256
from engine.releases import find, list_releases
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from engine.states import change_state, events
from ingest.load import ingest
from ingest.merge import merge


@pytest.fixture
def demo(demo_folder: Path, tmp_path: Path) -> Warehouse:
    """A warehouse of this test's own."""
    return Warehouse(shutil.copytree(demo_folder / "warehouse", tmp_path / "warehouse"))


def newest(demo: Warehouse, year: int = 2024) -> str:
    return find(demo, year=year).id


def state(demo: Warehouse, release: str) -> str:
    return next(r["state"] for r in list_releases(demo) if r["release_id"] == release)


def test_draft_public_final_withdrawn(demo: Warehouse) -> None:
    release = newest(demo)
    for step in ("public", "final", "withdrawn"):
        change = change_state(demo, release, step, f"  because\n{step} ", by="王")
        assert (change.state, change.reason, change.who) == (step, f"because {step}", "王")
        assert state(demo, release) == step
    told = events(demo, release)
    assert [e["state"] for e in told] == ["draft", "public", "final", "withdrawn"]
    assert [e["who"] for e in told][1:] == ["王"] * 3
    with pytest.raises(PermuError) as none:
        find(demo, year=2024)
    assert none.value.code == "no_release"


REFUSED = [
    (["public"], "public", "wrong_state"),
    (["public", "final"], "public", "wrong_state"),
    (["withdrawn"], "public", "wrong_state"),
    (["withdrawn"], "withdrawn", "wrong_state"),
    ([], "draft", "wrong_state"),
    ([], "secret", "wrong_state"),
]


@pytest.mark.parametrize(("before", "asked", "code"), REFUSED)
def test_a_state_that_does_not_follow_is_refused(demo: Warehouse, before: list[str], asked: str, code: str) -> None:
    release = newest(demo)
    for step in before:
        change_state(demo, release, step, "reason")
    with pytest.raises(PermuError) as why:
        change_state(demo, release, asked, "reason")
    assert why.value.code == code and release in why.value.en


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_a_change_without_reason_is_refused(demo: Warehouse, reason: str) -> None:
    with pytest.raises(PermuError) as why:
        change_state(demo, newest(demo), "public", reason)
    assert why.value.code == "no_reason" and state(demo, newest(demo)) == "draft"


def test_a_dry_run_changes_nothing(demo: Warehouse) -> None:
    assert change_state(demo, newest(demo), "public", "try", dry_run=True).state == "public"
    assert state(demo, newest(demo)) == "draft"


def test_one_final_release_a_year_and_policy(demo: Warehouse, tmp_path: Path) -> None:
    first = newest(demo)
    change_state(demo, first, "final", "decided")
    second = _another(demo, tmp_path)
    with pytest.raises(PermuError) as why:
        change_state(demo, second, "final", "decided again")
    assert why.value.code == "already_final" and first in why.value.en
    change_state(demo, first, "withdrawn", "objection upheld")
    assert change_state(demo, second, "final", "decided again").before == "draft"


def _another(demo: Warehouse, tmp_path: Path) -> str:
    """A second release of 2024: one more record of statistics came."""
    file = tmp_path / "补报.csv"
    file.write_text("组织机构代码,单位名称,主营业务收入(万元)\n551385082,示例补报厂,1\n", encoding="utf-8")
    ingest(demo, [file], source="statistics", year=2024)
    merge(demo, 2024)
    return rank(demo, 2024, "sunan-2017").release_id


def test_purge_takes_what_nothing_stands_on(demo: Warehouse, tmp_path: Path) -> None:
    assert unused(demo) == []
    merge(demo, 2024)  # the merge before has releases
    assert unused(demo) == []
    merge(demo, 2024)  # the one between has none
    (one,) = unused(demo)
    assert one.kind == "merge" and one.bytes > 0 and one.paths[0].is_dir()
    assert purge(demo) == [one]
    assert not one.paths[0].exists() and unused(demo) == []
    for release in list_releases(demo):
        whole = find(demo, release["release_id"])
        assert replayed_sha256(demo, whole) == whole.manifest["rankings_sha256"]
    with demo.read() as db:
        assert [r["action"] for r in db.execute("SELECT action FROM audit")] == ["purge"]


def test_replaced_files_go_only_when_asked_and_unread(demo: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "hr"
    folder.mkdir()
    for insured in (5, 7):  # the second file of this name replaces the first
        (folder / "参保.csv").write_text(f"统一社会信用代码,参保人数\n91110108551385082Q,{insured}\n", encoding="utf-8")
        ingest(demo, [folder], source="hr", year=2021)
    assert unused(demo) == []
    (one,) = unused(demo, loads=True)
    assert (one.kind, one.year) == ("load", 2021)
    purge(demo, loads=True)
    assert not any(p.exists() for p in one.paths) and unused(demo, loads=True) == []
