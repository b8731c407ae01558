"""What every file of a layer says of itself, so that one that was handed on can be traced: the release, what it was made
from and ranked by, how many rows, for whom.

It follows from release and view alone: a file holds no time of its making and no user, and is the same bytes whenever it
is made. The release's state is not in it either: it changes after files were made.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.layers.catalogue import layer_of
from engine.layers.limits import Limits
from engine.releases import Release


def origin(release: Release, layer: str, rows: int, limits: Limits) -> dict[str, Any]:
    """The provenance of a layer's file, under the names that exports of rankings use."""
    m = release.manifest
    policy = m["policy"] if isinstance(m["policy"], dict) else {"id": m["policy"]}
    told = {
        "layer": layer, "release_id": release.id, "year": m["year"], "policy": policy["id"],
        "policy_title": policy.get("title"), "policy_sha256": policy.get("sha256"),
        "synthetic": bool(m.get("synthetic", False)), "created_at": m.get("created_at"),
        "rankings_sha256": m.get("rankings_sha256"), "loads_digest": _digest(m.get("loads", ())), "rows": rows,
        "view": limits.key,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _digest(loads: list[dict[str, Any]]) -> str:
    """The 12 characters that other exports have for all load ids; the manifest has the list."""
    return hashlib.sha256("\n".join(sorted(str(load["load_id"]) for load in loads)).encode()).hexdigest()[:12]


def title(layer: str) -> str:
    """A layer's name in both languages."""
    found = layer_of(layer)
    return f"{found.zh} {found.en}"


def words(release: Release, layer: str) -> str:
    """The origin in one line, for places that hold no more; invented data is always told."""
    made_up = " · 合成数据 synthetic data" if release.manifest.get("synthetic") else ""
    return f"{title(layer)} · {release.id}{made_up}"


def texts(told: dict[str, Any]) -> dict[str, str]:
    """The origin as texts, for formats whose metadata is name and text."""
    plain = {k: " / ".join(v.values()) if isinstance(v, dict) else v for k, v in told.items()}
    return {k: v if isinstance(v, str) else orjson.dumps(v).decode() for k, v in plain.items()}


def dated(release: Release) -> datetime:
    """The time that stands where a format demands one: when the release was made."""
    return datetime.fromisoformat(release.manifest.get("created_at", "1970-01-01T00:00:00+00:00")).astimezone(UTC)
