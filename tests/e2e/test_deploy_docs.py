"""docs/deploy.md: its unit is valid and starts a server, its backup restores, its settings and options are all there."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.operations import metrics, settings
from api.rights import users
from cli.main import application
from engine.releases import list_releases
from engine.schema.warehouse import Warehouse
from tests.e2e.page.conftest import free_port, wait_for

PERMU = str(Path(sys.executable).with_name("permu"))


@pytest.fixture(scope="module")
def text(checkout: Path) -> str:
    return (checkout / "docs" / "deploy.md").read_text("utf-8")


def block(text: str, kind: str) -> str:
    """The one block of this kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S)
    assert len(found) == 1
    return str(found[0])


def unit(text: str) -> dict[str, str]:
    """The settings of the unit's service section."""
    return dict(line.split("=", 1) for line in block(text, "ini").splitlines() if "=" in line and line[0] != "#")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs Debian's systemd")
def test_systemd_takes_the_unit(text: str, tmp_path: Path) -> None:
    here = re.sub(r"^(User|Group)=permu\n", "", block(text, "ini"), flags=re.M)  # this machine has no such account
    file = tmp_path / "permu.service"
    file.write_text(here.replace("/usr/local/lib/permu/bin/permu", PERMU), "utf-8")
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    about = [line for line in ended.stderr.splitlines() if "permu" in line]
    assert ended.returncode == 0 and about == [], ended.stderr


def test_the_unit_shuts_the_service_in(text: str) -> None:
    held = unit(text)
    for name in (
        "NoNewPrivileges",
        "ProtectSystem",
        "ProtectHome",
        "PrivateTmp",
        "RestrictAddressFamilies",
        "SystemCallFilter",
    ):
        assert held[name]
    assert held["CapabilityBoundingSet"] == "" and held["UMask"] == "0077" and held["User"] == "permu"


def test_the_units_command_starts_a_server(text: str, demo_home: Warehouse, tmp_path: Path) -> None:
    line = unit(text)["ExecStart"].replace("/usr/local/lib/permu/bin/permu", PERMU)
    port = free_port()
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy2(demo_home.ledger, home / "permu.sqlite")
    users.add(Warehouse(home), "wang", "land_bureau", "320500")
    process = subprocess.Popen(
        shlex.split(line.replace("--port 8000", f"--port {port}")),
        env={**os.environ, "PERMU_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
    finally:
        process.terminate()
        assert process.wait(timeout=30) in (0, -15)


def test_the_backup_restores(text: str, demo_home: Warehouse, tmp_path: Path) -> None:
    backup, home = tmp_path / "backup", tmp_path / "restored"
    around = {**os.environ, "BACKUP": str(backup), "PATH": f"{Path(PERMU).parent}:{os.environ['PATH']}"}
    for kind, place in (("bash backup", demo_home.home), ("bash restore", home)):
        script = "set -eu\n" + block(text, kind)
        ended = subprocess.run(
            ["bash", "-c", script],
            env={**around, "PERMU_HOME": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode in (0, 1), ended.stderr  # 1: the demo has something for a person to look at
    back = Warehouse(home)
    assert list_releases(back) == list_releases(demo_home)
    for release in list_releases(back):
        places = [w.releases / release["release_id"] / "rankings.parquet" for w in (demo_home, back)]
        assert places[0].read_bytes() == places[1].read_bytes()
    newest = list_releases(back)[0]["release_id"]
    told = subprocess.run(
        [PERMU, "replay", newest, "--home", str(home), "--json"], capture_output=True, text=True, check=False
    )
    assert '"same": true' in told.stdout, told.stderr


def test_every_option_setting_and_metric_is_told(text: str, checkout: Path) -> None:
    import typer

    command = typer.main.get_command(application([]))
    options = [o for p in command.commands["serve"].params for o in p.opts if o.startswith("--")]  # type: ignore[attr-defined]
    assert [o for o in options if o not in ("--home", "--json") and f"`{o}`" not in text] == []
    read = set(re.findall(r'"(PERMU_[A-Z_]+)"', Path(settings.__file__).read_text("utf-8")))
    assert len(read) > 8 and [name for name in read if f"`{name}`" not in text] == []
    names = {m.name + ("_total" if m.type == "counter" else "") for m in metrics.REGISTRY.collect()}
    assert [name for name in names if f"`{name}`" not in text] == []
    default = {f.name: f.default for f in dataclasses.fields(settings.Settings)}
    assert f"| {default['rate']:g}, {default['burst']} |" in text and f"| {default['session_hours']:g} |" in text


def test_the_containers_steps_hold_here(checkout: Path) -> None:
    """Without a registry: what it copies exists or is made by its own first line, what it runs is a command of ours."""
    said = (checkout / "Containerfile").read_text("utf-8")
    assert re.findall(r"^FROM (\S+)$", said, re.M) == ["debian:13-slim"]
    assert (checkout / "requirements" / "run.txt").is_file() and "--require-hashes" in said
    assert "http://" not in said.replace("http://127.0.0.1", "") and "https://" not in said
    words = re.search(r"^CMD (\[.*\])$", said, re.M)
    assert words and json.loads(words[1])[0] == "serve" and re.search(r"^USER permu$", said, re.M)
    healthy = re.search(r'"-c", "(.*)"\]', said)
    assert healthy and compile(healthy[1], "health", "exec")
    installed = re.search(r"apt-get install -y --no-install-recommends (.*) \\", said)
    assert installed and {"python3", "python3-venv", "fonts-noto-cjk"} <= set(installed[1].split())
