"""Damaged and tampered files of a warehouse: told in one line, found by replay, made whole by ranking again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.e2e.tour import Tour, environment, inside

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tour: Tour, tmp_path: Path) -> Path:
    tour.copy(tmp_path / "data" / "warehouse")
    return tmp_path


def release_of(folder: Path, policy: str) -> Path:
    (place,) = (folder / "data/warehouse/releases").glob(f"2024-{policy}-*")
    return place


def test_replay_sees_a_changed_grade_and_ranking_again_restores_it(folder: Path) -> None:
    place = release_of(folder, "huaian-2024")
    table = pl.read_parquet(place / "rankings.parquet")
    (place / "rankings.parquet").unlink()  # hard links of it would change too
    table.with_columns(grade=pl.lit("A")).write_parquet(place / "rankings.parquet")
    told = inside(folder, "replay", place.name, "--json")
    assert told.code == 1 and told.json()["same"] is False
    assert told.json()["actual_sha256"] == told.json()["expected_sha256"] != told.json()["stored_sha256"]
    assert "damaged or were changed" in inside(folder, "replay", place.name).out
    before = inside(folder, "releases", "--json").json()
    assert inside(folder, "rank", "--year", "2024", "--policy", "huaian-2024").code == 0
    assert inside(folder, "releases", "--json").json() == before  # the same release, made whole
    assert inside(folder, "replay", place.name, "--json").json()["same"] is True


@pytest.mark.parametrize("name", ["rankings.parquet", "manifest.json"])
def test_a_damaged_release_is_told_and_written_anew(folder: Path, name: str) -> None:
    place = release_of(folder, "sunan-2017")
    (place / name).unlink()
    (place / name).write_text("{")
    told = inside(folder, "rankings", "--year", "2024")
    assert told.code == 2 and place.name in told.err and len(told.err.splitlines()) == 1
    assert inside(folder, "rank", "--year", "2024").code == 0
    assert inside(folder, "rankings", "--year", "2024").code == 0


def test_a_damaged_ledger_is_told(folder: Path) -> None:
    for rest in (folder / "data/warehouse").glob("permu.sqlite*"):
        rest.unlink()
    (folder / "data/warehouse/permu.sqlite").write_text("junk " * 1000)
    for words in ("status", "merge --year 2024", "releases"):
        told = inside(folder, *words.split())
        assert told.code == 2 and "no readable ledger" in told.err, told.err


def test_a_reader_that_leaves_is_no_failure(folder: Path) -> None:
    line = "permu rankings --year 2024 | head -1 >/dev/null; echo ${PIPESTATUS[0]}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "0", done.stderr


def test_nobody_fits_is_said(folder: Path) -> None:
    told = inside(folder, "rankings", "--year", "2024", "--region", "99")
    assert told.code == 0 and "no enterprise fits" in told.err
