"""Killed at any moment: the releases that were there are whole, and the next run does what was asked."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.ranking.run import replayed_sha256
from engine.releases import list_releases, open_release
from engine.schema.warehouse import Warehouse
from tests.e2e.tour import Tour, environment, inside

pytestmark = pytest.mark.slow

# Runs the command and kills itself the n-th time that a place of the code is reached: before or after a call.
_DIES = """
import os, signal, sys
point, count, *words = sys.argv[1:]
left = int(count)

def here(name):
    global left
    if name == point:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def around(owner, name, label):
    real = getattr(owner, name)
    def wrapped(*args, **kwargs):
        here("before " + label)
        result = real(*args, **kwargs)
        here("after " + label)
        return result
    setattr(owner, name, wrapped)

import sqlite3
import engine.ranking.run, ingest.merge
from cli.main import run
for module in (engine.ranking.run, ingest.merge):
    around(module, "settle", "settle")
real_connect = sqlite3.connect
class Dying(sqlite3.Connection):
    def execute(self, sql, *args):
        word = sql.split()[0]
        here("before " + word)
        result = super().execute(sql, *args)
        here("after " + word)
        return result
sqlite3.connect = lambda *a, **k: real_connect(*a, **({"factory": Dying} | k))
around(ingest.merge.land, "occupancy", "land")
around(engine.ranking.run, "compute", "compute")
run(words)
"""
POINTS = {
    "merge --year 2024": ["after land 1", "before settle 1", "after settle 1", "before INSERT 1", "before COMMIT 1", "after COMMIT 1"],
    "rank --year 2024 --policy huaian-2024": [
        "before compute 1", "after compute 1", "before settle 1", "after settle 1", "after INSERT 1", "before COMMIT 1", "after COMMIT 1",
    ],
}  # fmt: skip


@pytest.fixture
def copy(tour: Tour, tmp_path: Path) -> Warehouse:
    """A copy of the warehouse, to be killed in, without the composite release."""
    tour.copy(tmp_path / "home")
    home = Warehouse(tmp_path / "home")
    release = tour.said["rank huaian"].json()["release_id"]
    shutil.rmtree(home.releases / release)
    with home.connect() as db:
        db.execute("DELETE FROM releases WHERE release_id = ?", (release,))
        db.execute("DELETE FROM release_events WHERE release_id = ?", (release,))
    return home


def killed(home: Warehouse, point: str, line: str) -> None:
    name, _, count = point.rpartition(" ")
    words = [*line.split(), "--home", str(home.home)]
    done = subprocess.run(
        [sys.executable, "-c", _DIES, name, count, *words],
        env=environment(),
        cwd=home.home,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == -9, f"{point} was never reached: {done.stderr.decode()[-500:]}"


def whole(tour: Tour, home: Warehouse, expected: set[str]) -> None:
    """The expected releases are listed and are what they were, byte for byte; any other computes again to its own hash."""
    known = {r["release_id"] for r in list_releases(home)}
    assert known >= expected
    for release_id in known:
        release = open_release(home.releases / release_id)
        assert release.rankings.height == release.manifest["counts"]["enterprises"]
        if release_id not in expected:
            assert replayed_sha256(home, release) == release.manifest["rankings_sha256"]
    for release_id in expected:
        there, were = (_bytes(base.joinpath("releases", release_id)) for base in (home.home, tour.home))
        assert there == were


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def next_run(home: Warehouse, line: str) -> None:
    done = inside(home.home, *line.split(), "--home", str(home.home), "--json")
    assert done.code in (0, 1), done.err
    assert list(home.tmp.iterdir()) == []


@pytest.mark.parametrize(("line", "point"), [(line, p) for line, points in POINTS.items() for p in points])
def test_killed_at_a_named_moment(tour: Tour, copy: Warehouse, line: str, point: str) -> None:
    before = {r["release_id"] for r in list_releases(copy)}
    killed(copy, point, line)
    whole(tour, copy, before)
    next_run(copy, line)
    next_run(copy, "rank --year 2024 --policy huaian-2024")
    whole(tour, copy, before)
    hashes = {r["policy"]: r["rankings_sha256"] for r in list_releases(copy) if r["year"] == 2024}
    assert hashes["huaian-2024"] == tour.said["rank huaian"].json()["rankings_sha256"]


@pytest.mark.parametrize("line", POINTS)
def test_killed_at_any_moment(tour: Tour, copy: Warehouse, line: str) -> None:
    before = {r["release_id"] for r in list_releases(copy)}
    dice = random.Random(line)
    for _ in range(4):
        run = subprocess.Popen(["permu", *line.split(), "--home", str(copy.home)], env=environment(), cwd=copy.home)
        time.sleep(dice.uniform(0.5, 2.0))
        run.kill()
        run.wait()
        whole(tour, copy, before)
    next_run(copy, line)


def test_a_second_writer_is_told_who_holds_the_warehouse(copy: Warehouse) -> None:
    with copy.lock("merge 2023"):
        done = inside(copy.home, "merge", "--year", "2024", "--home", str(copy.home))
    assert done.code == 2 and "merge 2023" in done.err and "pid" in done.err
