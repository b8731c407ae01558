"""What guard, gate and watch ask, note and add, for answers that are given before them: the same tables, nothing read."""

from __future__ import annotations

import time
from dataclasses import dataclass

from starlette.types import Scope, Send

from api.guard import host_of
from api.operations import metrics
from api.operations.audit import Audit
from api.operations.chain import Access
from api.operations.limits import Limits
from api.operations.watch import note_line, request_id
from api.rights.credentials import Identify
from api.rights.routes import Rule, audited
from api.rights.view import ADMINISTRATOR, Viewer

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]


@dataclass(frozen=True)
class Door:
    """For reading requests."""

    hosts: tuple[str, ...]
    identify: Identify
    limits: Limits
    audit: Audit
    access_log: bool = False

    def viewer(self, rule: Rule, headers: Headers) -> Viewer | None:
        """Who asks; None where guard or gate have something to say (too often, too), or to wait for."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or host_of(hosts[0].decode("latin-1")) not in self.hosts or self.audit.full:
            return None
        viewer = self.identify.at_once(headers)
        if viewer is None or not viewer.can(rule.action):
            return None
        return viewer if viewer is ADMINISTRATOR or self.limits.level(viewer.name) >= 1 else None

    def note(self, scope: Scope, rule: Rule, viewer: Viewer, release: str, status: int) -> None:
        """A token of the viewer's rate (PermuError where there is none), a line for the audit log."""
        if viewer is not ADMINISTRATOR:
            self.limits.take(viewer.name)
        where, question = audited(scope, rule)
        self.audit.see(Access(viewer.name, viewer.role, "view", "GET", where, question, release, None, status))

    async def send(self, scope: Scope, send: Send, answer: Answer, rule: Rule, viewer: Viewer, begun: float) -> None:
        """An answer whose headers are those of every answer already; its time, counted and noted."""
        status, headers, body = answer
        state = scope.setdefault("state", {})
        state["id"], state["viewer"] = request_id(scope["headers"]), viewer
        headers.append((b"x-request-id", state["id"].encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        seconds = time.perf_counter() - begun
        metrics.observe("GET", rule.pattern, status, seconds)
        if self.access_log:
            note_line(scope, rule.pattern, status, seconds)
