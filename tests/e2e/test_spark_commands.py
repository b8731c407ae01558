"""``permu rank --engine spark``: the same release as Polars, locally and by Spark Connect, and nothing left running."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.releases import find
from engine.schema.warehouse import Warehouse
from tests.e2e.tour import Done, environment, permu
from tests.processes import alive
from tests.spark import needs_java, settings_in

pytestmark = pytest.mark.slow
RANK = ("rank", "--year", "2024", "--engine", "spark", "--json")


@pytest.fixture
def copied(demo_home: Warehouse, tmp_path: Path) -> Path:
    """A copy of the small demo under ``data/warehouse``, its releases taken away."""
    home = tmp_path / "data" / "warehouse"
    shutil.copytree(demo_home.home, home, ignore=shutil.ignore_patterns("lock"))
    shutil.rmtree(home / "releases")
    (home / "releases").mkdir()
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"SPARK_CONF_DIR": str(settings_in(tmp_path / "conf"))}


def same_release(folder: Path, demo_home: Warehouse, done: Done) -> None:
    """The release is there, under the id and with the hash that Polars gave."""
    assert done.code == 0, done.err
    said, expected = done.json(), find(demo_home, year=2024, policy="sunan-2017").manifest
    assert said["engine"] == "spark" and said["rows"] == 400
    assert said["rankings_sha256"] == expected["rankings_sha256"]
    assert said["release_id"] == expected["release_id"]
    assert permu(folder, "replay", said["release_id"], "--json").json()["same"]
    assert not list((folder / "data" / "warehouse" / "tmp").iterdir())


@needs_java
def test_local(copied: Path, demo_home: Warehouse, settings: dict[str, str]) -> None:
    done = permu(copied, *RANK, **settings)
    same_release(copied, demo_home, done)
    assert "WARN" not in done.err and "Spark" not in done.err


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, str]) -> Iterator[str]:
    """A Spark Connect server of this test's own, from pyspark's own files."""
    spec = find_spec("pyspark")
    assert spec and spec.origin
    home = Path(spec.origin).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [home / "bin" / "spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    words += [
        "--conf",
        f"spark.connect.grpc.binding.port={port}",
        "--conf",
        "spark.connect.grpc.binding.address=127.0.0.1",
    ]
    surroundings = environment(SPARK_HOME=str(home), **settings)
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen([*words, "spark-internal"], env=surroundings, stdout=log, stderr=log, cwd=tmp_path)
    try:
        _wait_for(port, process, tmp_path / "server.log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


@needs_java
def test_remote(copied: Path, demo_home: Warehouse, server: str) -> None:
    same_release(copied, demo_home, permu(copied, *RANK, "--remote", server))


SESSION = """
import sys, time
from pathlib import Path
from engine.ranking.spark import session
with session(Path(sys.argv[1])) as spark:
    print(spark.sparkContext._gateway.proc.pid, flush=True)
    if sys.argv[2] == "stay":
        time.sleep(600)
"""


@needs_java
@pytest.mark.parametrize("end", ["leave", "stay"])
def test_no_jvm_is_left_behind(tmp_path: Path, settings: dict[str, str], end: str) -> None:
    """Neither after a session has ended nor after its process was killed."""
    root = Path(__file__).parents[2]
    surroundings = environment(**settings) | {"PYTHONPATH": str(root)}
    words = [sys.executable, "-c", SESSION, str(tmp_path / "log"), end]
    with subprocess.Popen(words, env=surroundings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        jvm = int(process.stdout.readline())
        if end == "stay":
            assert alive(jvm)
            os.kill(process.pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while alive(jvm) and time.monotonic() < until:
        time.sleep(0.2)
    assert not alive(jvm)


# what is missing → environment, more words, code and words of the one line
def refused(folder: Path, code: str, words: list[str], *more: str, **env: str) -> None:
    done = permu(folder, "rank", "--year", "2024", *more, "--json", **env)
    assert done.code == 2 and "Traceback" not in done.err, done.err
    assert done.json()["error"]["code"] == code
    assert all(w in done.err for w in words), done.err
    assert len(done.err.strip().splitlines()) == 1


def test_without_pyspark(copied: Path) -> None:
    """A module of that name that cannot be imported stands for none."""
    (copied / "none" / "pyspark").mkdir(parents=True)
    (copied / "none" / "pyspark" / "__init__.py").write_text("raise ImportError('not here')")
    refused(copied, "no_spark", ["pip install 'permu[spark]'"], "--engine", "spark", PYTHONPATH=str(copied / "none"))


def test_without_java(copied: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("permu", "bash", "dirname", "python3"):
        found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        assert found
        (tools / name).symlink_to(found)
    script = (tools / "permu").resolve()
    done = subprocess.run(
        [sys.executable, str(script), *RANK], cwd=copied, capture_output=True, text=True, timeout=120,
        env=environment(JAVA_HOME="") | {"PATH": str(tools)},
    )  # fmt: skip
    assert done.returncode == 2 and "no_java" in done.stdout
    assert "openjdk-17-jre-headless" in done.stderr and "Traceback" not in done.stderr


def test_a_server_that_is_not_there(copied: Path) -> None:
    begun = time.monotonic()
    refused(copied, "spark_failed", ["sc://127.0.0.1:9"], "--engine", "spark", "--remote", "sc://127.0.0.1:9")
    refused(copied, "spark_failed", ["sc://HOST:PORT"], "--engine", "spark", "--remote", "http://x")
    assert time.monotonic() - begun < 60


def test_a_remote_without_spark(copied: Path) -> None:
    refused(copied, "remote_without_spark", ["--engine spark"], "--remote", "sc://127.0.0.1:9")
