"""Where records lie that no enterprise was found for: what a viewer of one region is shown of them."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from api.desk.guard import Desk
from engine.schema.codes import regions
from ingest.match.places import Counties

_NAMES = ("name", "holder_name", "lessee_name", "lessor_name")
_ADDRESSES = ("address", "location")
_CODES = ("region_code", "parcel_code")


def of_region(lines: list[dict[str, Any]], region: str | None) -> list[dict[str, Any]]:
    """The lines (review items or refused rows) that lie in a region, candidates of others left out and counted as
    ``candidates_elsewhere``.

    A line lies where one of its candidates does, else where it says itself: by a code, its address, or the county that its
    name begins with. One that says nothing is shown to nobody who is limited to a region.
    """
    if region is None:
        return lines
    counties = _told(lines)
    kept = []
    for line, county in zip(lines, counties, strict=True):
        candidates = line.get("candidates", [])
        mine = [c for c in candidates if str(c.get("region_code") or "").startswith(region)]
        if mine or (not candidates and county is not None and county.startswith(region)):
            kept.append({**line, "candidates": mine, "candidates_elsewhere": len(candidates) - len(mine)})
    return kept


def _told(lines: list[dict[str, Any]]) -> list[str | None]:
    """The county that each line tells by itself."""
    raws = [_raw(line) for line in lines]
    frame = pl.DataFrame(
        {
            "name": [_first(raw, _NAMES) for raw in raws],
            "address": [_first(raw, _ADDRESSES) for raw in raws],
            "region": [_digits(_first(raw, _CODES)) for raw in raws],
        },
        schema=dict.fromkeys(("name", "address", "region"), pl.String),
    )
    county = Counties(regions()["code"]).of(pl.col("name"), pl.col("address"), pl.col("region"))
    return frame.select(county.alias("county"))["county"].to_list()


def _raw(line: dict[str, Any]) -> dict[str, Any]:
    if "raw" in line:
        found: dict[str, Any] = json.loads(line["raw"])
        return found
    if line.get("kind") == "land":
        return {"parcel_code": line["value"]}
    return {"name": line["name"]}


def _first(raw: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((str(raw[n]) for n in names if raw.get(n)), None)


def _digits(code: str | None) -> str | None:
    return code if code is not None and code[:6].isdigit() else None


def in_region(desk: Desk, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines (with ``year`` and ``enterprise_id``) whose enterprise lies in the viewer's region."""
    if desk.region is None or not lines:
        return lines
    with desk.warehouse.read() as db:
        rows = db.execute("SELECT year, merge_id, MAX(created_at) FROM merges GROUP BY year").fetchall()
    known: set[tuple[int, str]] = set()
    for row in rows:
        firms = pl.scan_parquet(desk.warehouse.merged / row["merge_id"] / "enterprises.parquet", glob=False)
        inside = firms.filter(pl.col("region_code").str.starts_with(desk.region)).select("enterprise_id").collect()
        known |= {(row["year"], firm) for firm in inside["enterprise_id"]}
    return [x for x in lines if (x["year"], x["enterprise_id"]) in known]
