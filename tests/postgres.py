"""A PostgreSQL server of the test's own: made in a temporary folder, on a free port of this machine, stopped at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_USER, _PASSWORD = "permu_test", "s3cret/p@ss word"


@dataclass(frozen=True)
class Server:
    """Where it listens and who may ask."""

    port: int
    binaries: Path
    user: str = _USER
    password: str = _PASSWORD

    def run(self, sql: str) -> None:
        """Statements that prepare a test's data."""
        told = {**os.environ, "PGPASSWORD": self.password}
        address = f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres"
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", address], input=sql, text=True, check=True, env=told)


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl: Debian keeps them out of the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").is_file() and (f / "pg_ctl").is_file()), None)


def _as_nobody() -> list[str]:
    """PostgreSQL refuses to run as root: the server then runs as the user that Debian made for it, or as nobody."""
    if os.geteuid() != 0:
        return []
    names = {u.pw_name for u in pwd.getpwall()}
    return ["setpriv", f"--reuid={'postgres' if 'postgres' in names else 'nobody'}", "--clear-groups", "--"]


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A running server with password login (scram), its data in memory-light settings."""
    folder_of = binaries()
    assert folder_of is not None
    with tempfile.TemporaryDirectory(prefix="permu-pg-") as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        root = Path(folder)
        (root / "password").write_text(_PASSWORD, "utf-8")
        _give_away(root)
        run = _as_nobody()
        init = [*run, str(folder_of / "initdb"), "-D", str(root / "data"), "-U", _USER, "-A", "scram-sha-256"]
        init += [f"--pwfile={root / 'password'}", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, cwd=folder)
        control = [*run, str(folder_of / "pg_ctl"), "-D", str(root / "data"), "-w", "-t", "60"]
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c shared_buffers=16MB"
        subprocess.run([*control, "-o", options, "-l", str(root / "log"), "start"], check=True, capture_output=True)
        try:
            yield Server(port, folder_of)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)


def _give_away(root: Path) -> None:
    if os.geteuid() == 0:
        names = {u.pw_name for u in pwd.getpwall()}
        shutil.chown(root, "postgres" if "postgres" in names else "nobody")
        shutil.chown(root / "password", "postgres" if "postgres" in names else "nobody")
