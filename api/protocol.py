"""Requests that are none, or whose address is too long, answered like every other error."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.errors import problem
from api.guard import HEADERS
from engine.schema.errors import PermuError

_UNREADABLE = PermuError(
    "bad_request",
    "this is no HTTP request that is read here: its address may have 65,535 bytes at most",
    "无法读取该 HTTP 请求：地址最长 65,535 字节",
)


class Protocol(HttpToolsProtocol):
    """uvicorn's, which would answer in plain text what its parser refuses before the application sees it."""

    def send_400_response(self, msg: str) -> None:
        """problem+json with the headers of every answer; the connection ends."""
        answer = problem(_UNREADABLE)
        headers = {**HEADERS, **dict(answer.headers), "Connection": "close"}
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + bytes(answer.body))
        self.transport.close()
