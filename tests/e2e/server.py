"""``permu serve`` as a process, for tests that ask it, kill it and stop it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from api.rights import users
from engine.schema.warehouse import Warehouse
from tests.e2e.page.conftest import free_port

PERMU = str(Path(sys.executable).with_name("permu"))


class Server:
    """``permu serve`` over a copy of the demo, its log, and a client with a regulator's key."""

    def __init__(self, home: Path, log: Path, *words: str) -> None:
        self.warehouse, self.log, port = Warehouse(home), log, free_port()
        self.address = ("127.0.0.1", port)
        _, self.key = users.add(self.warehouse, f"li{port}", "regulator")
        command = [PERMU, "serve", "--home", str(home), "--port", str(port), "--access-log", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log.open("wb"))
        self.url = f"http://127.0.0.1:{port}"
        # no connection is kept, so that both workers are met
        self.client = httpx.Client(base_url=self.url, limits=httpx.Limits(max_keepalive_connections=0), timeout=60)
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                if self.client.get("/healthz").status_code == 200:
                    return
            except httpx.HTTPError:
                assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError("no answer")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask as the regulator."""
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key}", **headers})

    def workers(self) -> set[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()}

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """While one worker alone takes connections: the others stand still, and none in the midst of writing."""
        others = self.workers() - {worker}
        self._each(others, signal.SIGSTOP)
        while not all(_stands_still(pid) for pid in others) or self._is_being_written():
            self._each(others, signal.SIGCONT)
            time.sleep(0.05)
            self._each(others, signal.SIGSTOP)
            time.sleep(0.05)
        try:
            yield
        finally:
            self._each(others, signal.SIGCONT)

    def _each(self, workers: set[int], number: signal.Signals) -> None:
        for pid in workers:
            os.kill(pid, number)

    def _is_being_written(self) -> bool:
        with closing(sqlite3.connect(self.warehouse.ledger, timeout=0)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def stop(self) -> int:
        """End as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def lines(self) -> list[dict[str, object]]:
        """The log; every line of it is JSON, after the line for people."""
        first, *rest = self.log.read_text().splitlines()
        assert self.url in first, first
        return [json.loads(line) for line in rest]

    def refuses(self) -> bool:
        """Whether a new connection is refused."""
        try:
            socket.create_connection(self.address, timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False


def _stands_still(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
