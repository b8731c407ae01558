"""Merge a year: register → links → land → claims → facts, written as one folder that appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import polars as pl

from engine.schema.warehouse import Warehouse, now, settle
from ingest import bureau, correcting, findings, identity, land, meters, months, parcels
from ingest.canonical import Year
from ingest.declared import adopt
from ingest.evidence import Evidence, Records
from ingest.link import LINK_COLUMNS, Linked, link
from ingest.match.matching import Matching
from ingest.measures import beside_months, fact_tables, with_account, with_names, year_totals
from ingest.register import Enterprises, write_enterprises
from ingest.rules import Rules, load_rules

Progress = Callable[[str], None]
_UNSHARED = {"share_ppb": pl.lit(None, dtype=pl.Int64), "sharer_no": pl.lit(0, dtype=pl.Int32)}
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
        waiting = ("unlinked_keys", "disputed", "area_disputes", "findings", "meter_findings")
        return any(self.counts[k] for k in waiting) or bool(self.counts["corrections"]["ended"])


@dataclass
class _Work:
    year: Year
    folder: Path
    rules: Rules
    enterprises: Enterprises
    matching: Matching
    links: list[pl.LazyFrame] = field(default_factory=list)
    unlinked: list[pl.DataFrame] = field(default_factory=list)
    meters: list[meters.SharedMeters] = field(default_factory=list)
    found: list[pl.DataFrame] = field(default_factory=list)  # about rights, leases and drawings
    places: pl.DataFrame = field(default_factory=pl.DataFrame)  # parcel_code, origin of its first row
    seen: list[pl.DataFrame] = field(default_factory=list)

    def link(self, source: str, keys: pl.DataFrame) -> Linked:
        """Keys linked by code, number and name, by likeness of names, and by what people decided."""
        return self.matching.more(source, link(self.enterprises.register, source, keys))

    def rows(self, keys: pl.DataFrame, found: Linked) -> pl.DataFrame:
        """``keys`` with ``enterprise_no`` and ``method`` of the answer; no shares."""
        return keys.with_columns(found.found["enterprise_no"], found.found["method"], **_UNSHARED)

    def keep(self, found: Linked) -> None:
        """Keep the links and the rest of records that state no figure; the links wait on disk."""
        place = self.folder / f"{found.source}-links-{len(self.links)}.spill"
        found.links.write_ipc(place)
        self.links.append(pl.scan_ipc(place))
        self.unlinked.append(found.unlinked)

    def records(self, source: str, facts: list[str], rows: pl.DataFrame, spill: Path | None = None) -> Records:
        """Records of the ``rows`` that are linked, or a sharer's part of one, in enterprise order; their links are kept."""
        if rows["enterprise_no"].null_count():
            rows = rows.filter(pl.col("enterprise_no").is_not_null() | pl.col("share_ppb").is_not_null())
        several = rows["enterprise_no"].n_unique() < rows.height
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
    adopt(warehouse.home)  # the rules may name sources and facts of the bureau's own
    read_rules = load_rules(rules)
    with warehouse.require().lock(f"merge {year}"), warehouse.staging() as folder:
        _sweep(warehouse)
        with _Totals(Year(warehouse, year)) as tables:
            work = _begin(tables.year, folder, read_rules)
            say("land")  # before the records: land may say how a meter is shared
            land_counts, land_records = _land(work)
            say("records")
            records = [_records(work, *table) for table in tables]
        records += _exempt(work)
        listed = _bureau(work)
        say("facts")
        ids = work.enterprises.register.ids
        evidence = Evidence(folder, ids, work.year, read_rules, beside=months.write(folder, ids, work.seen))
        evidence.write(records + land_records)
        counts = _finish(work) | land_counts | evidence.counts
        counts |= correcting.apply(warehouse, folder, year)
        counts["findings_by_kind"] = findings.write(work.year, folder, work.found, work.places)
        counts |= meters.write(work.year, folder, work.meters) | listed
        counts["identity_events"] = identity.write_events(work.year, folder).height
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
            identity.keep(db, warehouse.merged / merge_id)
            work.matching.keep(db, warehouse.merged / merge_id, merge_id)
    return MergeReport(merge_id, year, counts, seconds)


def _sweep(warehouse: Warehouse) -> None:
    """Remove folders of merges that were killed before they entered the ledger: nothing refers to them."""
    with warehouse.read() as db:
        known = {row["merge_id"] for row in db.execute("SELECT merge_id FROM merges")}
    for folder in warehouse.merged.iterdir():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)


