"""``permu serve``: the HTTP interface and the page."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Home, Json, people, say, show_json, warehouse


def serve(
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, envvar="PORT", help="The port.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    home: Home = None,
    json: Json = False,
) -> None:
    """Serve rankings, exports, layers and the page until interrupted. 启动服务。"""
    from api.serve import serve as answer  # the web stack loads only where it serves

    def tell(taken: int) -> None:
        url = f"http://{host}:{taken}"
        if json:
            show_json({"url": url})
        people.print(say("服务地址", "serving at"), url, say("（Ctrl-C 停止）", "(Ctrl-C stops)"))

    answer(warehouse(home), host, port, workers, tell)
