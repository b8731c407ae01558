"""Merge a year: register → links → land → claims → facts, written as one folder that appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from engine.schema.warehouse import Warehouse, now, settle
from ingest import land, parcels
from ingest.canonical import Year
from ingest.declared import adopt
from ingest.evidence import LINK_COLUMNS, Evidence, Records
from ingest.link import link
from ingest.measures import beside_months, fact_tables, with_account, with_names, year_totals
from ingest.register import Enterprises, write_enterprises
from ingest.rules import Rules, load_rules

Progress = Callable[[str], None]
_UNSHARED = {"share_ppb": pl.lit(None, dtype=pl.Int64), "sharer_no": pl.lit(0, dtype=pl.Int32)}
_LINKED = ("enterprise_no", "method", *_UNSHARED)
_NO_LINKS = pl.LazyFrame(schema=dict.fromkeys(LINK_COLUMNS, pl.String) | {"share_ppb": pl.Int64})


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
    enterprises: Enterprises
    links: list[pl.LazyFrame] = field(default_factory=list)
    unlinked: list[pl.DataFrame] = field(default_factory=list)

    def link(self, source: str, keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """``keys`` with ``enterprise_no`` and ``method`` (null where not linked), and the unlinked."""
        found = link(self.enterprises.register, source, keys)
        return keys.with_columns(found.numbers, found.methods, **_UNSHARED), found.unlinked

    def records(self, source: str, facts: list[str], rows: pl.DataFrame, spill: Path | None = None) -> Records:
        """Records of the ``rows`` that are linked, or a sharer's part of one, in enterprise order; their links are kept."""
        if rows["enterprise_no"].null_count():
            rows = rows.filter(pl.col("enterprise_no").is_not_null() | pl.col("share_ppb").is_not_null())
        several = rows["enterprise_no"].is_duplicated().any()
        rows = rows.sort("enterprise_no", "record_key") if several else rows.sort("enterprise_no")
        records = Records.of_frame(source, facts, self.enterprises.register.named(rows), spill)
        self.links.append(records.links())
        return records


def merge(warehouse: Warehouse, year: int, rules: Path | None = None, progress: Progress | None = None) -> MergeReport:
    """Merge the loads of ``year`` into ``merged/<merge_id>``; raises no_data_for_year, no_register.

    The merge before stays in place until the new one is complete.
    """
    say = progress or (lambda _: None)
    begun, started = time.monotonic(), now()
    read_rules = load_rules(rules)
    adopt(warehouse.home)
    with warehouse.require().lock(f"merge {year}"), warehouse.staging() as folder:
        _sweep(warehouse)
        work = _begin(Year(warehouse, year), folder, read_rules)
        say("records")
        records = [_records(work, *table) for table in fact_tables(work.year)]
        records += _exempt(work)
        say("land")
        land_counts, land_records = _land(work)
        say("facts")
        evidence = Evidence(folder, work.enterprises.register.ids, work.year, read_rules)
        evidence.write(records + land_records)
        counts = _finish(work) | land_counts | evidence.counts
        for spilled in folder.glob("*.spill"):
            spilled.unlink()
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


def _sweep(warehouse: Warehouse) -> None:
    """Remove folders of merges that were killed before they entered the ledger: nothing refers to them."""
    with warehouse.read() as db:
        known = {row["merge_id"] for row in db.execute("SELECT merge_id FROM merges")}
    for folder in warehouse.merged.iterdir():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)


def _begin(year: Year, folder: Path, rules: Rules) -> _Work:
    enterprises = write_enterprises(year, folder)
    return _Work(year, folder, rules, enterprises, unlinked=[enterprises.repeated])


def _records(work: _Work, source: str, table: str, facts: list[str]) -> Records:
    totals = year_totals(work.year, source, table, facts)
    rows, unlinked = work.link(source, with_account(work.year, source, table, totals))
    rows = rows.select("record_key", "rows", "origin", *facts, *_LINKED)
    rows, unlinked = _shared_meters(work, source, rows, unlinked)
    work.unlinked.append(with_names(work.year, source, table, unlinked))
    doubled = beside_months(work.year, source, table)
    if doubled is not None:
        work.unlinked.append(doubled)
    return work.records(source, facts, rows, work.folder / f"{source}-{table}.spill")


