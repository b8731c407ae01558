"""``permu serve``: the HTTP interface and the page."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Home, Json, people, say, show_json, warehouse


def serve(
    host: Annotated[str, typer.Option(help="A loopback address; any other only where there are users.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, envvar="PORT", help="The port.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A Host name to answer beside this machine's; may be given again.")
    ] = None,
    access_log: Annotated[bool, typer.Option(help="A line of JSON on stderr for every request.")] = False,
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

    answer(warehouse(home), host, port, workers, tell, allow_host or (), access_log)