class _Totals:
    """The totals of every table with facts, one after the other: each is summed while the one before is linked, the first
    while the register and the land are made."""

    def __init__(self, year: Year) -> None:
        self.year, self._tables = year, deque(fact_tables(year))
        self._thread = ThreadPoolExecutor(1, "permu-totals")
        self._coming = self._next()

    def _next(self) -> Future[pl.DataFrame] | None:
        return self._thread.submit(year_totals, self.year, *self._tables[0]) if self._tables else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[tuple[str, str, list[str], pl.DataFrame]]:
        """(source, table, facts, totals)."""
        while self._coming is not None:
            totals, table = self._coming.result(), self._tables.popleft()
            self._coming = self._next()
            yield *table, totals


def _begin(year: Year, folder: Path, rules: Rules) -> _Work:
    enterprises = write_enterprises(year, folder)
    matching = Matching(year, folder / "enterprises.parquet")
    return _Work(year, folder, rules, enterprises, matching, unlinked=[enterprises.repeated])


def _records(work: _Work, source: str, table: str, facts: list[str], totals: pl.DataFrame) -> Records:
    asked = with_account(work.year, source, table, totals)
    found = work.link(source, asked)
    rows = work.rows(asked.select("record_key", "rows", "origin", *facts), found)
    unlinked = found.unlinked
    if shared := meters.shared_meters(work.year, source, work.link, work.folder):
        work.meters.append(shared.measured(totals, facts))
        rows, unlinked = shared.instead_of(rows, unlinked, work.enterprises.register.ids)
    work.seen += months.seen(work.year, source, table, facts, rows)
    work.unlinked.append(with_names(work.year, source, table, unlinked))
    doubled = beside_months(work.year, source, table)
    if doubled is not None:
        work.unlinked.append(doubled)
    return work.records(source, facts, rows, work.folder / f"{source}-{table}.spill")


def _land(work: _Work) -> tuple[dict[str, Any], list[Records]]:
    year = work.year.year
    drawn = parcels.write(work.year, work.folder, work.rules)
    work.places, work.found = drawn.places, [drawn.found]
    held = land.rights(work.year)
    leased = land.leases(work.year, drawn.table.select("parcel_code", area=pl.col("area_dm2")))
    keys = land.keys(held, leased)
    if keys.is_empty():
        return drawn.counts | {"findings": 0}, []
    found = work.link("land", keys)
    work.keep(found)
    used = land.occupancy(held, leased, found.links, drawn.table, year, work.rules.area_dispute)
    work.year.origins(used.uses).write_parquet(work.folder / "land_use.parquet", compression_level=1)
    work.found.append(used.findings)
    totals = work.enterprises.register.numbered(land.used(used.uses))
    return drawn.counts | {"findings": used.findings.height}, [
        Records.of_frame("land", ["land_dm2_days"], totals, work.folder / "land-use.spill")
    ]


def _exempt(work: _Work) -> list[Records]:
    """The bureau's list of exemptions as a fact: 1 for whoever stands on it on a day of the year."""
    listed = work.year.scan("exemptions", "exemption")
    if listed is None:
        return []
    valid = listed.filter(land.in_year(work.year.year) > 0, pl.col("record_key").is_not_null())
    keys = valid.group_by("record_key").agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min()).collect()
    found = work.link("exemptions", keys)
    work.unlinked.append(found.unlinked)
    rows = work.rows(keys.with_columns(is_exempt=pl.lit(1, dtype=pl.Int64)), found)
    return [work.records("exemptions", ["is_exempt"], rows)]


def _bureau(work: _Work) -> dict[str, int]:
    """``events.parquet`` and ``relations.parquet``; how many rows each."""
    counts = {"events": 0, "relations": 0}
    for listed in bureau.lists(work.year, work.link):
        work.keep(listed.found)
        counts[listed.name] = listed.write(work.year, work.folder)
    return counts


def _finish(work: _Work) -> dict[str, Any]:
    rest = pl.concat(work.unlinked)
    links = work.matching.with_sure(pl.concat([_NO_LINKS, *work.links]))
    links.sink_parquet(work.folder / "links.parquet", compression_level=1)
    methods = pl.scan_parquet(work.folder / "links.parquet").group_by("method").len().sort("method").collect()
    work.year.origins(rest).write_parquet(work.folder / "unlinked.parquet")
    candidates = work.matching.write_candidates(work.folder)
    return {
        "loads": len(work.year.loads),
        "enterprises": len(work.enterprises.register.ids),
        "linked_keys": int(methods["len"].sum()),
        "unlinked_keys": rest.height,
        "linked_by": dict(methods.iter_rows()),
        "review": candidates.select("source", "record_key").n_unique(),
    }
