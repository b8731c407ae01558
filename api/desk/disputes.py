"""Disputes over HTTP: figures on which departments disagree, land whose records do not agree, corrections in force."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import shapely
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.desk.answers import holds, told
from api.desk.guard import Desk, Disputing
from api.desk.paging import Key, page
from api.desk.parameters import DeskQuery, refuse
from api.desk.places import in_region
from engine.schema.errors import PermuError
from engine.schema.facts import FACTS
from ingest import corrected
from ingest import disputes as listed
from ingest.findings import REVIEW
from ingest.rules import load_rules

router = APIRouter(prefix="/disputes", tags=["desk"])
Text = str | None
_NEIGHBOURS = 60
_MARGIN = 0.002  # degrees around a parcel, about 200 m
_MU = 3 / 200_000  # dm² → mu, after the sums


class YearQuery(DeskQuery):
    """Of which year."""

    year: Text = None


class FactsQuery(YearQuery):
    """Which disputed figures."""

    field: Text = None
    source: Text = None
    q: Text = None
    limit: Text = None
    cursor: Text = None


class LandQuery(YearQuery):
    """Which findings about land."""

    reason: Text = None
    q: Text = None
    limit: Text = None
    cursor: Text = None


@router.get("", summary="Figures on which departments disagree, as under facts")
@router.get("/facts", summary="Figures on which departments disagree")
def facts(asked: Annotated[FactsQuery, Query()], desk: Disputing) -> Response:
    """Each with what every source says and where, which was taken, and why: the order of trust of that figure."""
    question = asked.values()
    if question.get("field") not in (None, *FACTS):
        refuse("field", question["field"])
    found = listed.nested(listed.disputes(desk.warehouse, question.get("year"), question.get("field")))
    found = in_region(desk, found)
    if question.get("source"):
        found = [f for f in found if any(c["source"] == question["source"] for c in f["claims"])]
    if question.get("q"):
        found = [f for f in found if holds((f["name"], f["uscc"], f["enterprise_id"]), question["q"])]
    found.sort(key=_fact_order)
    shown, more = page(found, _fact_order, question)
    counts = {"field": dict(Counter(f["field"] for f in found))}
    return told({"total": len(found), "counts": counts, "disputes": [_told(f) for f in shown], "next": more})


def _fact_order(one: dict[str, Any]) -> Key:
    return (-one["year"], one["field"], one["enterprise_id"])


def _told(one: dict[str, Any]) -> dict[str, Any]:
    title = FACTS[one["field"]]
    order = load_rules().order(one["field"], [c["source"] for c in one["claims"]])
    return {**one, "title": title.zh, "title_en": title.en, "trust": order}


@router.get("/land", summary="Land whose records do not agree")
def land(asked: Annotated[LandQuery, Query()], desk: Disputing) -> Response:
    """Declared against drawn area, overlaps, leases without an end … of each year's newest merge, by parcel."""
    question = asked.values()
    rows = [row for year, folder in _merges(desk, question.get("year")) for row in _findings(folder, year)]
    found = [r for r in rows if desk.region is None or str(r["region_code"] or "").startswith(desk.region)]
    if question.get("reason"):
        found = [r for r in found if r["kind"] == question["reason"]]
    if question.get("q"):
        found = [r for r in found if holds((r["parcel_code"], r["enterprise_id"], r["name"]), question["q"])]
    found.sort(key=_land_order)
    shown, more = page(found, _land_order, question)
    counts = {"kind": dict(Counter(r["kind"] for r in found))}
    return told({"total": len(found), "counts": counts, "findings": shown, "next": more})


def _land_order(row: dict[str, Any]) -> Key:
    return (-row["year"], row["kind"], row["parcel_code"] or "", row["number"])


def _merges(desk: Desk, year: int | None) -> list[tuple[int, Path]]:
    """Each year's newest merge that is still there."""
    with desk.warehouse.read() as db:
        rows = db.execute(
            "SELECT year, merge_id, MAX(created_at) FROM merges WHERE ? IS NULL OR year = ? GROUP BY year ORDER BY year DESC",
            (year, year),
        ).fetchall()
    return [(r["year"], p) for r in rows if (p := desk.warehouse.merged / r["merge_id"]).is_dir()]


