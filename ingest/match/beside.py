"""One item of the review queue for a person: the record as it came beside each enterprise that it could be."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
from rapidfuzz import fuzz

from engine.schema.codes import industry_name, region_name, regions
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.match.names import address_parts, name_parts
from ingest.match.places import Counties
from ingest.match.records import attributes

# What speaks against a candidate though it is near: codes of ingest.match.rule and find (en, zh).
WHY: dict[str, tuple[str, str]] = {
    "unit": ("one of the two is a branch or another unit", "一方是分支机构或另一单位"),
    "marks": ("numbers, compass points or 甲乙丙 in the names differ", "名称中的数字、方位或甲乙丙不同"),
    "group": ("one of the two is a group (集团)", "一方是集团"),
    "name_differs": ("the names differ and no address agrees", "名称不同，且没有一致的地址"),
    "name_part": ("only one of the two names in brackets agrees", "括号内外两个名称只有一个一致"),
    "one_character": ("one character differs: a slip, or a sister firm", "仅一字之差：可能是笔误，也可能是姊妹企业"),
    "same_name": ("several enterprises bear this name", "多家企业同名"),
    "same_stem": ("the name is cut short; several enterprises bear the stem", "名称不全；多家企业字号相同"),
    "code": ("the record has a code that the register does not know", "记录中的代码不在登记名录中"),
}
_ABOUT = (
    "enterprise_id", "uscc", "reg_no", "name", "former_names", "region_code", "address", "industry_code", "status",
    "capital_fen", "founded_on",
)  # fmt: skip
_STATED = {
    "name": ("name", "holder_name", "lessor_name"),
    "address": ("address", "location"),
    "region_code": ("region_code", "parcel_code"),
}
_LINEAGE = {"origin", "load_id", "sheet", "row", "record_key", "geometry", "year"}


def beside(warehouse: Warehouse, item: dict[str, Any]) -> dict[str, Any]:
    """``record`` {name, address, region_code, region, capital_fen, cells: {field: value}} of an item of
    :func:`ingest.review.items`, and its ``candidates``, each with what the register says, ``links`` (how many records of
    each source are linked to it) and ``alike`` {name, address: per cent, region, capital: bool; null where one side is
    not known}."""
    record = _record(warehouse, item)
    told = _register(warehouse, item["year"], [c["enterprise_id"] for c in item["candidates"]])
    candidates = [_candidate(c, told.get(c["enterprise_id"], {}), record) for c in item["candidates"]]
    return {"record": record, "candidates": candidates}


def _record(warehouse: Warehouse, item: dict[str, Any]) -> dict[str, Any]:
    cells = _cells(warehouse, item)
    stated: dict[str, Any] = {n: next((cells[c] for c in of if cells.get(c)), None) for n, of in _STATED.items()}
    if item["kind"] == "unlinked" and None in (stated["name"], stated["address"]):
        key = pl.Series("record_key", [item["record_key"]], dtype=pl.String)
        found = attributes(Year(warehouse, item["year"]), item["source"], key)
        stated |= {n: v for n, v in found.row(0, named=True).items() if v is not None} if found.height else {}
    name = stated["name"] or (None if item["kind"] == "land" else item["name"])
    code = _county(name, stated["address"], stated["region_code"])
    capital = cells.get("capital_fen")
    return {
        "name": name,
        "address": stated["address"],
        "region_code": code,
        "region": region_name(code) if code else None,
        "capital_fen": int(capital) if capital is not None and str(capital).isdigit() else None,
        "cells": cells,
    }


def _county(name: str | None, address: str | None, stated: object) -> str | None:
    """The county that the record states, or that its address or name tells."""
    frame = pl.DataFrame(
        {"name": [name], "address": [address], "region": [str(stated) if stated else None]},
        schema=dict.fromkeys(("name", "address", "region"), pl.String),
    )
    told = Counties(regions()["code"]).of(pl.col("name"), pl.col("address"), pl.col("region"))
    found: str | None = frame.select(told.alias("county")).item()
    return found


def _cells(warehouse: Warehouse, item: dict[str, Any]) -> dict[str, Any]:
    """The first row of the record as it was taken (or refused), by field; nothing that is empty."""
    here = (pl.col("row") == item["row"], pl.col("sheet").fill_null("") == (item["sheet"] or ""))
    if item["kind"] == "proposal":
        place = warehouse.refused / item["source"] / f"{item['load_id']}.parquet"
        raw = pl.scan_parquet(place, glob=False).filter(*here).select("raw").head(1).collect()
        cells: dict[str, Any] = json.loads(raw.item()) if raw.height else {}
        return {n: v for n, v in cells.items() if v}
    folder = warehouse.canonical / item["source"] / str(item["load_id"])
    for file in sorted(folder.glob("*.parquet")) if item["row"] is not None else []:
        if file.name.endswith(".superseded.parquet"):
            continue
        found = pl.scan_parquet(file, glob=False).filter(*here).select(pl.exclude(_LINEAGE)).head(1).collect()
        if found.height:
            row = found.row(0, named=True)
            return {n: v for n, v in row.items() if v not in (None, "") and not isinstance(v, bytes)}
    return {}


def _register(warehouse: Warehouse, year: int, ids: list[str]) -> dict[str, dict[str, Any]]:
    """What the year's newest merge holds of these enterprises, with their numbers of linked records by source."""
    with warehouse.read() as db:
        merge = db.execute(
            "SELECT merge_id FROM merges WHERE year = ? ORDER BY created_at DESC LIMIT 1", (year,)
        ).fetchone()
    if merge is None or not ids:
        return {}
    folder = warehouse.merged / merge["merge_id"]
    firms = pl.scan_parquet(folder / "enterprises.parquet", glob=False).filter(pl.col("enterprise_id").is_in(ids))
    held = firms.collect_schema().names()
    links = pl.scan_parquet(folder / "links.parquet", glob=False).filter(pl.col("enterprise_id").is_in(ids))
    counts: dict[str, dict[str, int]] = {}
    for firm, source, n in links.group_by("enterprise_id", "source").len().sort("source").collect().iter_rows():
        counts.setdefault(firm, {})[source] = n
    rows = firms.select(c for c in _ABOUT if c in held).collect().to_dicts()
    return {row["enterprise_id"]: row | {"links": counts.get(row["enterprise_id"], {})} for row in rows}


