"""Merge a year: register → links → land → claims → facts, written as one folder that appears whole or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from engine.schema.codes import industry_levels, map_industries, region_levels
from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse, now, settle
from ingest import land, parcels
from ingest.canonical import Year
from ingest.evidence import Evidence, Records
from ingest.link import Linked, Register, link
from ingest.measures import fact_tables, year_totals
from ingest.rules import Rules, load_rules
from sql import statement

Progress = Callable[[str], None]


@dataclass
class MergeReport:
    """What a merge made: its id, the year, counts by stage and seconds."""

    merge_id: str
    year: int
    counts: dict[str, Any]
    seconds: float

    @property
    def needs_person(self) -> bool:
        """Whether something waits for a person: unlinked records, disputed facts or areas."""
        return any(self.counts[k] for k in ("unlinked_keys", "disputed", "area_disputes", "findings"))


@dataclass
class _Work:
    year: Year
    folder: Path
    rules: Rules
    enterprises: pl.DataFrame
    register: Register
    links: list[pl.DataFrame] = field(default_factory=list)
    unlinked: list[pl.DataFrame] = field(default_factory=list)

    def link(self, source: str, totals: pl.DataFrame) -> pl.DataFrame:
        """Link keys of a source and keep links and rest; the links."""
        done: Linked = link(self.register, source, totals)
        self.links.append(done.links)
        self.unlinked.append(done.unlinked)
        return done.links

    def number(self, links: pl.DataFrame) -> pl.DataFrame:
        """``links`` with ``enterprise_no``, the enterprise's place in id order (joins on integers are cheap)."""
        numbers = self.enterprises.select("enterprise_id", enterprise_no=pl.int_range(pl.len(), dtype=pl.Int32))
        return links.join(numbers, on="enterprise_id", how="left", maintain_order="left")


def merge(warehouse: Warehouse, year: int, rules: Path | None = None, progress: Progress | None = None) -> MergeReport:
    """Merge the loads of ``year`` into ``merged/<merge_id>``; raises no_data_for_year, no_register.

    The merge before stays in place until the new one is complete.
    """
    say = progress or (lambda _: None)
    begun, started = time.monotonic(), now()
    read_rules = load_rules(rules)
    with warehouse.require().lock(f"merge {year}"), warehouse.staging() as folder:
        work = _begin(Year(warehouse, year), folder, read_rules)
        say("records")
        records = [_records(work, *table) for table in fact_tables(work.year)]
        say("land")
        land_counts, land_records = _land(work)
        say("facts")
        evidence = Evidence(folder, work.enterprises["enterprise_id"], year, read_rules)
        evidence.write(records + land_records)
        counts = _finish(work) | land_counts | evidence.counts
        merge_id = f"{year}-{started[:19].replace('-', '').replace(':', '')}-{time.monotonic_ns() % 10**6:06d}"
        seconds = time.monotonic() - begun
        loads = [x.load_id for x in work.year.loads]
        (folder / "merge.json").write_text(
            json.dumps({"merge_id": merge_id, "year": year, "loads": loads, "counts": counts}, indent=1)
        )
        settle(folder, warehouse.merged / merge_id)
        with warehouse.connect() as db:
            row = (merge_id, year, started, json.dumps(loads), json.dumps(counts), seconds)
            db.execute("INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?)", row)
    return MergeReport(merge_id, year, counts, seconds)


def _begin(year: Year, folder: Path, rules: Rules) -> _Work:
    rows = year.scan("commerce", "enterprise")
    if rows is None:
        raise PermuError(
            "no_register",
            f"{year.year}: no commerce file was loaded, so there is no register of enterprises to link to; "
            f"run `permu ingest PATH --source commerce --year {year.year}`",
            f"{year.year} 年没有工商登记数据，无法建立企业名录；请运行 "
            f"permu ingest PATH --source commerce --year {year.year}",
        )
    register = year.origins(rows.filter(pl.col("record_key").is_not_null()).collect())
    with duckdb.connect() as db:
        db.register("register", register.to_arrow())
        enterprises = _classified(db.sql(statement("merge/enterprises")).pl())
    twice = enterprises.filter(pl.col("enterprise_id").is_duplicated())
    enterprises = enterprises.unique("enterprise_id", keep="first", maintain_order=True)
    enterprises.write_parquet(folder / "enterprises.parquet")
    work = _Work(year, folder, rules, enterprises, Register(enterprises))
    if twice.height:
        _note_twice(work, twice)
    return work


