"""Refused rows over HTTP: which they are, why, with their cells; and the workbook to correct them in."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.desk.answers import file, holds, told
from api.desk.guard import Desk, Reviewing
from api.desk.paging import Key, page
from api.desk.parameters import DeskQuery
from api.desk.places import of_region
from api.exports.formats import MEDIA
from engine.schema.errors import PermuError
from ingest import refused as refusals
from ingest.declared import sources

router = APIRouter(prefix="/refused", tags=["desk"])
Text = str | None


class RefusedQuery(DeskQuery):
    """Which rows."""

    year: Text = None
    source: Text = None


class RefusedPage(RefusedQuery):
    """A page of them."""

    load: Text = None
    reason: Text = None
    q: Text = None
    limit: Text = None
    cursor: Text = None


def order(row: dict[str, Any]) -> Key:
    """By year (newest first), source, file and row of it."""
    return (-row["year"], row["source"], row["file"], row["sheet"] or "", row["row"], row["load_id"])


def listed(desk: Desk, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows that wait for a correction, in the viewer's region, in :func:`order`."""
    rows = refusals.open_rows(desk.warehouse, asked.get("source"), asked.get("year")).to_dicts()
    wanted = {"load_id": asked.get("load"), "code": asked.get("reason")}
    found = [r for r in rows if all(v is None or r[k] == v for k, v in wanted.items())]
    if asked.get("q"):
        found = [r for r in found if holds((r["value"], r["raw"], r["file"]), asked["q"])]
    return sorted(of_region(found, desk.region), key=order)


@router.get("", summary="Rows that were refused, with their reasons and cells")
def rows(asked: Annotated[RefusedPage, Query()], desk: Reviewing) -> Response:
    """Each with file, sheet, row, the cell at fault, why, what to do, and the row's mapped cells."""
    question = asked.values()
    found = listed(desk, question)
    shown, more = page(found, order, question)
    counts = {n: dict(Counter(r[n] for r in found)) for n in ("source", "code", "load_id")}
    return told({"total": len(found), "counts": counts, "rows": [_row(r) for r in shown], "next": more})


def _row(row: dict[str, Any]) -> dict[str, Any]:
    titles = _titles(row["source"], row["table"])
    cells = [
        {"field": f, "header": titles.get(f, f), "value": v, "at_fault": f == row["field"]}
        for f, v in json.loads(row["raw"]).items()
        if v is not None or f == row["field"]
    ]
    kept = (
        "year",
        "source",
        "table",
        "load_id",
        "file",
        "sheet",
        "row",
        "column",
        "header",
        "field",
        "value",
        "code",
        "zh",
        "en",
    )
    return {**{n: row[n] for n in kept}, "cells": cells}


def _titles(source: str, table: str) -> dict[str, str]:
    """A field's first declared header: what the department calls it."""
    declared = sources().get(source)
    known = declared.tables[table].fields if declared and table in declared.tables else {}
    return {name: one.headers[0] for name, one in known.items() if one.headers}


@router.get("/export", summary="The refused rows as a workbook to correct")
def export(asked: Annotated[RefusedQuery, Query()], desk: Reviewing) -> Response:
    """What `permu refused export` writes; `permu refused replay` takes it back. Whole or not at all."""
    question = asked.values()
    kept = None if desk.region is None else [(r["load_id"], r["sheet"], r["row"]) for r in listed(desk, question)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "refused.xlsx"
        done = refusals.export(desk.warehouse, place, question.get("source"), question.get("year"), only=kept)
        if not done["rows"]:
            raise PermuError(
                "no_refused_rows", "no refused row waits for a correction here", "此范围内没有待更正的退回行"
            )
        with desk.writing("refused.export", rows=done["rows"], question=question):
            body = place.read_bytes()
    return file(body, "permu-refused.xlsx", MEDIA["xlsx"])
