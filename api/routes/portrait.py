"""An enterprise's portrait beside its row and explanation: facts by year, parcels on the map, standing in each group."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import HistoryQuery, ReleaseQuery, StoreDep
from api.ranking_page import head
from api.respond import answer, dump
from api.rights import View, view_of
from api.rights.groups import coarse
from api.rights.rules import LEAST_GROUP
from api.store import Listed, Opened, Store
from engine.portrait import facts_by_year, parcels, standing
from engine.query import Board
from engine.query.parameters import read
from engine.schema.columns import column
from engine.schema.errors import PermuError

router = APIRouter(tags=["enterprises"], prefix="/enterprises")


def owned(view: View, board: Board, enterprise: str) -> tuple[int, str]:
    """Row number and id of an enterprise whose row the viewer may see; ``unknown_enterprise`` for any other."""
    number = view.find(board, enterprise)
    return number, str(board.table["enterprise_id"][number])


def one_a_year(store: Store, request: Request, policy: str | None) -> list[Listed]:
    """The newest release of each year that the asker may see: under the policy asked, else under any, the default first."""
    viewer = view_of(request, store.find()).viewer
    found: dict[int, Listed] = {}
    shown = [e for e in store.index() if e.state != "withdrawn" and viewer.sees_release(e.state)]
    first = policy or store.choose().policy
    for entry in [*(e for e in shown if e.policy == first), *(e for e in shown if policy is None)]:
        found.setdefault(entry.year, entry)
    return [found[year] for year in sorted(found)]


def _uncounted(view: View, found: dict[str, Any]) -> dict[str, Any]:
    """Without what rests on statistics where those figures are switched off for the viewer."""
    own = view.viewer.is_administrator or view.viewer.role == "enterprise"
    if own or "statistics_figures" in view.viewer.switches:
        return found
    for line in found["facts"]:
        line["values"] = {y: v for y, v in line["values"].items() if v["source"] != "statistics"}
        for value in line["values"].values():
            value["claims"] = [c for c in value.get("claims", ()) if c["source"] != "statistics"]
    return {**found, "facts": [line for line in found["facts"] if line["values"]]}


@router.get("/{enterprise_id}/facts", summary="An enterprise's facts by year, with their sources")
def facts(request: Request, enterprise_id: str, asked: Annotated[HistoryQuery, Query()], store: StoreDep) -> Response:
    """Values in shown units with the exact amount, source and how sources agree; a year that states nothing is absent."""
    entries = one_a_year(store, request, read("policy", asked.policy))
    opened = [store.open(e) for e in entries]
    views = [view_of(request, o) for o in opened]
    ids = {i for o, v in zip(opened, views, strict=True) for i in _known(v, o, enterprise_id)}
    if not ids:
        raise PermuError(
            "unknown_enterprise",
            f"no enterprise {enterprise_id[:60]!r} within your rights in any release",
            f"在您的权限内，所有版本中都没有企业 {enterprise_id[:60]!r}",
        )
    views[0].need("explain")
    own, key = sorted(ids)[0], views[0].key

    def make() -> bytes:
        seen = [o.release for o, v in zip(opened, views, strict=True) if list(_known(v, o, own))]
        return dump(_uncounted(views[0], facts_by_year(seen, own)))

    return answer(request, tuple(entries), make, key=key)


def _known(view: View, opened: Opened, enterprise: str) -> list[str]:
    try:
        return [owned(view, opened.board, enterprise)[1]]
    except PermuError as error:
        if error.code != "unknown_enterprise":
            raise
        return []


@router.get("/{enterprise_id}/parcels", summary="The parcels that an enterprise holds or rents, as GeoJSON")
def land(request: Request, enterprise_id: str, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """RFC 7946, lon/lat; `used_mu` is the part used over the year. What is not drawn has no geometry."""
    opened = asked.opened(store)
    view = view_of(request, opened)
    view.need("layer_parcels")
    _, own = owned(view, opened.board, enterprise_id)
    make = lambda: parcels(opened.release, own)  # noqa: E731
    return answer(request, opened.listed, make, "application/geo+json", key=view.key)


@router.get("/{enterprise_id}/standing", summary="Indicators against base, median and rank of each grouping")
def stands(request: Request, enterprise_id: str, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """For each metric its value, base and points, and in each grouping rank, of and the median."""
    opened = asked.opened(store)
    view = view_of(request, opened)
    view.need("enterprise")
    board = opened.board
    number, own = owned(view, board, enterprise_id)

    def make() -> bytes:
        lines = standing(board, number, LEAST_GROUP if view.suppressed else 1)
        seen = [_seen(view, line) for line in lines if view.sees(line["metric"])]
        return dump({**head(board), "enterprise_id": own, "metrics": seen})

    return answer(request, opened.listed, make, key=view.key)


def _seen(view: View, line: dict[str, Any]) -> dict[str, Any]:
    """A line without base and points where scores are not for the viewer, and with the metric's titles and units."""
    known = column(line["metric"])
    titles = {"title": known.zh, "title_en": known.en, "unit": known.unit_zh, "unit_en": known.unit_en}
    if not view.sees("score"):
        line = {**line, "base": None, "points": None}
    if view.rows is not None:  # the median of an odd group is the very figure of one firm, perhaps another's
        line = {**line, "groups": [{**at, "median": coarse(at["median"])} for at in line["groups"]]}
    return {"metric": line["metric"], **titles, **line}
