"""What guard and gate ask and note, for answers that are given before them: the same tables, nothing read or awaited."""

from __future__ import annotations

from dataclasses import dataclass

from api.guard import host_of
from api.operations.audit import Access, Audit
from api.operations.limits import Limits
from api.rights.credentials import Identify
from api.rights.routes import Rule
from api.rights.view import ADMINISTRATOR, Viewer


@dataclass(frozen=True)
class Door:
    """For reading requests under one rule."""

    rule: Rule
    hosts: tuple[str, ...]
    identify: Identify
    limits: Limits
    audit: Audit

    def viewer(self, headers: list[tuple[bytes, bytes]]) -> Viewer | None:
        """Who asks; None where guard or gate have something to say, or to wait for."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or host_of(hosts[0].decode("latin-1")) not in self.hosts or self.audit.full:
            return None
        viewer = self.identify.at_once(headers)
        return viewer if viewer is not None and viewer.can(self.rule.action) else None

    def note(self, viewer: Viewer, query: bytes, release: str, status: int) -> None:
        """A token of the viewer's rate (PermuError where there is none), a line for the audit log."""
        if viewer is not ADMINISTRATOR:
            self.limits.take(viewer.name)
        path = self.rule.pattern
        self.audit.see(Access(viewer.name, viewer.role, "view", "GET", path, query, release, None, status))
