"""The commands of both READMEs: the same in both languages, and they run, in an empty folder, on a small demo."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

READMES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"^```(sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# permu ends with 1 when it is done but a person should look; anything above stops the tour.
STRICT = """set -o pipefail
step() { code=$?; [ $code -le 1 ] || { echo "README command $1 ended with $code" >&2; exit $code; }; }
"""


def commands(text: str) -> list[str]:
    """The lines of the ```sh blocks, without comments."""
    blocks = [body for kind, body in BLOCK.findall(text) if kind == "sh"]
    return [line for body in blocks for line in body.splitlines() if line and not line.startswith("#")]


def made(text: str) -> set[str]:
    """The make targets that the other blocks name."""
    blocks = [body for kind, body in BLOCK.findall(text) if not kind]
    return {target for body in blocks for target in re.findall(r"^make (\w+)", body, re.MULTILINE)}


def test_both_languages_show_the_same_commands(checkout: Path) -> None:
    english, chinese = ((checkout / name).read_text("utf-8") for name in READMES)
    assert commands(english) == commands(chinese)
    assert made(english) == made(chinese) == {"run", "test"}
    assert len(re.findall("^#", english, re.MULTILINE)) == len(re.findall("^#", chinese, re.MULTILINE))


def test_tour_shows_the_main_commands(checkout: Path) -> None:
    tour = "\n".join(commands((checkout / "README.md").read_text("utf-8")))
    for name in ("demo", "ingest", "merge", "rank", "rankings", "explain", "releases", "status", "serve"):
        assert f"permu {name}" in tour, name


@pytest.mark.parametrize("name", READMES)
def test_links_lead_somewhere(checkout: Path, name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (checkout / name).read_text("utf-8"))
    assert links
    assert [link for link in links if not (checkout / link).exists()] == []


def test_make_knows_the_targets(checkout: Path) -> None:
    for target in ("run", "demo", "page", "shots", "test", "check", "bench", "conformance", "help"):
        done = subprocess.run(["make", "-n", target], cwd=checkout, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def _environment() -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PERMU_", "PYTHON", "COV"))}
    return clean | {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}"}


def _serves(command: str, folder: Path) -> None:
    """Start the README's server on a free port, ask it, stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = re.sub(r"--port \d+", f"--port {port}", command).split()
    server = subprocess.Popen(asked, cwd=folder, env=_environment())
    try:
        for path in ("/readyz", "/", "/docs", "/api/v1/rankings?year=2024&limit=1"):
            assert _answers(f"http://127.0.0.1:{port}{path}", server) == 200, path
    finally:
        server.terminate()
        assert server.wait(20) in (0, -15)


def _answers(url: str, server: subprocess.Popen[bytes], seconds: float = 30) -> int:
    until = time.monotonic() + seconds
    while True:
        try:
            with urlopen(url, timeout=10) as answer:
                return int(answer.status)
        except URLError:
            assert server.poll() is None, f"the server ended with {server.returncode}"
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.mark.slow
def test_commands_run(checkout: Path, tmp_path: Path) -> None:
    lines = commands((checkout / "README.md").read_text("utf-8"))
    serve = [line for line in lines if line.startswith("permu serve")]
    tour = [re.sub(r"--enterprises \d+", "--enterprises 300", line) for line in lines if line not in serve]
    assert len(serve) == 1 and sum("--enterprises 300" in line for line in tour) == 1
    script = STRICT + "".join(f"{line}\nstep {number}\n" for number, line in enumerate(tour, 1))
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=_environment(), capture_output=True, text=True, timeout=570
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout[-2000:] + done.stderr[-4000:]
    assert (tmp_path / "bottom.xlsx").read_bytes()[:2] == b"PK"
    _serves(serve[0], tmp_path)
