"""What every request passes that is no look-up (api.door asks the same of those): the Host that is answered, HEAD as GET, the security headers of every answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from engine.schema.errors import PermuError

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
# Everything the page needs comes from this origin; no inline script or style.
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "connect-src 'self'",
        "worker-src 'self'",
        "font-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}


_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def host_of(value: str) -> str:
    """The host of a Host header, without its port; ``[::1]:8000`` gives ``[::1]``."""
    name, colon, port = value.strip().lower().rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else value.strip().lower()


def guarded(given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers of an answer with those of every answer, which its own go before."""
    names = {name.lower() for name, _ in given}
    return given + [pair for pair in _RAW if pair[0] not in names]


class Guard:
    """ASGI middleware. Without users everybody on this machine is the administrator, so a page elsewhere must not
    reach the server through a name of its own (DNS rebinding): only the loopback names are answered."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = LOOPBACK) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        if head:
            scope = {**scope, "method": "GET"}
        onward = _guarding(send, head)
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1 or host_of(given[0]) not in self.hosts:
            await problem(self._refusal(given), scope["path"])(scope, receive, onward)
            return
        await self.app(scope, receive, onward)

    def _refusal(self, given: list[str]) -> PermuError:
        shown, allowed = ", ".join(given)[:60], ", ".join(self.hosts)
        return PermuError(
            "bad_host",
            f"Host {shown!r} is not answered: use one of {allowed}",
            f"不接受主机名 {shown!r}：请使用 {allowed}",
            parameter="Host",
            allowed=allowed,
        )


def _guarding(send: Send, head: bool) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": guarded(list(message.get("headers", ())))}
        elif head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_guarded
