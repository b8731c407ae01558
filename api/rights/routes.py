"""Which rule each address falls under. An address without a line is answered to the local administrator only.

Read top to bottom, the first that fits counts; ``*`` stands for one part of an address, ``**`` for the rest of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import Scope

OPEN = "open"  # no figure of an enterprise in it: also without a key
PERSON = "person"  # any known viewer


@dataclass(frozen=True)
class Rule:
    """An address, the action that it needs for reading and for writing, and how it is kept in the audit log."""

    pattern: str
    action: str
    write: str = ""  # the action of POST, PUT, PATCH, DELETE; none: the same
    audit: str = "view"  # view | export (files: before the first byte) | tiles (counted, without place) | no

    def needs(self, method: str) -> str:
        """The action of a method."""
        return self.action if method in ("GET", "HEAD", "OPTIONS") else self.write or self.action


RANKINGS = Rule("/api/v1/rankings", "rankings")
RULES: tuple[Rule, ...] = (
    Rule("/healthz", OPEN, audit="no"),
    Rule("/readyz", OPEN, audit="no"),
    Rule("/metrics", "metrics", audit="no"),
    Rule("/openapi.json", OPEN, audit="no"),
    Rule("/docs", OPEN, audit="no"),
    Rule("/docs/**", OPEN, audit="no"),
    Rule("/favicon.ico", OPEN, audit="no"),
    Rule("/static/**", OPEN, audit="no"),
    Rule("/login", OPEN, audit="no"),
    Rule("/login/**", OPEN, audit="no"),
    Rule("/logout", OPEN, audit="no"),
    Rule("/api/v1/me", PERSON, audit="no"),
    Rule("/api/v1/rankings/bottom", "bottom"),
    Rule("/api/v1/rankings/places", "rankings"),
    Rule("/api/v1/rankings/ids", "rankings"),
    RANKINGS,
    Rule("/api/v1/summary", "summary"),
    Rule("/api/v1/overview", "summary"),
    Rule("/api/v1/overview/**", "summary"),
    Rule("/api/v1/enterprises/*", "enterprise"),
    Rule("/api/v1/enterprises/*/explain", "explain"),
    Rule("/api/v1/enterprises/*/history", "enterprise"),
    Rule("/api/v1/enterprises/*/facts", "explain"),
    Rule("/api/v1/enterprises/*/parcels", "layer_parcels"),
    Rule("/api/v1/enterprises/*/standing", "enterprise"),
    Rule("/api/v1/enterprises/*/checkup", "check_up", audit="export"),
    Rule("/api/v1/report", "report", audit="export"),
    Rule("/api/v1/desk/review**", "desk_review"),
    Rule("/api/v1/desk/refused**", "desk_review"),
    Rule("/api/v1/desk/disputes**", "desk_disputes", "desk_review"),
    Rule("/api/v1/desk/status**", "desk_status"),
    Rule("/api/v1/desk/simulate**", "desk_simulate"),
    Rule("/api/v1/desk/**", "desk_publish"),
    Rule("/api/v1/releases", "catalogue", audit="no"),
    Rule("/api/v1/industries", "catalogue", audit="no"),
    Rule("/api/v1/regions", "catalogue", audit="no"),
    Rule("/api/v1/sizes", "catalogue", audit="no"),
    Rule("/api/v1/indicators", "catalogue", audit="no"),
    Rule("/api/v1/columns", "catalogue", audit="no"),
    Rule("/api/v1/policies", "catalogue", audit="no"),
    Rule("/api/v1/policies/*", "catalogue", audit="no"),
    Rule("/layers", "catalogue", audit="no"),
    Rule("/layers/parcels.*", "layer_parcels", audit="export"),
    Rule("/layers/enterprises.*", "layer_enterprises", audit="export"),
    Rule("/layers/regions.*", "layer_regions", audit="export"),
    Rule("/layers/low_efficiency.*", "layer_low_efficiency", audit="export"),
    Rule("/layers/idle.*", "layer_idle", audit="export"),
    Rule("/layers/*", "catalogue", audit="export"),  # a layer that there is not; the route asks for the layer's own rule
    *(
        rule
        for start in ("/ogc", "/ogc/releases/*")
        for rule in (
            *(Rule(f"{start}/collections/{name}/tiles/**", f"layer_{name}", audit="tiles")
              for name in ("parcels", "enterprises", "regions", "low_efficiency", "idle")),
            *(Rule(f"{start}/collections/{name}/items**", f"layer_{name}")
              for name in ("parcels", "enterprises", "regions", "low_efficiency", "idle")),
        )
    ),
    Rule("/ogc", "catalogue", audit="no"),
    Rule("/ogc/**", "catalogue", audit="no"),
    Rule("/", "catalogue", audit="no"),
    Rule("/enterprises/**", "enterprise"),
    Rule("/rankings", "rankings"),
)  # fmt: skip


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*)", pattern)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)


_ALL = re.compile("|".join(f"({_expression(rule.pattern)})" for rule in RULES))


def rule_of(path: str) -> Rule | None:
    """The rule of an address (``{name}`` of a route's template fits ``*``); None where there is none."""
    found = _ALL.fullmatch(path)
    return RULES[found.lastindex - 1] if found and found.lastindex else None


quick_rule = lru_cache(maxsize=4096)(rule_of)


def audited(scope: Scope, rule: Rule | None) -> tuple[str, bytes]:
    """Address and question as the audit log names them: of tiles the layer alone, not the place that was looked at."""
    if rule is not None and rule.audit == "tiles":
        return rule.pattern, b""
    return scope["path"][:300], scope["query_string"]
