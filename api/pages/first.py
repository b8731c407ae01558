"""What the page asks first, so that its frame names it and the browser asks before a script runs.

The addresses are those that ``web/state/catalogue.ts`` and ``web/views/map`` put together: a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from api.store import Store
from engine.schema.errors import PermuError

_RELEASE = ("release", "year", "policy")
_LISTS = ("industries", "regions", "indicators")
# The map as it opens: figures of all, of counties, and the first of the list beside it.
_MAP: tuple[tuple[str, dict[str, str | int]], ...] = (
    ("summary", {}),
    ("summary", {"group_by": "region_county"}),
    ("rankings", {"order": "best", "limit": 10}),
)


def first_asked(store: Store, asked: Mapping[str, str]) -> list[str]:
    """Addresses under /api/v1 for the release that the page's address names; none where there is no such release."""
    try:
        release = store.choose(*(asked.get(name) for name in _RELEASE)).release_id
    except PermuError:
        return []  # the page says so
    questions: list[tuple[str, dict[str, str | int]]] = [(name, {}) for name in _LISTS]
    if not set(asked) - {*_RELEASE, "lang"}:
        questions += _MAP
    return [f"/api/v1/{route}?{urlencode({'release': release, **more})}" for route, more in questions]
