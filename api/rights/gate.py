"""The gate of every request that is no look-up (api.door asks the same of those): who asks, may they, not too often, and a line in the audit log."""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import INTERNAL, problem
from api.operations.audit import Audit
from api.operations.chain import Access
from api.operations.limits import Limits
from api.rights.credentials import Given, Identify, given, unauthorized
from api.rights.routes import OPEN, PERSON, Rule, audited, quick_rule
from api.rights.view import ADMINISTRATOR, Viewer, forbidden
from engine.schema.errors import PermuError

SAFE = ("GET", "HEAD", "OPTIONS")
NOBODY = Viewer("", "nobody")
_log = logging.getLogger("permu.requests")
# An export that needs no line of its own: nothing was sent that the client did not hold already.
_UNSENT = (304, 412, 416)


def same_origin(headers: Headers, scheme: str) -> bool | None:
    """Whether a browser sent the request from this very origin; None where nothing tells (no browser)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return None if origin is None else origin.lower() == f"{scheme}://{headers.get('host', '')}".lower()


class Gate:
    """ASGI middleware. Puts ``viewer`` on the request's state; answers 401, 403, 429 and 503 itself.

    Without users (and without an identity provider) everybody is the local administrator: the guard before it
    answers loopback names only.
    """

    def __init__(self, app: ASGIApp, identify: Identify, limits: Limits, audit: Audit) -> None:
        self.app, self.identify, self.limits, self.audit = app, identify, limits, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        rule = quick_rule(scope["path"])
        state["rule"] = rule
        sent, unkept = False, None

        async def noting(message: Message) -> None:
            nonlocal sent, unkept
            if message["type"] == "http.response.start":
                try:
                    await self._note(scope, rule, message)
                except PermuError as error:  # the application below would make a fault of it
                    unkept = error
                    raise
                sent = True
            await send(message)

        try:
            await self._admit(scope, rule)
            await self.app(scope, receive, noting)
        except Exception as error:
            expected = error if isinstance(error, PermuError) else unkept
            if expected is None:
                _log.exception("request failed", extra={"request": state.get("id"), "path": scope["path"]})
            if sent:
                raise
            await self._refuse(expected or INTERNAL, scope, receive, noting)

    async def _admit(self, scope: Scope, rule: Rule | None) -> None:
        """Put the viewer on the request's state; PermuError says why the request is not admitted."""
        directory = self.identify.directory
        if directory.stale:
            await directory.refresh()
        if scope["method"] not in SAFE and same_origin(Headers(scope=scope), scope["scheme"]) is False:
            raise forbidden("origin", "another site may not change anything here", "其他网站不得在此更改数据", NOBODY)
        if self.identify.everybody_administers:
            scope["state"]["viewer"] = ADMINISTRATOR
            return
        viewer = scope["state"]["viewer"] = await self._viewer(scope, rule)
        if rule is None:
            raise PermuError(
                "not_found", f"no {scope['path'][:200]}; see /docs", f"没有 {scope['path'][:200]}；见 /docs"
            )
        if rule.action not in (OPEN, PERSON):
            viewer.need(rule.needs(scope["method"]))

    async def _viewer(self, scope: Scope, rule: Rule | None) -> Viewer:
        """By key, token or cookie; the public where the bureau lets it in; ``unauthorized`` else."""
        brought, address = given(scope["headers"]), (scope.get("client") or ("",))[0]
        is_open = rule is not None and rule.action == OPEN
        try:
            viewer = await self.identify(brought)
        except PermuError:
            self.limits.take(f"?{address}")
            if not is_open:
                raise
            viewer = None
        self.limits.take(viewer.name if viewer else f"?{address}")
        if viewer is not None:
            self._same_site(scope, brought)
            return viewer
        switches = self.identify.directory.known.switches
        if is_open or "anonymous_public" in switches:
            return Viewer("public", "public", switches=switches)
        raise unauthorized(
            "a key is needed: send it as `Authorization: Bearer KEY`, by HTTP Basic (user name and key), or sign in at /login",
            "需要密钥：请以 Authorization: Bearer 密钥 或 HTTP Basic（用户名与密钥）提交，或在 /login 登录",
        )

    def _same_site(self, scope: Scope, brought: Given) -> None:
        """A browser sends cookies by itself: what changes something must show that the page itself asked."""
        headers = Headers(scope=scope)
        told = same_origin(headers, scope["scheme"]) or "x-permu-request" in headers
        if scope["method"] not in SAFE and brought.key is None and not told:
            raise forbidden(
                "origin",
                "requests of the page that change something carry Sec-Fetch-Site, Origin or X-Permu-Request",
                "页面的更改请求须带有 Sec-Fetch-Site、Origin 或 X-Permu-Request",
                NOBODY,
            )

    async def _refuse(self, error: PermuError, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        page = "text/html" in headers.get("accept", "") and scope["method"] in SAFE
        if error.code == "unauthorized" and page and "authorization" not in headers:
            wanted = quote(scope["path"] + ("?" + scope["query_string"].decode("latin-1")).rstrip("?"))
            onward = RedirectResponse(f"/login?next={wanted}", 303, {"Cache-Control": "no-store"})
            await onward(scope, receive, send)
            return
        answer = problem(error, scope["path"])
        if error.code == "unauthorized" and headers.get("sec-fetch-mode", "navigate") != "navigate":
            # the page's own request: Basic would make the browser ask for a password over the page
            answer.headers["WWW-Authenticate"] = 'Bearer realm="permu"'
        await answer(scope, receive, send)

    async def _note(self, scope: Scope, rule: Rule | None, message: Message) -> None:
        """The audit log: an export before its first byte (PermuError: then it is not sent), a view in the next batch."""
        kept, status = rule.audit if rule else "no", message["status"]
        if status == 403:
            kind = "denied"
        elif kept == "no" or status >= 400:
            return
        else:
            kind = "export" if status not in _UNSENT and (kept == "export" or _is_file(message)) else "view"
        access = _access(scope, rule, kind, message)
        if kind == "export":
            await run_in_threadpool(self.audit.export, access)
        elif self.audit.full:
            raise PermuError("audit_unavailable", "the audit log cannot be written", "审计日志无法写入")
        else:
            self.audit.see(access)


def _is_file(message: Message) -> bool:
    sent = message.get("headers", ())
    return any(name.lower() == b"content-disposition" and value.startswith(b"attachment") for name, value in sent)


def _access(scope: Scope, rule: Rule | None, kind: str, message: Message) -> Access:
    held = scope["state"]
    where, question = audited(scope, rule)
    viewer: Viewer = held.get("viewer", NOBODY)
    rows = held.get("audit_rows")
    if rows is None and kind == "export":
        told = Headers(raw=list(message["headers"])).get("x-permu-rows", "")
        rows = int(told) if told.isdigit() else None
    return Access(
        viewer.name,
        viewer.role,
        kind,
        scope["method"],
        where,
        question,
        held.get("audit_release"),
        rows,
        message["status"],
    )
