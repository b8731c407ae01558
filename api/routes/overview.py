"""The overview's panels: distribution, concentration, quadrant, movement, the targets of 2017; within the asker's rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import GroupQuery, ReleaseQuery, StoreDep
from api.ranking_page import head
from api.respond import answer, dump
from api.rights import View, view_of
from api.rights.rules import LEAST_GROUP
from api.rights.view import forbidden
from api.store import Listed, Opened, Store
from engine.overview import Members, concentration, distribution, movement, progress, quadrant
from engine.overview.target_files import BASE_FILE, load_bases
from engine.query import Board, Selection
from engine.query.parameters import refuse
from engine.schema.errors import PermuError

router = APIRouter(tags=["overview"], prefix="/overview")


class MetricQuery(GroupQuery):
    """A group and one metric."""

    by: str | None = None


class QuadrantQuery(GroupQuery):
    """A group and two metrics."""

    x: str | None = None
    y: str | None = None


class MovementQuery(ReleaseQuery):
    """A group in two releases."""

    industry: str | None = None
    region: str | None = None
    size: str | None = None
    group: str | None = None
    against: str | None = None

    def selection(self) -> Selection:
        """The group, every value checked."""
        return Selection.parse(industry=self.industry, region=self.region, size=self.size, group=self.group or "all")


@dataclass(frozen=True)
class Panel:
    """One panel's request: the release, the asker's rights in it, the group within them."""

    request: Request
    opened: Opened
    view: View
    selection: Selection

    @classmethod
    def of(cls, request: Request, opened: Opened, selection: Selection) -> Panel:
        """The panel within the asker's rights; ``forbidden`` for a region outside them."""
        view = view_of(request, opened)
        view.need("summary")
        group = view.narrow(replace(selection, by=None), opened.board)  # `by` orders nothing here: see members()
        return cls(request, opened, view, replace(group, enterprise=None))  # a group's figures are not about one firm

    @property
    def board(self) -> Board:
        """The release's board."""
        return self.opened.board

    def metric(self, asked: str | None, usual: str) -> str:
        """The metric asked, else the usual one where the release has it, else the release's own."""
        return self.board.metric(asked or (usual if usual in self.board.metrics else None))

    def members(self, *metrics: str) -> Members:
        """The members of the group, to be shown of these metrics; ``forbidden`` where the role does not see them.

        The public sees figures of no fewer than five firms, and never asks by name. An enterprise's user sees the whole
        group as the public does: the rows are not cut to its own.
        """
        if not self.view.suppressed:
            for metric in metrics:
                self.view.metric(self.board, metric)
        elif self.selection.q is not None:
            raise forbidden(
                "groups",
                "q picks single firms out of a group: ask without q",
                "q 会选出单个企业：请不使用 q",
                self.view.viewer,
            )
        return Members.of(self.board, self.selection, least=LEAST_GROUP if self.view.suppressed else 1)

    def answer(self, make: Callable[[], dict[str, Any]], metric: str | None = None, *also: Any) -> Response:
        """``make()`` with the release it is about, kept by question and rights."""
        about = head(self.board, metric)
        asked = (self.request.url.path, *sorted(self.request.query_params.multi_items()), self.view.key, *also)
        listed: tuple[Listed, ...] = (self.opened.listed, *(x for x in also if isinstance(x, Listed)))
        return answer(
            self.request,
            listed,
            lambda: self.board.cached(("overview", asked), lambda: dump({**about, **make()}), len),
            headers={"X-Permu-Release": self.board.release_id},
            key=str((self.view.key, *(x for x in also if isinstance(x, str)))),
        )


@router.get("/distribution", summary="How a metric is spread: counts in bins")
def spread(request: Request, asked: Annotated[MetricQuery, Query()], store: StoreDep) -> Response:
    """`counts` has two more entries than `edges` has gaps: below the first edge, [eᵢ, eᵢ₊₁) …, from the last edge on."""
    panel = Panel.of(request, asked.opened(store), asked.selection())
    metric = panel.metric(asked.value("by"), "benefit_per_mu")
    return panel.answer(lambda: distribution(panel.members(metric), metric), metric)


@router.get("/concentration", summary="Lorenz-like curve: shares of land against tax")
def curve(request: Request, asked: Annotated[MetricQuery, Query()], store: StoreDep) -> Response:
    """Running shares of the metric's denominator and numerator, the least yielding first, with the Gini figure."""
    panel = Panel.of(request, asked.opened(store), asked.selection())
    metric = panel.metric(asked.value("by"), "benefit_per_mu")
    return panel.answer(lambda: concentration(panel.members(metric), metric), metric)


@router.get("/quadrant", summary="Output against benefit, with the medians as the cross")
def fields(request: Request, asked: Annotated[QuadrantQuery, Query()], store: StoreDep) -> Response:
    """A point an enterprise up to 2,000, else counts in cells of an eighth of a decade; null is not above 0."""
    panel = Panel.of(request, asked.opened(store), asked.selection())
    x, y = panel.metric(asked.value("x"), "output_per_mu"), panel.metric(asked.value("y"), "benefit_per_mu")
    return panel.answer(lambda: {"x": x, "y": y, **quadrant(panel.members(x, y), x, y)})


def earlier(store: Store, opened: Opened, against: str | None) -> Opened:
    """The release to compare with: the one asked, else the newest of the year before under the same policy."""
    listed = opened.listed
    if against is not None:
        found = store.find(against)
        if found.listed.policy != listed.policy:
            refuse(
                "against",
                against,
                f"movement is between releases of one policy; this one is by {found.listed.policy}, not {listed.policy}",
                f"只比较同一办法的版本；该版本使用 {found.listed.policy}，而非 {listed.policy}",
            )
        return found
    for entry in store.index():
        if (entry.year, entry.policy) == (listed.year - 1, listed.policy) and entry.state != "withdrawn":
            return store.open(entry)
    raise PermuError(
        "no_release",
        f"no release of {listed.year - 1} under {listed.policy} to compare with: name one with against=",
        f"没有 {listed.year - 1} 年 {listed.policy} 的版本可比较：请用 against= 指定",
    )


@router.get("/movement", summary="From which grade to which, between two releases")
def moved(request: Request, asked: Annotated[MovementQuery, Query()], store: StoreDep) -> Response:
    """Counts of every pair of states, with who entered, left, and has no grade; bands of the rank where nobody is graded."""
    opened = asked.opened(store)
    panel = Panel.of(request, opened, asked.selection())
    before = earlier(store, opened, asked.value("against"))
    view_of(request, before).need("summary")

    def make() -> dict[str, Any]:
        least = LEAST_GROUP if panel.view.suppressed else 1
        found = movement(before.board, opened.board, panel.selection.members, least)
        return {"against": head(before.board), **found}

    return panel.answer(make, None, before.listed)


@router.get("/targets", summary="The targets of 2017: progress of each region against its base year")
def targets(request: Request, asked: Annotated[GroupQuery, Query()], store: StoreDep) -> Response:
    """No base figure, no progress: `reason` says which part is missing; base figures are the bureau's own, with source."""
    panel = Panel.of(request, asked.opened(store), asked.selection())
    bases = load_bases(store.warehouse.home)
    place = store.warehouse.home / BASE_FILE
    stamp = str(place.stat().st_mtime_ns) if place.is_file() else ""
    region = panel.selection.region
    return panel.answer(lambda: progress(panel.members("tax_wan_yuan"), bases, region), None, stamp)