def _shared_meters(
    work: _Work, source: str, rows: pl.DataFrame, unlinked: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``rows`` with the sharers of each account of the share table in the account's place (``enterprise_no`` null where
    a sharer is not linked), and ``unlinked`` with those sharers."""
    table = work.year.scan(source, "meter_share")
    if table is None:
        return rows, unlinked
    sharers = table.select("record_key", "sharer_key", "share_ppb", "origin").sort("origin").collect()
    named = (
        sharers.filter(pl.col("sharer_key").is_not_null())
        .group_by(record_key="sharer_key")
        .agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
    )
    found, strangers = work.link(source, named)
    who = found.select("enterprise_no", "method", sharer_key="record_key")
    parts = sharers.join(who, on="sharer_key", how="left", maintain_order="left").select(
        "record_key", "enterprise_no", "method", "share_ppb",
        sharer_no=pl.int_range(pl.len(), dtype=pl.Int32).over("record_key"),
    )  # fmt: skip
    alone = ~pl.col("record_key").is_in(sharers["record_key"].implode())
    shared = rows.filter(~alone).drop(_LINKED).join(parts, on="record_key", how="inner")
    return pl.concat([rows.filter(alone), shared.select(rows.columns)]), pl.concat([unlinked.filter(alone), strangers])


def _land(work: _Work) -> tuple[dict[str, int], list[Records]]:
    held, year = land.holdings(work.year), work.year.year
    parcel_table, parcel_counts = parcels.write(work.year, work.folder, work.rules)
    areas = parcel_table.select("parcel_code", area=pl.col("area_dm2"))
    leased = land.leases(work.year, areas)
    keys = land.keys(held, leased)
    if keys.is_empty():
        return parcel_counts | {"findings": 0}, []
    found, unlinked = work.link("land", keys)
    links = work.enterprises.register.named(found.drop_nulls("enterprise_no")).with_columns(source=pl.lit("land"))
    work.links.append(links.lazy().select(LINK_COLUMNS))
    work.unlinked.append(unlinked)
    uses = land.uses(held, leased, links, year)
    work.year.origins(uses).write_parquet(work.folder / "land_use.parquet", compression_level=1)
    findings = land.findings(held, leased, uses)
    work.year.origins(findings).write_parquet(work.folder / "land_findings.parquet")
    totals = work.enterprises.register.numbered(land.used(uses))
    return parcel_counts | {"findings": findings.height}, [Records.of_frame("land", ["land_dm2_days"], totals)]


def _exempt(work: _Work) -> list[Records]:
    """The bureau's list of exemptions as a fact: 1 for whoever stands on it on a day of the year."""
    listed = work.year.scan("exemptions", "exemption")
    if listed is None:
        return []
    valid = listed.filter(land.in_year(work.year.year) > 0, pl.col("record_key").is_not_null())
    keys = valid.group_by("record_key").agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min()).collect()
    rows, unlinked = work.link("exemptions", keys.with_columns(is_exempt=pl.lit(1, dtype=pl.Int64)))
    work.unlinked.append(unlinked)
    return [work.records("exemptions", ["is_exempt"], rows)]


def _finish(work: _Work) -> dict[str, Any]:
    rest = pl.concat(work.unlinked)
    pl.concat([_NO_LINKS, *work.links]).sink_parquet(work.folder / "links.parquet", compression_level=1)
    methods = pl.scan_parquet(work.folder / "links.parquet").group_by("method").len().sort("method").collect()
    work.year.origins(rest).write_parquet(work.folder / "unlinked.parquet")
    return {
        "loads": len(work.year.loads),
        "enterprises": len(work.enterprises.register.ids),
        "linked_keys": int(methods["len"].sum()),
        "unlinked_keys": rest.height,
        "linked_by": dict(methods.iter_rows()),
    }
