"""One enterprise: its figures and ranks, the explanation of them, its years."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import HistoryQuery, LangQuery, ReleaseQuery, StoreDep
from api.ranking_page import head
from api.respond import answer, dump
from api.rights import View, rights_of, view_of, viewer_of
from api.rights.view import forbidden
from api.store import Listed, Opened, Store
from engine.explain import explain
from engine.history import history as through_releases
from engine.query import Board
from engine.query.parameters import read
from engine.query.rows import build
from engine.query.selection import Group
from engine.schema.errors import PermuError

router = APIRouter(tags=["enterprises"], prefix="/enterprises")


def portrait(board: Board, enterprise: str, view: View) -> dict[str, Any]:
    """The ranking row of an enterprise among all enterprises of the release, by its default metric, in the columns
    of the view; ``unknown_enterprise`` for one outside it."""
    number = view.find(board, enterprise)
    metric = board.metric(None)
    standing = board.standing(Group(), metric)
    place = int(np.searchsorted(standing.rows, number))
    has = place < standing.of and int(standing.rows[place]) == number
    rank = int(standing.rank[place]) if has else None
    row = build(board, np.array([number], dtype=np.uint32), [rank], standing.of, metric)[0]
    return {**head(board, metric), **view.cut(row)}


def _lines(opened: Opened, table: str, enterprise_id: str) -> list[dict[str, Any]]:
    """The rows of a release's table that are about an enterprise; none where the release has no such table."""
    path = opened.release.folder / f"{table}.parquet"
    if not path.is_file():
        return []
    found = pl.scan_parquet(path).filter(pl.col("enterprise_id") == enterprise_id).drop("enterprise_id")
    return found.collect().to_dicts()


@router.get("/{enterprise_id}", summary="An enterprise: figures, ranks, facts, land")
def enterprise(
    request: Request, enterprise_id: str, asked: Annotated[ReleaseQuery, Query()], store: StoreDep
) -> Response:
    """By enterprise id or credit code. `facts` are in the smallest unit that their names end in."""
    opened = asked.opened(store)
    view = view_of(request, opened)

    def make() -> bytes:
        row = portrait(opened.board, enterprise_id, view)
        held: dict[str, Any] = {}
        if view.sees("tax_fen"):
            held["facts"] = _facts(view, _lines(opened, "facts", row["enterprise_id"]))
        if view.sees("land_mu"):
            held["land_use"] = _lines(opened, "land_use", row["enterprise_id"])
        return dump({**row, **held})

    return answer(request, opened.listed, make, key=view.key)


def _facts(view: View, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return lines if view.statistics else [line for line in lines if line.get("source") != "statistics"]


@router.get("/{enterprise_id}/explain", summary="How the figures and ranks came about, line by line")
def explanation(
    request: Request, enterprise_id: str, asked: Annotated[LangQuery, Query()], store: StoreDep
) -> Response:
    """Every step from the departments' rows to the grade, each with its source."""
    opened = asked.opened(store)
    lang = asked.value("lang") or "zh"
    view = view_of(request, opened)
    view.need("explain")
    if not view.statistics:
        raise forbidden(
            "statistics_figures",
            "explanations rest on statistics figures, which are switched off",
            "解释含有统计数据，而统计数据开关已关闭",
            view.viewer,
        )
    number = view.find(opened.board, enterprise_id)
    own = str(opened.board.table["enterprise_id"][number])
    return answer(request, opened.listed, lambda: dump(explain(opened.release, own, lang, view.rows)), key=view.key)


def newest(store: Store, policy: str | None) -> list[Listed]:
    """The newest release of every year and policy that was not withdrawn, earliest year first."""
    found: dict[tuple[int, str], Listed] = {}
    for entry in store.index():
        if entry.state != "withdrawn" and policy in (None, entry.policy):
            found.setdefault((entry.year, entry.policy), entry)
    return [found[key] for key in sorted(found)]


def _add_standing(ranked: list[tuple[dict[str, Any], Opened]]) -> None:
    """Put what the years say into the rows of one policy."""
    table = through_releases([opened.release for _, opened in ranked], ranked[0][0]["enterprise_id"])
    by_year = {line["year"]: line for line in table.drop("enterprise_id", "grade").to_dicts()}
    for row, opened in ranked:
        row["standing"] = {k: v for k, v in by_year[opened.board.year].items() if k != "year"}


@router.get("/{enterprise_id}/history", summary="An enterprise through the years")
def history(request: Request, enterprise_id: str, asked: Annotated[HistoryQuery, Query()], store: StoreDep) -> Response:
    """One row for each year and policy in which it was ranked, earliest first.

    `standing` is the place that decides (the grade's own, else the first metric's among all): `places` and
    `percentile_change` against the year before (up is positive), and `years_in_bottom`, the consecutive years in the
    policy's bottom per cent.
    """
    viewer = viewer_of(request)
    entries = [e for e in newest(store, read("policy", asked.policy)) if viewer.sees_release(e.state)]
    views = {e.release_id: rights_of(viewer, store.open(e)) for e in entries}

    def make() -> bytes:
        years: list[dict[str, Any]] = []
        found: dict[str, list[tuple[dict[str, Any], Opened]]] = {}
        for entry in entries:
            try:
                years.append(portrait(store.open(entry).board, enterprise_id, views[entry.release_id]))
                found.setdefault(entry.policy, []).append((years[-1], store.open(entry)))
            except PermuError as error:
                if error.code != "unknown_enterprise":
                    raise
        if not years:
            raise PermuError(
                "unknown_enterprise",
                f"no enterprise {enterprise_id[:60]!r} in any release that is yours to see: give an enterprise id or a credit code",
                f"所有版本中都没有企业 {enterprise_id[:60]!r}：请给出企业编号或统一社会信用代码",
            )
        if all(view.sees("rank") for view in views.values()):
            for ranked in found.values():
                _add_standing(ranked)
        return dump({"enterprise_id": years[-1]["enterprise_id"], "years": years})

    return answer(request, tuple(entries), make, key=" ".join(sorted({v.key for v in views.values()})))
