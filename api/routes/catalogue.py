"""What there is: releases, policies, indicators, and the industries, regions and sizes of a release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import orjson
import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import NoQuery, ReleaseQuery, StoreDep
from api.respond import answer, dump
from api.rights import View, Viewer, view_of, viewer_of
from api.rights.rules import LEAST_GROUP
from api.store import Listed, Opened, Store
from engine.layers.files import layers_of
from engine.policy.packs import load_pack, read_pack, shipped
from engine.query.rows import ranked_columns
from engine.releases import Release
from engine.schema.codes import industry_name, region_level, region_name, zone_name
from engine.schema.columns import GROUPINGS, SIZES, column
from engine.schema.errors import PermuError

router = APIRouter(tags=["catalogue"])
_SHOWN = ("created_at", "default_metric", "metrics", "groupings", "counts", "synthetic", "code_version", "engine")


def _release(store: Store, entry: Any, viewer: Viewer) -> dict[str, Any]:
    """One line of /releases from the ledger and the manifest; without it or the rankings the folder is gone. Files and counts
    at each stage are told to the bureau's roles."""
    line = {
        k: getattr(entry, k) for k in ("release_id", "year", "policy", "state", "rows", "rankings_sha256", "created_at")
    }
    folder = store.warehouse.releases / entry.release_id
    try:
        manifest = orjson.loads((folder / "manifest.json").read_bytes())
        (folder / "rankings.parquet").stat()
    except FileNotFoundError:
        return {**line, "available": False}
    line |= {"layers": layers_of(Release(folder, manifest)), "policy_title": manifest["policy"].get("title")}
    if not viewer.can("drafts"):
        told = [k for k in _SHOWN if k in manifest and k != "counts"]
        return {**line, "available": True, **{k: manifest[k] for k in told}}
    loads = [{k: x.get(k) for k in ("load_id", "source", "sha256")} for x in manifest.get("loads", [])]
    return {**line, "available": True, **{k: manifest[k] for k in _SHOWN if k in manifest}, "loads": loads}


def _visible(request: Request, store: Store) -> tuple[Listed, ...]:
    """The releases that there are for who asks."""
    viewer = viewer_of(request)
    return tuple(e for e in store.index() if viewer.sees_release(e.state))


@router.get("/releases", summary="Every release, newest year first")
def releases(request: Request, asked: Annotated[NoQuery, Query()], store: StoreDep) -> Response:
    """Each with its year, policy, state, metrics and the files it was made from."""
    viewer, entries = viewer_of(request), _visible(request, store)
    lines = [_release(store, e, viewer) for e in entries]
    key = f"{viewer.role} {[line['available'] for line in lines]}"  # a folder may go without a change of the ledger
    return answer(request, entries, lambda: dump({"releases": lines}), key=key)