def _classified(enterprises: pl.DataFrame) -> pl.DataFrame:
    """Industry codes brought to GB/T 4754-2017, and every level of industry and region as a column of its own."""
    return map_industries(enterprises).with_columns(*industry_levels(), *region_levels())


def _note_twice(work: _Work, twice: pl.DataFrame) -> None:
    repeated = twice.filter(~pl.col("enterprise_id").is_first_distinct())
    work.unlinked.append(
        repeated.select(
            source=pl.lit("commerce"),
            record_key="record_key",
            name="name",
            reason=pl.lit("registered_twice"),
            rows=pl.lit(1, dtype=pl.Int32),
            origin=pl.lit(None, dtype=pl.Int64),
        )
    )


def _records(work: _Work, source: str, table: str, facts: list[str]) -> Records:
    totals = year_totals(work.year, source, table, facts)
    links = work.number(_shared_meters(work, source, work.link(source, totals)))
    linked = totals.join(links, on="record_key", how="inner").drop("source")
    return Records(source, facts, work.year.origins(linked))


def _shared_meters(work: _Work, source: str, links: pl.DataFrame) -> pl.DataFrame:
    """Links with the accounts of the share table handed to their sharers; a sharer that is not linked stays null."""
    links = links.with_columns(sharer_no=pl.lit(0, dtype=pl.Int32))
    table = work.year.scan(source, "meter_share")
    if table is None:
        return links
    sharers = table.select("record_key", "sharer_key", "share_ppb", "origin").sort("origin").collect()
    named = (
        sharers.filter(pl.col("sharer_key").is_not_null())
        .group_by("sharer_key")
        .agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
    )
    found = link(work.register, source, named.rename({"sharer_key": "record_key"}))
    work.unlinked.append(found.unlinked)
    named_links = found.links.select("enterprise_id", "method", sharer_key="record_key")
    parts = sharers.join(named_links, on="sharer_key", how="left", maintain_order="left").select(
        "record_key",
        "enterprise_id",
        "method",
        "share_ppb",
        source=pl.lit(source),
        sharer_no=pl.int_range(pl.len(), dtype=pl.Int32).over("record_key"),
    )
    work.links.append(parts.filter(pl.col("enterprise_id").is_not_null()).select(work.links[0].columns))
    alone = links.filter(~pl.col("record_key").is_in(parts["record_key"].implode()))
    return pl.concat([alone, parts.select(alone.columns)])


def _land(work: _Work) -> tuple[dict[str, int], list[Records]]:
    held, year = land.holdings(work.year), work.year.year
    parcel_table, parcel_counts = parcels.write(work.year, work.folder, work.rules)
    areas = parcel_table.select("parcel_code", area=pl.col("area_dm2"))
    leased = land.leases(work.year, areas)
    keys = land.keys(held, leased)
    if keys.is_empty():
        return parcel_counts | {"findings": 0}, []
    links = work.link("land", keys)
    uses = land.uses(held, leased, links, year)
    work.year.origins(uses).write_parquet(work.folder / "land_use.parquet")
    holders = uses.select("parcel_code", "enterprise_id").drop_nulls().unique().sort("parcel_code", "enterprise_id")
    holders.write_parquet(work.folder / "parcel_holders.parquet")
    found = land.findings(held, leased, links)
    work.year.origins(found).write_parquet(work.folder / "land_findings.parquet")
    totals = work.year.origins(work.number(land.used(uses)))
    return parcel_counts | {"findings": found.height}, [Records("land", ["land_dm2_days"], totals)]


def _finish(work: _Work) -> dict[str, Any]:
    links = pl.concat(work.links).unique(maintain_order=True) if work.links else pl.DataFrame()
    links.write_parquet(work.folder / "links.parquet")
    rest = pl.concat(work.unlinked) if work.unlinked else pl.DataFrame({"source": []}, schema={"source": pl.String})
    (work.year.origins(rest) if "origin" in rest.columns else rest).write_parquet(work.folder / "unlinked.parquet")
    methods = links.group_by("method").len().sort("method").iter_rows() if links.width else iter(())
    return {
        "loads": len(work.year.loads),
        "enterprises": work.enterprises.height,
        "linked_keys": links.height,
        "unlinked_keys": rest.height,
        "linked_by": dict(methods),
    }