def _candidate(given: dict[str, Any], told: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    one = dict.fromkeys(_ABOUT) | {"links": {}} | told | {k: v for k, v in given.items() if v is not None}
    why = WHY.get(str(given.get("why")), (None, None))
    return one | {
        "region": _place(one["region_code"]),
        "industry": industry_name(str(one["industry_code"])) if one["industry_code"] else None,
        "sure_percent": None if given.get("sure_ppb") is None else given["sure_ppb"] / 10**7,
        "why": given.get("why"),
        "why_en": why[0],
        "why_zh": why[1],
        "alike": _alike(record, one),
    }


def _place(code: str | None) -> str | None:
    """County and town in words."""
    names = [region_name(code[:n]) for n in (6, 9) if len(code) >= n] if code else []
    return "".join(n for n in names if n) or None


def _alike(record: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """How alike the two sides are, attribute by attribute: what the linking rule looks at, for the eye."""
    sides = pl.DataFrame(
        {"name": [record["name"], one["name"]], "address": [record["address"], one["address"]]},
        schema={"name": pl.String, "address": pl.String},
    )
    parts = address_parts(name_parts(sides))
    same_place = None
    if record["region_code"] and one["region_code"]:
        same_place = str(record["region_code"])[:6] == str(one["region_code"])[:6]
    known = record["capital_fen"] is not None and one["capital_fen"] is not None
    return {
        "name": _percent(*parts["key"]),
        "address": _percent(*parts["place"]),
        "region": same_place,
        "capital": record["capital_fen"] == one["capital_fen"] if known else None,
    }


def _percent(a: str | None, b: str | None) -> float | None:
    return None if a is None or b is None else round(fuzz.ratio(a, b), 1)