def _findings(folder: Path, year: int) -> list[dict[str, Any]]:
    """Findings that ask for a person, with declared and drawn area of the parcel and the enterprise's name."""
    place = folder / "findings.parquet"
    if not place.is_file():
        return []
    rows = pl.scan_parquet(place, glob=False).with_row_index("number").filter(pl.col("kind").is_in(REVIEW))
    parcels = pl.scan_parquet(folder / "parcels.parquet", glob=False).select("parcel_code", "area_dm2", "drawn_dm2")
    firms = pl.scan_parquet(folder / "enterprises.parquet", glob=False).select("enterprise_id", "name")
    told_rows = rows.join(parcels, on="parcel_code", how="left").join(firms, on="enterprise_id", how="left")
    return told_rows.select(
        "number", "kind", "parcel_code", "enterprise_id", "name", "value", "unit", "note_zh", "note_en", "load_id", "sheet",
        "row", year=pl.lit(year), region_code=pl.coalesce("region_code", pl.col("parcel_code").str.slice(0, 6)),
        declared_mu=pl.col("area_dm2") * _MU, drawn_mu=pl.col("drawn_dm2") * _MU,
    ).collect().to_dicts()  # fmt: skip


@router.get("/land/{parcel_code}", summary="One parcel: its drawing, its users, what was found")
def parcel(parcel_code: str, asked: Annotated[YearQuery, Query()], desk: Disputing) -> Response:
    """A GeoJSON feature (lon/lat) with its neighbours for a small map, declared and drawn area, users of the year."""
    if desk.region is not None and not parcel_code.startswith(desk.region):
        raise _unknown(parcel_code)
    for year, folder in _merges(desk, asked.value("year")):
        found = pl.scan_parquet(folder / "parcels.parquet", glob=False)
        own = found.filter(pl.col("parcel_code") == parcel_code).collect()
        if own.height:
            row = own.row(0, named=True)
            findings = [f for f in _findings(folder, year) if f["parcel_code"] == parcel_code]
            about = {
                "year": year,
                "parcel_code": parcel_code,
                "declared_mu": _mu(row["area_dm2"]),
                "drawn_mu": _mu(row["drawn_dm2"]),
            }
            return told(
                {
                    **about,
                    "feature": _feature(row),
                    "neighbours": _near(found, row),
                    "users": _users(folder, parcel_code),
                    "findings": findings,
                }
            )
    raise _unknown(parcel_code)


def _mu(dm2: int | None) -> float | None:
    return None if dm2 is None else dm2 * _MU


def _feature(row: dict[str, Any]) -> dict[str, Any] | None:
    if row["geometry"] is None:
        return None
    drawn = shapely.from_wkb(row["geometry"])
    return {
        "type": "Feature",
        "id": row["parcel_code"],
        "properties": {"parcel_code": row["parcel_code"]},
        "geometry": drawn.__geo_interface__,
    }


def _near(parcels: pl.LazyFrame, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Parcels drawn beside it, the nearest first, at most 60."""
    if row["minx"] is None:
        return []
    west, east, south, north = (
        row["minx"] - _MARGIN,
        row["maxx"] + _MARGIN,
        row["miny"] - _MARGIN,
        row["maxy"] + _MARGIN,
    )
    touching = (
        (pl.col("minx") <= east) & (pl.col("maxx") >= west) & (pl.col("miny") <= north) & (pl.col("maxy") >= south)
    )
    others = parcels.filter(touching & (pl.col("parcel_code") != row["parcel_code"])).sort("parcel_code")
    return [f for r in others.head(_NEIGHBOURS).collect().iter_rows(named=True) if (f := _feature(r)) is not None]


def _users(folder: Path, parcel_code: str) -> list[dict[str, Any]]:
    """Who uses the parcel: own, rented in and out, with area and days, by the land records."""
    place = folder / "land_use.parquet"
    if not place.is_file():
        return []
    firms = pl.scan_parquet(folder / "enterprises.parquet", glob=False).select("enterprise_id", "name", "uscc")
    lines = pl.scan_parquet(place, glob=False).filter(pl.col("parcel_code") == parcel_code)
    rows = lines.join(firms, on="enterprise_id", how="left").select(
        "enterprise_id", "name", "uscc", "kind", "from_on", "to_on", "days", area_mu=pl.col("area_dm2") * _MU
    )
    return rows.sort("kind", "enterprise_id").collect().to_dicts()


def _unknown(parcel_code: str) -> PermuError:
    return PermuError(
        "unknown_parcel",
        f"no parcel {parcel_code[:40]!r} in the newest merges (of your region): see /api/v1/desk/disputes/land",
        f"最新合并数据（及您的区域）中没有宗地 {parcel_code[:40]!r}：见 /api/v1/desk/disputes/land",
    )


@router.get("/corrections", summary="Corrections: in force, ended, withdrawn")
def corrections(asked: Annotated[YearQuery, Query()], desk: Disputing) -> Response:
    """Each figure put right by hand, with its guard, reason, evidence, approver, end and earlier versions."""
    return told({"corrections": in_region(desk, corrected.listing(desk.warehouse, asked.value("year")))})
