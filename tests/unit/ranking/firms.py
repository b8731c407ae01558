"""Small merged years made by hand: enterprises and facts as the pipeline reads them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from engine.policy.packs import load_pack
from engine.ranking.amounts import ATTRIBUTES
from engine.ranking.pipeline import YearTables, rankings
from engine.schema.facts import FACTS

Firm = dict[str, Any]
DATES = ("founded_on", "production_on")
COUNTY = "320583"


def firm(number: int, **given: Any) -> Firm:
    """An enterprise of division 26 in Kunshan, in production since 2010; facts and attributes as ``given``."""
    code = given.get("industry_code", "2614")
    region = given.get("region_code", f"{COUNTY}001")
    usual: Firm = {
        "enterprise_id": f"E{number:06}", "uscc": None, "name": f"示例{number}", "industry_code": code,
        "industry_note": "exact", "industry_section": "C", "industry_2": code and code[:2],
        "industry_3": code and code[:3], "industry_4": code, "region_code": region, "region_city": region and region[:4],
        "region_county": region and region[:6], "region_town": region, "zone_code": None,
        "founded_on": date(2010, 1, 1), "production_on": date(2010, 1, 1), "status": "存续",
    }  # fmt: skip
    return usual | given


def enterprises_of(firms: Iterable[Firm]) -> pl.DataFrame:
    """The register."""
    schema = {name: pl.Date if name in DATES else pl.String for name in ATTRIBUTES}
    return pl.DataFrame([{name: f[name] for name in ATTRIBUTES} for f in firms], schema=schema)


def facts_of(firms: Iterable[Firm]) -> pl.DataFrame:
    """The facts, long, as ``facts.parquet`` holds them."""
    rows = [(f["enterprise_id"], n, f[n]) for f in firms for n in FACTS if f.get(n) is not None]
    return pl.DataFrame(rows, schema={"enterprise_id": pl.String, "field": pl.String, "value": pl.Int64}, orient="row")


def wide_of(firms: Iterable[Firm]) -> pl.DataFrame:
    """The facts, one row an enterprise, as ``facts_wide.parquet`` holds them: only fields that somebody states."""
    firms = list(firms)
    stated = {n: pl.Int64 for n in (*FACTS, "months_missing") if any(f.get(n) is not None for f in firms)}
    rows = [{"enterprise_id": f["enterprise_id"], **{n: f.get(n) for n in stated}} for f in firms]
    return pl.DataFrame(rows, schema={"enterprise_id": pl.String, **stated})


def year_of(firms: Iterable[Firm], year: int = 2024) -> YearTables:
    """A merged year."""
    firms = list(firms)
    return YearTables(year, *(nw.from_native(t.lazy()) for t in (enterprises_of(firms), wide_of(firms))))


def ranked(
    firms: Iterable[Firm], policy: str = "sunan-2017", last: Iterable[Firm] | None = None, year: int = 2024
) -> pl.DataFrame:
    """The rankings table of ``firms`` under a shipped policy, with ``last`` as the year before."""
    before = None if last is None else year_of(last, year - 1)
    return rankings(load_pack(policy).policy, year_of(firms, year), before).to_native().collect()
