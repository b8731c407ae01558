"""The query parameters of each route, one field each. What a value may be is said in engine.query.parameters."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict

from api.rights import viewer_of
from api.store import Opened, Store
from engine.query import Selection
from engine.query import cursor as cursors
from engine.query.parameters import read, refuse
from engine.schema.errors import PermuError

PAGE = 20

Text = str | None


class NoQuery(BaseModel):
    """A route without parameters."""

    model_config = ConfigDict(extra="forbid")


class ReleaseQuery(NoQuery):
    """Which release."""

    release: Text = None
    year: Text = None
    policy: Text = None

    def value(self, name: str) -> Any:
        """The parsed value of a parameter; None where it was not asked."""
        return read(name, getattr(self, name))

    def opened(self, store: Store) -> Opened:
        """The release asked; a cursor stays with the release it was given for."""
        cursor = getattr(self, "cursor", None)
        if cursor is None or self.release is not None:
            return store.find(self.value("release"), self.year, self.value("policy"))
        release = cursors.release_of(cursor)
        if all(e.release_id != release for e in store.index()):
            refuse("cursor", cursor)
        return store.find(release, self.year, self.value("policy"))


class LangQuery(ReleaseQuery):
    """Which release, in which language."""

    lang: Text = None


class GroupQuery(ReleaseQuery):
    """The group asked."""

    industry: Text = None
    region: Text = None
    size: Text = None
    group: Text = None
    grade: Text = None
    q: Text = None

    def selection(self, **more: Any) -> Selection:
        """The question, every value checked."""
        names = ("industry", "region", "size", "group", "grade", "q", "by", "order", "limit", "cursor")
        asked = {n: getattr(self, n, None) for n in names}
        return Selection.parse(**{**more, **{n: v for n, v in asked.items() if v is not None}})


class SummaryQuery(GroupQuery):
    """Group figures."""

    group_by: Text = None
    by: Text = None


class RankingQuery(GroupQuery):
    """A page of a ranking, or the whole of it as a file."""

    by: Text = None
    order: Text = None
    limit: Text = None
    cursor: Text = None
    format: Text = None
    lang: Text = None


class BottomQuery(GroupQuery):
    """Bottom lists."""

    by: Text = None
    percent: Text = None
    count: Text = None
    within: Text = None
    sheets: Text = None
    format: Text = None
    lang: Text = None


class HistoryQuery(NoQuery):
    """The years of an enterprise under one policy or all."""

    policy: Text = None


async def once(request: Request) -> None:
    """Every parameter at most once: of two values none may win in silence."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise PermuError(
                "repeated_parameter",
                f"parameter {name[:60]!r} was given {names.count(name)} times: give it once",
                f"参数 {name[:60]!r} 出现 {names.count(name)} 次：只能给出一次",
                parameter=name[:60],
                allowed="once",
            )


async def store_of(request: Request) -> Store:
    """The application's store, with the releases that there are for who asks."""
    store: Store = request.app.state.store
    return store.seen_by(viewer_of(request).sees_release)


StoreDep = Annotated[Store, Depends(store_of)]


class CheckUpQuery(LangQuery):
    """An enterprise's check-up sheet."""

    format: Text = None


class ReportQuery(ReleaseQuery):
    """The yearly report."""

    region: Text = None
    format: Text = None