def _counted(
    table: pl.DataFrame, names: Sequence[str], line: Callable[[str, str, int], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Every code of these columns with the number of its enterprises, in order of the code."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        counts = table.select(name).drop_nulls().group_by(name).len()
        found |= {code: line(name, code, n) for code, n in counts.iter_rows()}
    return [found[code] for code in sorted(found)]


def _table(opened: Opened, view: View) -> pl.DataFrame:
    """The ranking table, of a bureau's own region only."""
    table = opened.board.table
    return table if view.region is None or view.rows is None else table.filter(view.rows)


def _told(view: View, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the numbers of small groups, for those who see no single firm."""
    if not view.suppressed:
        return lines
    return [line if line["enterprises"] >= LEAST_GROUP else {**line, "enterprises": None} for line in lines]


def _of(opened: Opened, **lists: Any) -> bytes:
    board = opened.board
    return dump({"release_id": board.release_id, "year": board.year, "policy": board.policy, **lists})


_INDUSTRY_LEVELS = {
    "industry_section": "section",
    "industry_2": "division",
    "industry_3": "group",
    "industry_4": "class",
}


def industry_list(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Industries that occur in a release, at every level."""

    def line(name: str, code: str, n: int) -> dict[str, Any]:
        return {"code": code, "name": industry_name(code), "level": _INDUSTRY_LEVELS[name], "enterprises": n}

    known = [c for c in _INDUSTRY_LEVELS if c in table.columns]
    levels = _counted(table, known, line)
    held = {x["code"] for x in levels}
    local = table.filter(pl.col("industry_section").is_null()).group_by("industry_code").len().drop_nulls()
    own = [
        {"code": c, "name": None, "level": "local", "enterprises": n}
        for c, n in local.sort("industry_code").iter_rows()
    ]
    return [*levels, *(x for x in own if x["code"] not in held)]


def region_list(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Regions that occur in a release, at every level, then zones."""

    def line(name: str, code: str, n: int) -> dict[str, Any]:
        return {"code": code, "name": region_name(code), "level": region_level(code), "enterprises": n}

    def zone(name: str, code: str, n: int) -> dict[str, Any]:
        return {"code": code, "name": zone_name(code), "level": "zone", "enterprises": n}

    known = [c for c in ("region_city", "region_county", "region_town") if c in table.columns]
    zones = _counted(table, ["zone_code"], zone) if "zone_code" in table.columns else []
    return _counted(table, known, line) + zones


@router.get("/industries", summary="Industries of a release")
def industries(request: Request, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """Sections, divisions, groups and classes that occur, with names and numbers of enterprises."""
    opened = asked.opened(store)
    view = view_of(request, opened)

    def make() -> bytes:
        return _of(opened, industries=_told(view, industry_list(_table(opened, view))))

    return answer(request, opened.listed, make, key=view.key)


@router.get("/regions", summary="Regions of a release")
def regions(request: Request, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """Cities, counties, towns and zones that occur, with names and numbers of enterprises."""
    opened = asked.opened(store)
    view = view_of(request, opened)

    def make() -> bytes:
        return _of(opened, regions=_told(view, region_list(_table(opened, view))))

    return answer(request, opened.listed, make, key=view.key)


@router.get("/sizes", summary="Sizes of a release")
def sizes(request: Request, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """The four sizes with the numbers of enterprises; 0 where a size does not occur."""
    opened = asked.opened(store)
    view = view_of(request, opened)

    def make() -> bytes:
        counts = dict(_table(opened, view).select("size").drop_nulls().group_by("size").len().iter_rows())
        lines = [
            {"code": c, "name": zh, "name_en": en, "enterprises": counts.get(c, 0)} for c, (zh, en) in SIZES.items()
        ]
        return _of(opened, sizes=_told(view, lines))

    return answer(request, opened.listed, make, key=view.key)


@router.get("/indicators", summary="What a release can be ranked by")
def indicators(request: Request, asked: Annotated[ReleaseQuery, Query()], store: StoreDep) -> Response:
    """Titles, units, whether ranks in every grouping are stored, which is the default, which the role may see."""
    opened = asked.opened(store)
    board, view = opened.board, view_of(request, opened)

    def make() -> bytes:
        stored = ranked_columns(board)
        lines = [
            {
                "name": m,
                "title": column(m).zh,
                "title_en": column(m).en,
                "unit": column(m).unit_zh,
                "unit_en": column(m).unit_en,
                "groupings": [g for g in GROUPINGS if g in stored.get(m, [])],
                "default": m == board.metric(None),
                "shown": view.sees(m),
            }
            for m in board.metrics
        ]
        return _of(opened, indicators=lines)

    return answer(request, opened.listed, make, key=view.key)


def policy_of(store: Store, name: str, entries: Sequence[Listed]) -> dict[str, Any]:
    """A shipped pack, else the pack of the newest release that was ranked by this id."""
    if name in shipped():
        pack = load_pack(name)
    else:
        folders = [store.warehouse.releases / e.release_id for e in entries if e.policy == name]
        texts = [f / "policy.yaml" for f in folders if (f / "policy.yaml").is_file()]
        if not texts:
            raise PermuError(
                "unknown_policy",
                f"no policy {name[:60]!r}: see /api/v1/policies",
                f"没有办法 {name[:60]!r}：见 /api/v1/policies",
            )
        pack = read_pack(texts[0].read_text(encoding="utf-8"), name)
    return {"id": name, "sha256": pack.sha256, **pack.policy.model_dump(mode="json", exclude={"id"})}


@router.get("/policies", summary="Policies: shipped packs and those of releases")
def policies(request: Request, asked: Annotated[NoQuery, Query()], store: StoreDep) -> Response:
    """Each with title, status, place and the years that were ranked by it."""
    entries = _visible(request, store)

    def make() -> bytes:
        names = sorted({*shipped(), *(e.policy for e in entries)})
        lines = []
        for name in names:
            full = policy_of(store, name, entries)
            years = sorted({e.year for e in entries if e.policy == name})
            lines.append({k: full[k] for k in ("id", "title", "status", "place", "sha256")} | {"years": years})
        return dump({"policies": lines})

    return answer(request, entries, make)


@router.get("/policies/{policy_id}", summary="One policy, whole")
def policy(request: Request, policy_id: str, asked: Annotated[NoQuery, Query()], store: StoreDep) -> Response:
    """Basis, scope, amounts, indicators, score and shares as the pack states them."""
    entries = _visible(request, store)
    return answer(request, entries, lambda: dump(policy_of(store, policy_id, entries)))
