"""What was asked: the group (industry × region × size × scale group), the metric, the filters on rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.query.parameters import read


class Group(NamedTuple):
    """The group within which rank, of and percentile are counted; None asks for every member."""

    industry: str | None = None
    region: str | None = None
    size: str | None = None
    group: str = "all"


@dataclass(frozen=True)
class Selection:
    """One question to a release. ``by`` None means the release's default metric; ``limit`` None means all rows.

    ``grade``, ``q`` and ``enterprise`` (an id: rights set it) filter rows and change no rank. Make one from text with
    :meth:`parse`.
    """

    industry: str | None = None
    region: str | None = None
    size: str | None = None
    group: str = "all"
    grade: tuple[str, ...] | None = None
    by: str | None = None
    order: str = "best"
    limit: int | None = None
    cursor: str | None = None
    q: str | None = None
    enterprise: str | None = None

    @classmethod
    def parse(cls, **asked: str | int | None) -> Selection:
        """Text as a person or a URL gives it; PermuError ``bad_parameter`` names what is malformed."""
        values = {name: read(name, text) for name, text in asked.items() if text is not None}
        return cls(**values)

    @property
    def members(self) -> Group:
        """The group asked."""
        return Group(self.industry, self.region, self.size, self.group)

    @property
    def filters(self) -> tuple[Any, ...]:
        """What filters rows; empty where nothing does."""
        found = (self.grade, self.q, self.enterprise)
        return () if found == (None, None, None) else found

    def identity(self, metric: str) -> tuple[Any, ...]:
        """All that decides the order of the rows, by ``metric``: what a cursor is bound to."""
        return (metric, self.order, self.industry, self.region, self.size, self.group, *self.filters)
