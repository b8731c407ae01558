"""``permu serve``: uvicorn on a loopback address, with one or several worker processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.supervisors import Multiprocess

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; ``public_host`` for an address that others can reach, ``port_in_use`` where it is taken."""
    if host not in LOOPBACK:
        raise PermuError(
            "public_host",
            f"--host {host}: there are no users, so only this machine may be answered; use 127.0.0.1 (or add users first)",
            f"--host {host}：尚未建立用户，只能供本机访问；请使用 127.0.0.1（或先添加用户）",
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
) -> None:
    """Answer until interrupted. The warehouse must exist; releases that come later are seen without a restart.

    ``listening`` is called with the port once it is taken (0 asks for any free one).
    """
    warehouse.require()
    listener = bind(host, port)
    if listening:
        listening(listener.getsockname()[1])
    os.environ["PERMU_HOME"] = str(warehouse.home)
    config = uvicorn.Config(
        "api.app:from_environment", factory=True, workers=workers, log_level="warning", server_header=False,
        timeout_graceful_shutdown=10,
    )  # fmt: skip
    server = uvicorn.Server(config)
    try:
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            server.run(sockets=[listener])
    finally:
        listener.close()
