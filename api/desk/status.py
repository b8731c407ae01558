"""The state of the data over HTTP: sources by month and county, what waits, stale merges and releases, the lock."""

from __future__ import annotations

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.desk.answers import told
from api.desk.disputes import YearQuery
from api.desk.guard import Watching
from api.desk.lock import holder
from engine.ranking.merged import latest_merge
from engine.releases import list_releases
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest import overview
from ingest.declared import sources
from ingest.match import store

router = APIRouter(tags=["desk"])
_STAMP = (
    "SELECT (SELECT COUNT(*) FROM loads), (SELECT MAX(received_at) FROM loads), (SELECT COUNT(*) FROM loads WHERE superseded_by "
    "IS NOT NULL), (SELECT COUNT(*) FROM merges), (SELECT MAX(created_at) FROM merges)"
)


class Coverage:
    """What :func:`ingest.overview.status` says, kept until loads or merges change: it reads every source's rows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._held: dict[int | None, dict[str, Any]] = {}

    def of(self, warehouse: Warehouse, year: int | None) -> dict[str, Any]:
        """The status of a year (None: of all); one at a time computes it."""
        with warehouse.read() as db:
            stamp = (warehouse.home, *db.execute(_STAMP).fetchone())
        with self._lock:
            if self._stamp != stamp:
                self._stamp, self._held = stamp, {}
            if year not in self._held:
                self._held[year] = overview.status(warehouse, year)
            return self._held[year]


_coverage = Coverage()


@router.get("/status", summary="Sources by month, what waits, stale merges, the lock")
def status(asked: Annotated[YearQuery, Query()], desk: Watching) -> Response:
    """What each source sent by year, month and county, with holes; merges and releases that newer data outdate."""
    year = asked.value("year")
    house = desk.warehouse
    state = _coverage.of(house, year)
    coverage = [_line(line, desk.region) for line in state["coverage"]]
    waits = overview.review.open_count(house, year)
    rest = {k: state[k] for k in ("missing_sources", "refused", "findings", "disputes", "land")}
    queue = state["review"] | {"refused_open": waits}
    return told(
        {
            "coverage": coverage,
            **rest,
            "review": queue,
            "merges": merges(house),
            "releases": outdated(house),
            "lock": holder(house),
        }
    )


def _line(line: dict[str, Any], region: str | None) -> dict[str, Any]:
    """A source's year with its title; counties and holes of the viewer's region; months by number of counties."""
    mine = [c for c in line["counties"] if region is None or str(c["county"]).startswith(region)]
    holes = [h for h in line["holes"] if region is None or str(h["county"] or "").startswith(region)]
    months = [sum(m in c["months"] for c in mine) for m in range(1, 13)] if line["months_held"] else None
    declared = sources().get(line["source"])
    title = declared.title if declared else {"zh": line["source"], "en": line["source"]}
    return {
        **line,
        "title": title["zh"],
        "title_en": title["en"],
        "counties": mine,
        "holes": holes,
        "counties_by_month": months,
    }


# Records decided since a moment, whose decision then was another: one that was taken back again does not count.
_SINCE = """SELECT COUNT(*) FROM (
  SELECT d.source, d.record_key, MAX(d.decision_id) AS newest, EXISTS (
    SELECT 1 FROM review_decisions o WHERE o.source = d.source AND o.record_key = d.record_key AND o.at <= :at) AS before
  FROM review_decisions d WHERE d.at > :at GROUP BY d.source, d.record_key
) JOIN review_decisions n ON n.decision_id = newest WHERE before OR n.verdict <> 'open'"""


def merges(house: Warehouse) -> list[dict[str, Any]]:
    """Each year's newest merge, whether newer files, corrections or decisions outdate it, and what to do."""
    with house.read() as db:
        years = [r["year"] for r in db.execute("SELECT DISTINCT year FROM loads ORDER BY year DESC").fetchall()]
        rows = db.execute("SELECT year, merge_id, MAX(created_at) AS created_at FROM merges GROUP BY year").fetchall()
        newest = {r["year"]: dict(r) for r in rows}
        asked = newest if store.exists(db) else {}
        since = {y: db.execute(_SINCE, {"at": m["created_at"]}).fetchone()[0] for y, m in asked.items()}
    return [_merge(house, y, newest.get(y), since.get(y, 0)) for y in years]


def _merge(house: Warehouse, year: int, newest: dict[str, Any] | None, decisions: int) -> dict[str, Any]:
    line: dict[str, Any] = {
        "year": year,
        "merge_id": None,
        "created_at": None,
        "stale": False,
        "why_en": None,
        "why_zh": None,
    }
    line |= {"decisions_since": decisions} | (newest or {})
    try:
        latest_merge(house, year)
    except PermuError as error:
        line |= {"stale": True, "why_en": error.en, "why_zh": error.zh}
    return line


def outdated(house: Warehouse) -> list[dict[str, Any]]:
    """Every release with its state, and whether it stands on its year's newest merge."""
    with house.read() as db:
        newest = dict(
            db.execute("SELECT year, merge_id FROM merges GROUP BY year HAVING created_at = MAX(created_at)").fetchall()
        )
    kept = ("release_id", "year", "policy", "state", "created_at", "rows")
    return [
        {k: r[k] for k in kept} | {"outdated": newest.get(r["year"]) != r["merge_id"]} for r in list_releases(house)
    ]
