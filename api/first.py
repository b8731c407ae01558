"""Answers that are look-ups, given before the application: on the event loop, before routing.

A look-up costs less than handing it to a worker thread, and less than the layers around the routes. What those decide
and note is asked of the door: which Host, who, how often, the audit log, the metrics. Everything else, every refusal
among it, goes on to the application, which says the same in the same bytes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from api.door import Answer, Door
from api.fresh import Fresh, Known
from api.rights import View, Viewer, rights_of
from api.rights.routes import Rule
from api.store import Listed, Opened
from engine.schema.errors import PermuError

KEPT = 256  # viewers whose rights are kept
_log = logging.getLogger("permu.requests")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of somebody who may ask it: ``sent`` its headers, each once; ``known`` the releases."""

    scope: Scope
    sent: dict[bytes, bytes]
    rule: Rule
    viewer: Viewer
    known: Known


class LookUp(Protocol):
    """One kind of answer that is found, not worked out."""

    def rule(self, scope: Scope) -> Rule | None:
        """The rule of the address; None where it is none of these."""

    def answer(self, asked: Asked) -> tuple[Answer, str] | None:
        """The answer with all its headers, and the release that it is of; None (or PermuError, OSError) where the
        route has to say it."""


class Views:
    """The rights of who asked lately; for one thread, the event loop's."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Viewer, Listed], View] = {}

    def of(self, viewer: Viewer, opened: Opened) -> View:
        """The view of a viewer on an open release; PermuError as :func:`api.rights.rights_of`."""
        key = (viewer, opened.listed)
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = rights_of(viewer, opened)
        return self._kept[key]


class First:
    """ASGI middleware, outermost: around the application itself."""

    def __init__(self, app: ASGIApp, door: Door, fresh: Fresh, lookups: Sequence[LookUp]) -> None:
        self.app, self.door, self.fresh, self.lookups = app, door, fresh, lookups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            for lookup in self.lookups:
                rule = lookup.rule(scope)
                if rule is not None and await self._answered(scope, send, lookup, rule):
                    return
        await self.app(scope, receive, send)

    async def _answered(self, scope: Scope, send: Send, lookup: LookUp, rule: Rule) -> bool:
        begun = time.perf_counter()
        known = await self.fresh.known()
        sent = dict(scope["headers"])
        if known is None or len(sent) != len(scope["headers"]) or b"origin" in sent:
            return False
        try:
            viewer = self.door.viewer(rule, scope["headers"])
            found = lookup.answer(Asked(scope, sent, rule, viewer, known)) if viewer else None
            if viewer is None or found is None:
                return False
            answer, release_id = found
            self.door.note(scope, rule, viewer, release_id, answer[0])
        except (PermuError, OSError):
            return False
        except Exception:  # whatever it is: the route says it as every other fault
            _log.exception("no look-up of %s", scope["path"])
            return False
        await self.door.send(scope, send, answer, rule, viewer, begun)
        return True
