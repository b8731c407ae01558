"""The command line in an empty folder: a small demo taken all the way, each command's JSON kept."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from cli.main import run

ENTERPRISES = 250
COMMANDS = {
    "demo": f"demo --enterprises {ENTERPRISES} --years 2023-2024",
    "ingest": "ingest data/demo/drops",
    "merge 2023": "merge --year 2023",
    "merge 2024": "merge --year 2024",
    "rank 2023": "rank --year 2023 --policy sunan-2017",
    "rank 2024": "rank --year 2024 --policy sunan-2017",
    "rank huaian": "rank --year 2024 --policy huaian-2024",
}


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Tour:
    """A folder with a warehouse under data/, and what the commands said while it was made."""

    folder: Path
    said: dict[str, Done] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The warehouse."""
        return self.folder / "data" / "warehouse"

    def copy(self, place: Path) -> Path:
        """A copy of the warehouse, to be written to. Other workers read it meanwhile: SQLite's files for that come and go."""
        copied = shutil.copytree(self.home, place, ignore=shutil.ignore_patterns("*-shm", "*-wal", "lock", "tmp"))
        (place / "tmp").mkdir()
        return Path(copied)


def environment(**more: str) -> dict[str, str]:
    """The caller's environment without what would lead permu elsewhere."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PERMU_", "PYTHON", "COV", "PORT"))}
    return clean | {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}", "PERMU_LANG": "en"} | more


def permu(folder: Path, *words: str, **more: str) -> Done:
    """Run ``permu`` in ``folder``."""
    done = subprocess.run(
        ["permu", *words], cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=300
    )
    return Done(done.returncode, done.stdout, done.stderr)


def inside(folder: Path, *words: str, **more: str) -> Done:
    """The same in this process, without the second that a new one takes to start."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    surroundings = mock.patch.dict(os.environ, environment(**more), clear=True)
    with contextlib.chdir(folder), surroundings, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run(list(words))
        except SystemExit as ended:
            code = ended.code
    said, told = (stream.buffer.getvalue().decode() for stream in (out, err))
    return Done(code if isinstance(code, int) else 0, said, told)


def make(folder: Path) -> Tour:
    """Take a small demo all the way to three releases."""
    tour = Tour(folder)
    for name, line in COMMANDS.items():
        tour.said[name] = done = permu(folder, *line.split(), "--json")
        assert done.code in (0, 1), f"{line}: {done.err}"
    said = {name: asdict(done) for name, done in tour.said.items()}
    _said(folder).write_text(json.dumps(said), encoding="utf-8")
    return tour


def said_in(folder: Path) -> dict[str, Done]:
    """What the commands said that made the folder."""
    return {name: Done(**done) for name, done in json.loads(_said(folder).read_text(encoding="utf-8")).items()}


def _said(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-said.json")


def state(home: Path) -> dict[str, str]:
    """What a warehouse holds: the SHA-256 of every file and of the ledger's content; the lock's text does not count."""
    found = {}
    for file in sorted(f for f in home.rglob("*") if f.is_file() and f.name != "lock"):
        if not file.name.startswith("permu.sqlite"):
            found[str(file.relative_to(home))] = hashlib.sha256(file.read_bytes()).hexdigest()
    ledger = home / "permu.sqlite"
    if ledger.is_file():
        with contextlib.closing(sqlite3.connect(ledger)) as db:
            found["ledger"] = hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()
    return found
