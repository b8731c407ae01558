"""Ingest under bad luck: killed at every step and at random moments, twice at once, on a full or read-only disk."""

from __future__ import annotations

import ctypes
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from tests.e2e.killed import HEAD, A, state

PERMU = str(Path(sys.executable).with_name("permu"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PERMU_")} | {"PERMU_LANG": "en"}


def permu(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The installed command, run to its end."""
    args = [PERMU, *map(str, words)]
    return subprocess.run(args, capture_output=True, text=True, env=ENVIRONMENT, timeout=120, **options)


def big(path: Path, rows: int, value: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"企业{i},2024{i % 12 + 1:02d},{value + i}\n" for i in range(rows))
    path.write_text("纳税人名称,所属期,增值税\n" + "".join(lines), "utf-8")
    return path


# --- killed ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "least"), [("ingest", 80), ("replay", 40), ("first", 60)])
def test_killed_at_every_step(checkout: Path, tmp_path: Path, scenario: str, least: int) -> None:
    words = [sys.executable, "-m", "tests.e2e.killed", str(tmp_path), scenario]
    environment = ENVIRONMENT | {"POLARS_MAX_THREADS": "1"}
    done = subprocess.run(words, cwd=checkout, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"{scenario}: killed at {done.stdout.strip()} steps")
    assert int(done.stdout) >= least


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """Steps of native code (Parquet, Polars) that no Python hook sees: while a load is being built, by the clock."""
    for n in range(6):
        big(tmp_path / "in" / f"{n}.csv", 20_000, n * 1000)
    words = ["ingest", str(tmp_path / "in"), "--source", "state_tax", "--home"]
    reference, home = Warehouse(tmp_path / "reference"), Warehouse(tmp_path / "home")
    assert permu(*words, reference.home).returncode == 0
    chance, kills, until = random.Random(2024), 0, time.monotonic() + 240
    while kills < 8:
        assert time.monotonic() < until, f"only {kills} kills came in time"
        if state(home) == state(reference):
            shutil.rmtree(home.home)
        process = subprocess.Popen([PERMU, *words, str(home.home)], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        while process.poll() is None and not (home.tmp.is_dir() and any(home.tmp.glob("*/canonical"))):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.25))
        process.kill()
        kills += process.wait() == -9
        state(home)  # asserts that every load of the ledger is whole
    assert permu(*words, home.home).returncode == 0
    assert state(home) == state(reference)
    assert not list(home.tmp.iterdir())


# --- two at once ---------------------------------------------------------------------------------------------------


def test_the_second_is_told_who_writes_since_when(home: Warehouse, tmp_path: Path) -> None:
    path = big(tmp_path / "a.csv", 10)
    with home.lock("merge 2024"):
        done = permu("ingest", path, "--source", "state_tax", "--home", home.home)
        assert done.returncode == 2
        assert f"merge 2024 (pid {os.getpid()}" in done.stderr and "since 20" in done.stderr and "--wait" in done.stderr
        dry = permu("ingest", path, "--source", "state_tax", "--home", home.home, "--dry-run")
        assert dry.returncode == 0  # reading is free
    assert not home.ledger.exists()


def test_the_second_waits_when_asked(home: Warehouse, tmp_path: Path) -> None:
    words = [
        PERMU,
        "ingest",
        str(big(tmp_path / "a.csv", 10)),
        "--source",
        "state_tax",
        "--home",
        str(home.home),
        "--wait",
    ]
    with home.lock("merge 2024"):
        process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(4)
        assert not home.ledger.exists()
    assert process.wait(60) == 0
    assert len(state(home)) == 2


def test_two_at_once_lose_nothing(home: Warehouse, tmp_path: Path) -> None:
    for n in (1, 2):
        big(tmp_path / str(n) / f"{n}.csv", 5_000, n)
    words = [
        [PERMU, "ingest", str(tmp_path / n), "--source", "state_tax", "--home", str(home.home), "--wait"] for n in "12"
    ]
    both = [subprocess.Popen(w, env=ENVIRONMENT, stdout=subprocess.DEVNULL) for w in words]
    assert [p.wait(100) for p in both] == [0, 0]
    assert len(state(home)) == 3


# --- no room, no right ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1_000, 4_000, 20_000, 33_000, 60_000, 150_000])
def test_a_full_disk(home: Warehouse, tmp_path: Path, limit: int) -> None:
    """No file may grow over ``limit`` bytes: writes fail as on a full disk, at another place for each limit."""
    (tmp_path / "old.csv").write_text(f"{HEAD}{A},甲,202401,1\n", "utf-8")
    ingest(home, [tmp_path / "old.csv"], source="state_tax")
    before = state(home)
    path = big(tmp_path / "new.csv", 30_000)
    words = ("ingest", path, "--source", "state_tax", "--home", home.home)
    full = permu(*words, "--json", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert (full.returncode, "Traceback" in full.stderr) == (2, False), full.stderr
    if limit:  # with 0 the answer itself cannot be written anywhere but to a pipe
        assert json.loads(full.stdout)["error"]["code"] == "write_failed"
    assert "not loaded" in full.stderr and len(full.stderr.strip().splitlines()) == 1
    assert state(home) == before
    assert permu(*words).returncode == 0
    assert len(state(home)) == len(before) + 1


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = big(tmp_path / "a.csv", 10)
    (tmp_path / "file").write_text("x")
    done = permu("ingest", path, "--source", "state_tax", "--home", tmp_path / "file" / "home")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "not loaded" in done.stderr and str(tmp_path / "file") in done.stderr


def _without_override() -> None:
    """Give up the right to pass over permissions, as root has it (CAP_DAC_OVERRIDE, for what is started next)."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def test_a_read_only_home(home: Warehouse, tmp_path: Path) -> None:
    """What would be written is refused with one line, and nothing is lost."""
    ingest(home, [big(tmp_path / "a.csv", 10)], source="state_tax")
    folders = [home.home, *(p for p in home.home.rglob("*") if p.is_dir())]
    path = big(tmp_path / "b.csv", 20)
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = permu("ingest", path, "--source", "state_tax", "--home", home.home, preexec_fn=_without_override)
        read = permu("status", "--home", home.home, "--json", preexec_fn=_without_override)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "Permission denied" in done.stderr and "give access" in done.stderr
    assert read.returncode == 0 and json.loads(read.stdout)["coverage"][0]["kept"] == 10, read.stderr
    assert len(state(home)) == 2


def test_a_home_with_spaces_and_ideographs(tmp_path: Path) -> None:
    home = Warehouse(tmp_path / "数据 仓库 [1] 50%?" / "2024 年 #1")
    path = big(tmp_path / "新 建 文件夹" / "税 收*[1].csv", 10)
    for _ in range(2):
        assert permu("ingest", path, "--source", "state_tax", "--home", home.home).returncode == 0
    big(path, 12, 5)
    assert permu("ingest", path, "--source", "state_tax", "--home", home.home).returncode == 0
    done = permu("status", "--home", home.home, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["coverage"][0]["kept"] == 12
    assert permu("refused", "export", "--out", tmp_path / "退 回.xlsx", "--home", home.home).returncode == 0
