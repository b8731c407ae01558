"""What-if over HTTP: a pack's weights and shares as they could be, who changes grade, and the pack as a draft."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.desk.answers import file, told
from api.desk.guard import Desk, Trying
from api.desk.parameters import DeskQuery
from api.exports.formats import MEDIA, write
from api.exports.provenance import Provenance
from api.exports.table import Sheet
from api.rights import View, view_of
from api.store import Opened
from engine.policy.model import Policy
from engine.policy.packs import Pack
from engine.query import Selection
from engine.schema.columns import GRADES, column
from engine.whatif.prepared import Prepared
from engine.whatif.simulate import Simulation
from engine.whatif.telling import told as because

router = APIRouter(prefix="/simulate", tags=["desk"])
Text = str | None
_ROWS = 200
_KEPT = 4


class ChangeQuery(DeskQuery):
    """Which release, changed how."""

    release: Text = None
    year: Text = None
    policy: Text = None
    changes: Text = None
    rescale: Text = None


class SimulateQuery(ChangeQuery):
    """And of whom the answer speaks."""

    region: Text = None
    industry: Text = None
    size: Text = None
    group: Text = None
    limit: Text = None
    format: Text = None
    lang: Text = None


class _Desk:
    """The releases that were asked about last, ready for questions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Prepared] = OrderedDict()

    def of(self, desk: Desk, opened: Opened) -> Prepared:
        key = (str(desk.warehouse.home), opened.listed.release_id)
        with self._lock:
            if key not in self._held:
                self._held[key] = Prepared(desk.warehouse, opened.release)
            self._held.move_to_end(key)
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
            return self._held[key]


_ready = _Desk()


def _opened(request: Request, desk: Desk, asked: ChangeQuery) -> tuple[Opened, View]:
    """The release asked; where neither release nor policy is, the newest that has a score."""
    release, policy = asked.value("release"), asked.value("policy")
    if release is None and policy is None:
        for listed in desk.store.index():
            fits = listed.state != "withdrawn" and asked.value("year") in (None, listed.year)
            if fits and desk.store.open(listed).release.pack.policy.score is not None:
                opened = desk.store.open(listed)
                return opened, view_of(request, opened)
    opened = desk.store.find(release, asked.year, policy)
    return opened, view_of(request, opened)


def _changes(asked: ChangeQuery) -> list[str]:
    return [part.strip() for part in (asked.value("changes") or "").split(";") if part.strip()]


@router.get("", summary="Who would change grade under changed weights and shares")
def simulate(request: Request, asked: Annotated[SimulateQuery, Query()], desk: Trying) -> Response:
    """The release beside itself under its pack with `changes`: by the ranking's own code, nothing is written. Without
    changes: the pack as it is, to begin from. `format=csv|xlsx`: every change as a file."""
    opened, view = _opened(request, desk, asked)
    whole = _ready.of(desk, opened).simulate(_changes(asked), rescale=bool(asked.value("rescale")))
    names = ("region", "industry", "size", "group")
    selection = Selection.parse(**{n: getattr(asked, n) for n in names if getattr(asked, n) is not None})
    selection = view.narrow(selection, opened.board)
    members = opened.board.members(selection.members)
    shown = _seen(replace(whole, rows=whole.rows[pl.Series(members)]), view)
    lang, form = asked.value("lang") or "zh", asked.value("format") or "json"
    if form != "json":
        return _file(
            desk,
            opened,
            shown,
            form,
            lang,
            {n: v for n, v in asked.model_dump().items() if v and n not in ("format", "lang")},
        )
    limit = asked.value("limit") or _ROWS
    return told({**_about(whole, shown), "rows": [_row(r) for r in shown.moved.head(limit).iter_rows(named=True)]})


def _seen(shown: Simulation, view: View) -> Simulation:
    """Without the points of items that the viewer does not see."""
    hidden = [c for c in shown.rows.columns if c.startswith("delta__") and not view.sees(c.removeprefix("delta__"))]
    return replace(shown, rows=shown.rows.drop(hidden)) if hidden else shown


def _about(whole: Simulation, shown: Simulation) -> dict[str, Any]:
    before, after = whole.release.pack.policy, whole.pack.policy
    return {
        "release_id": whole.release.id,
        "year": whole.release.manifest["year"],
        "policy": before.id,
        "title": before.title.model_dump(),
        "changes": whole.changes,
        "groups": _groups(before, after),
        "of": shown.rows.height,
        "moved": shown.moved.height,
        "matrix": shown.matrix,
        "grades": {g: {"zh": zh, "en": en} for g, (zh, en) in GRADES.items()},
    }


def _groups(before: Policy, after: Policy) -> list[dict[str, Any]]:
    """Items with weight and base, and shares, of every group of the pack: as they are and as they were changed."""
    assert before.score is not None and after.score is not None
    return [
        {
            "group": name,
            "title": None if group.title is None else group.title.model_dump(),
            "within": group.graded_within,
            "items": [_item(n, i, after.score.groups[name].items.get(n)) for n, i in group.items.items()],
            "shares": [
                {"grade": a.grade, "before": float(a.up_to_percent), "after": float(b.up_to_percent)}
                for a, b in zip(group.shares, after.score.groups[name].shares, strict=True)
            ],
        }
        for name, group in before.score.groups.items()
    ]


def _item(name: str, one: Any, other: Any) -> dict[str, Any]:
    told_column = column(name)
    weights = [None if i is None or i.weight is None else float(i.weight) for i in (one, other)]
    return {
        "name": name,
        "title": told_column.zh,
        "title_en": told_column.en,
        "before": weights[0],
        "after": weights[1],
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `permu simulate --json`, with the sentence of why in both languages."""
    items = {n.removeprefix("delta__"): v for n, v in row.items() if n.startswith("delta__")}
    rest = {n: v for n, v in row.items() if not n.startswith("delta__")}
    return rest | {
        "why": row["why"].split(","),
        "items": items,
        "reason": because(row, "zh"),
        "reason_en": because(row, "en"),
    }


def _file(desk: Desk, opened: Opened, shown: Simulation, form: str, lang: str, question: dict[str, str]) -> Response:
    moved = shown.moved
    words = pl.Series([because(r, lang) for r in moved.iter_rows(named=True)], dtype=pl.String)
    sheet = Sheet(moved.with_columns(reason=words), "score", shown.rows.height, "simulation")
    origin = Provenance.of(opened.board, question, desk.viewer.name, opened.listed.state)
    with desk.writing("simulate.export", release=shown.release.id, rows=moved.height, question=question):
        body = write(form, sheet, origin, lang)
    return file(body, f"permu-simulation-{shown.release.id}.{form}", MEDIA[form])


@router.get("/draft", summary="The changed pack as a draft, to keep and check")
def draft(request: Request, asked: Annotated[ChangeQuery, Query()], desk: Trying) -> Response:
    """YAML with an id of its own, marked as a draft, saying what it was changed from; `permu policy check` takes it."""
    opened, _ = _opened(request, desk, asked)
    pack: Pack = _ready.of(desk, opened).draft(_changes(asked), rescale=bool(asked.value("rescale")))
    return file(pack.text.encode(), f"{pack.policy.id}.yaml", "application/yaml; charset=utf-8")
