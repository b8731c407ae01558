"""``permu serve``: uvicorn with one or several worker processes; on a loopback address until there are users."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence

import uvicorn
from uvicorn.supervisors import Multiprocess

from api.operations import metrics
from api.operations.logs import LOGGING
from api.operations.settings import Settings
from api.protocol import Protocol
from api.rights.users import has_users
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


class Supervisor(Multiprocess):
    """uvicorn's, which also sees at once that a worker died while it was being asked whether it lives.

    Its own copy of the worker's end of the pipe would keep the question open to the end of its time, and with it
    every signal to the server.
    """

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died or do not answer."""
        for process in self.processes:
            process.child_conn.close()
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            metrics.forget(pid)

    def terminate_all(self) -> None:
        """Let the workers finish. Without this, new connections would wait at the supervisor's listener until the end."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def bind(host: str, port: int, users: bool = False) -> socket.socket:
    """A listening socket; ``public_host`` for an address that others can reach while there are no users,
    ``port_in_use`` where it is taken."""
    if host not in LOOPBACK and not users:
        raise PermuError(
            "public_host",
            f"--host {host}: there are no users, so only this machine may be answered; use 127.0.0.1 (or add users first: permu users add)",
            f"--host {host}：尚未建立用户，只能供本机访问；请使用 127.0.0.1（或先用 permu users add 添加用户）",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1" if host == "localhost" else host.strip("[]"), port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PermuError(
            "port_in_use",
            f"cannot listen on {host} port {port}: {error}; choose another port with --port",
            f"无法监听 {host} 端口 {port}：{error}；请用 --port 换一个端口",
        ) from error
    listener.set_inheritable(True)
    return listener


def serve(
    warehouse: Warehouse,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    listening: Callable[[int], None] | None = None,
    allowed: Sequence[str] = (),
    access_log: bool = False,
) -> None:
    """Answer until interrupted. The warehouse must exist; releases that come later are seen without a restart.

    ``listening`` is called with the port once it is taken (0 asks for any free one). ``allowed`` are Host names that
    are answered beside those of this machine, where there are users.
    """
    warehouse.require()
    given = Settings.from_environment()
    users = has_users(warehouse) or given.users_required or given.provider is not None
    _only_with_users(allowed, users)
    listener = bind(host, port, users)
    if listening:
        listening(listener.getsockname()[1])
    with _environment(_handed_on(warehouse, host, allowed, users, access_log)), _metrics_folder(workers):
        config = uvicorn.Config(
            "api.app:from_environment", factory=True, workers=workers, log_config=LOGGING, server_header=False,
            access_log=False, loop="uvloop", http=Protocol, timeout_graceful_shutdown=10, timeout_worker_healthcheck=60,
        )  # fmt: skip
        try:
            if workers > 1:
                Supervisor(config, sockets=[listener]).run()
            else:
                uvicorn.Server(config).run(sockets=[listener])
        finally:
            listener.close()


def _only_with_users(allowed: Sequence[str], users: bool) -> None:
    if allowed and not users:
        raise PermuError(
            "public_host",
            f"--allow-host {allowed[0]}: there are no users, so only this machine's names are answered; add users first "
            "(permu users add)",
            f"--allow-host {allowed[0]}：尚未建立用户，只应答本机名称；请先用 permu users add 添加用户",
        )


def _handed_on(
    warehouse: Warehouse, host: str, allowed: Sequence[str], users: bool, access_log: bool
) -> dict[str, str]:
    """What the worker processes read of it (api.operations.settings)."""
    with contextlib.suppress(ValueError):  # an address of this machine is a Host of its own
        if not ipaddress.ip_address(host.strip("[]")).is_unspecified:
            allowed = [*allowed, f"[{host}]" if ":" in host else host]
    names = [*allowed, *Settings.from_environment().hosts] if users else []
    found = {"PERMU_HOME": str(warehouse.home), "PERMU_ALLOW_HOST": ",".join(dict.fromkeys(names))}
    return found | {"PERMU_USERS_REQUIRED": str(int(users)), "PERMU_ACCESS_LOG": str(int(access_log))}


@contextlib.contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _metrics_folder(workers: int) -> Iterator[None]:
    """Where several workers put their numbers, so that any of them can answer for all (api.operations.metrics)."""
    if workers == 1:
        yield
        return
    folder = tempfile.mkdtemp(prefix="permu-metrics-")
    try:
        with _environment({"PROMETHEUS_MULTIPROC_DIR": folder}):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
