"""Who shares a meter, and by what: the share that the department declared, else floor area, else land, else nobody.

A meter counts as shared where its account stands in the ``meter_share`` table of its source. What no share, floor or
land decides is given to no one: it is listed (``unlinked``, ``findings``) and waits for a person. The parts of a meter
sum to it (``sql/merge/claims.sql``): what the shares leave over belongs to nobody and is a part of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from ingest.canonical import Year
from ingest.land import in_year
from ingest.link import Linked, distinct_keys

WHOLE = 10**9
_SLACK = 1000  # what written shares (0.333333) may be off 1 and still mean the whole: as in claims.sql
Linker = Callable[[str, pl.DataFrame], Linked]
Weights = dict[str, int]  # enterprise id → its weight
Line = dict[str, Any]  # a row of the share table

_PARTS = {
    "record_key": pl.String, "sharer_no": pl.Int32, "enterprise_id": pl.String, "method": pl.String, "by": pl.String,
    "share_ppb": pl.Int64, "origin": pl.Int64, "source": pl.String,
}  # fmt: skip
_FINDINGS = {"kind": pl.String, "record_key": pl.String, "value": pl.Int64, "origin": pl.Int64}
_NOTES = {
    "meter_without_shares": (
        "共用表没有份额，也没有建筑面积或用地可分摊，未计入任何企业",
        "shared meter without a share, floor area or land to split it by; it counts for nobody",
    ),
    "meter_shares_over_one": (
        "共用表份额之和大于 1，已按比例压缩",
        "the shares of a meter sum to more than 1; they are cut in proportion",
    ),
    "meter_shares_below_one": (
        "共用表份额之和小于 1，其余不计入任何企业",
        "the shares of a meter sum to less than 1; the rest counts for nobody",
    ),
}


@dataclass(frozen=True)
class Sharer:
    """One sharer of a meter, ``enterprise`` null where it is not linked; ``floor`` in dm², ``share`` in ppb."""

    enterprise: str | None
    method: str | None
    share: int | None
    floor: int | None
    origin: int
    by: str = "declared"


@dataclass(frozen=True)
class SharedMeters:
    """``parts``: a line a sharer (``by`` declared, floor, land or flagged), and one of nobody where a part is left.

    ``strangers``: sharers that are not linked. ``findings``: kind, record_key, value (Σ of shares, ppb), origin.
    """

    source: str
    parts: pl.DataFrame
    strangers: pl.DataFrame
    findings: pl.DataFrame

    def measured(self, totals: pl.DataFrame, facts: list[str]) -> SharedMeters:
        """With what each meter holds (``field``, ``of_value``) and each line's part of it (``value``), as the claims
        have it; null where the year has no record of the account, or the table states several facts.
        """
        field = facts[0] if len(facts) == 1 else None
        whole = dict(totals.select("record_key", field).iter_rows()) if field else {}
        values: list[int | None] = []
        for (account,), lines in self.parts.group_by("record_key", maintain_order=True):
            values += parts_of(whole.get(account), lines["share_ppb"].to_list())
        held = [whole.get(account) for account in self.parts["record_key"]]
        return replace(
            self,
            parts=self.parts.with_columns(
                field=pl.lit(field, dtype=pl.String),
                of_value=pl.Series(held, dtype=pl.Int64),
                value=pl.Series(values, dtype=pl.Int64),
            ),
        )

    def instead_of(
        self, rows: pl.DataFrame, unlinked: pl.DataFrame, ids: pl.Series
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Linked ``rows`` (with ``enterprise_no method share_ppb sharer_no``) with the sharers in the place of the
        account's own link, and ``unlinked`` with the strangers; a flagged meter has no sharer and waits there.
        """
        alone = ~pl.col("record_key").is_in(self.parts["record_key"].implode())
        numbers = pl.int_range(len(ids), dtype=pl.Int32, eager=True)
        places = pl.DataFrame({"enterprise_id": ids, "enterprise_no": numbers})
        counted = self.parts.filter(pl.col("share_ppb").is_not_null()).join(places, on="enterprise_id", how="left")
        sharers = counted.select("record_key", "enterprise_no", "method", "share_ppb", "sharer_no")
        shared = rows.filter(~alone).drop(sharers.columns[1:]).join(sharers, on="record_key", how="inner")
        flagged = self.parts.filter(pl.col("share_ppb").is_not_null().any().over("record_key").not_())
        waiting = flagged.group_by("record_key").agg(pl.col("origin").min(), rows=pl.len().cast(pl.Int32))
        waiting = waiting.sort("origin").select(
            pl.lit(self.source).alias("source"), "record_key", pl.lit(None, dtype=pl.String).alias("name"),
            pl.lit("shared_meter_without_shares").alias("reason"), "rows", "origin",
        )  # fmt: skip
        left = pl.concat([unlinked.filter(alone), self.strangers, waiting])
        return pl.concat([rows.filter(alone), shared.select(rows.columns)]), left


def shared_meters(year: Year, source: str, linker: Linker, folder: Path) -> SharedMeters | None:
    """The shared meters of a source, None where no table names one; ``folder``: where the land lines of the year are."""
    table = year.scan(source, "meter_share")
    if table is None:
        return None
    rows = _with_all_columns(table).sort("record_key", "origin").collect()
    found = linker(source, distinct_keys(rows, "sharer_key"))
    by_key = {
        key: (one, how) for key, one, how in found.links.select("record_key", "enterprise_id", "method").iter_rows()
    }
    grounds = YearGrounds(year, linker, folder)
    parts: list[tuple[object, ...]] = []
    findings: list[tuple[object, ...]] = []
    for account, lines in groupby(rows.iter_rows(named=True), lambda line: line["record_key"]):
        sharers = list(_sharers(list(lines), by_key, grounds))
        done, kinds = apportioned(sharers, grounds)
        parts += [(account, n, s.enterprise, s.method, s.by, s.share, s.origin, source) for n, s in enumerate(done)]
        stated = sum(s.share or 0 for s in sharers)
        findings += [(kind, account, stated, sharers[0].origin) for kind in kinds]
    return SharedMeters(source, _frame(parts, _PARTS), found.unlinked, _frame(findings, _FINDINGS))


def _frame(rows: list[tuple[object, ...]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _with_all_columns(table: pl.LazyFrame) -> pl.LazyFrame:
    """The share table with the columns that files of an older form lack."""
    held = table.collect_schema().names()
    wanted = {"floor_area_dm2": pl.Int64, "parcel_code": pl.String}
    more = [pl.lit(None, dtype=kind).alias(name) for name, kind in wanted.items() if name not in held]
    return table.with_columns(more).select("record_key", "sharer_key", "share_ppb", *wanted, "origin")


def _sharers(lines: list[Line], by_key: dict[str, tuple[str, str]], grounds: YearGrounds) -> Iterator[Sharer]:
    """The sharers of one meter: those named, then, for lines that name a parcel only, who uses it and is not named."""
    named: set[str | None] = set()
    for line in lines:
        if line["sharer_key"] is not None:
            one, method = by_key.get(line["sharer_key"], (None, None))
            named.add(one)
            yield Sharer(one, method, line["share_ppb"], line["floor_area_dm2"], line["origin"])
    unnamed = [line for line in lines if line["sharer_key"] is None]
    for line in unnamed:
        users = [e for e in grounds.users(line["parcel_code"]) if e not in named]
        named.update(users)
        yield from (Sharer(e, "occupancy", None, None, line["origin"]) for e in users)
    if unnamed and not named:
        yield Sharer(None, None, None, None, unnamed[0]["origin"])


# --- the rule -----------------------------------------------------------------------------------------------------


def apportioned(sharers: list[Sharer], grounds: Grounds) -> tuple[list[Sharer], list[str]]:
    """``sharers`` with the share that each gets and by what, a last one of nobody for what is left; kinds of findings.

    Declared shares stand. Those without one get what is left by their floor area, else by their land; where neither
    is known of all of them, their lines are flagged and have no share.
    """
    stated = sum(s.share for s in sharers if s.share is not None)
    open_ones = [s for s in sharers if s.share is None]
    if any(s.share is not None and s.share < 0 for s in sharers):
        return [replace(s, share=None, by="flagged") for s in sharers], ["meter_without_shares"]
    kinds = ["meter_shares_over_one"] if stated > WHOLE + _SLACK else []
    rest = max(WHOLE - stated, 0)
    by, grounded = weights(open_ones, grounds) if rest else ("flagged", [])
    if open_ones and not grounded:
        kinds.append("meter_without_shares")
    given = iter(by_weight(rest, grounded) if grounded else [None] * len(open_ones))
    done = [s if s.share is not None else replace(s, share=next(given), by=by) for s in sharers]
    if len(open_ones) == len(sharers) and not grounded:
        return done, kinds
    left = 0 if grounded else rest
    if left > _SLACK:
        done.append(Sharer(None, None, left, None, sharers[0].origin))
        kinds += [] if open_ones else ["meter_shares_below_one"]
    return done, kinds


def parts_of(value: int | None, shares: list[int | None]) -> list[int | None]:
    """What each line of a meter gets of ``value``: the rule of claims.sql; null where nothing splits it."""
    counted = [s for s in shares if s is not None]
    if value is None or not sum(counted):
        return [None] * len(shares)
    parts = iter(by_weight(abs(value), counted))
    return [None if s is None else next(parts) * (1 if value >= 0 else -1) for s in shares]


def by_weight(whole: int, weights: list[int]) -> list[int]:
    """``whole`` in parts as the weights (≥ 0, not all 0) by largest remainder, ties to the earlier: they sum to it."""
    total = sum(weights)
    parts = [whole * w // total for w in weights]
    order = sorted(range(len(weights)), key=lambda n: (-(whole * weights[n] % total), n))
    for n in order[: whole - sum(parts)]:
        parts[n] += 1
    return parts


def weights(sharers: list[Sharer], grounds: Grounds) -> tuple[str, list[int]]:
    """``floor`` or ``land`` and a weight each; ("flagged", []) where neither is known of every sharer."""
    ids = [s.enterprise or "" for s in sharers]
    floors = [s.floor or grounds.floors.get(e, 0) for s, e in zip(sharers, ids, strict=True)]
    if sharers and min(floors) > 0:
        return "floor", floors
    for land in grounds.lands(set(ids)) if len(set(ids)) == len(ids) > 0 else ():
        held = [land.get(e, 0) for e in ids]
        if min(held) > 0:
            return "land", held
    return "flagged", []


class Grounds(Protocol):
    """What undeclared shares are taken from."""

    @property
    def floors(self) -> Weights:
        """Floor area leased in the year by lessee, dm²."""

    def lands(self, ids: set[str]) -> list[Weights]:
        """Land of these enterprises in dm² × days, the best ground first."""


class YearGrounds:
    """:class:`Grounds` of a year's leases and land lines, read when a meter first needs them."""

    def __init__(self, year: Year, linker: Linker, folder: Path) -> None:
        self._year, self._linker, self._place = year, linker, folder / "land_use.parquet"

    def users(self, parcel: str | None) -> list[str]:
        """Enterprises with land of ``parcel`` left to them in the year, in id order."""
        return sorted(e for e, dm2_days in self._parcels.get(parcel or "", {}).items() if dm2_days > 0)

    def lands(self, ids: set[str]) -> list[Weights]:
        """Land on the parcels that several of them use (where the meter stands), then all their land."""
        common: Weights = {}
        everything: Weights = {}
        for users in self._parcels.values():
            ours = {e: dm2_days for e, dm2_days in users.items() if e in ids}
            for e, dm2_days in ours.items():
                everything[e] = everything.get(e, 0) + dm2_days
                if len(ours) > 1:
                    common[e] = common.get(e, 0) + dm2_days
        return [common, everything]

    @cached_property
    def _parcels(self) -> dict[str, Weights]:
        """Parcel → enterprise → dm² × days of the year."""
        if not self._place.is_file():
            return {}
        lines = pl.scan_parquet(self._place, glob=False).group_by("parcel_code", "enterprise_id")
        found: dict[str, Weights] = {}
        for parcel, one, dm2_days in lines.agg(pl.col("dm2_days").sum()).collect().sort(pl.all()).iter_rows():
            found.setdefault(parcel or "", {})[one] = dm2_days
        return found

    @cached_property
    def floors(self) -> Weights:
        """Floor area leased in the year by lessee, dm²."""
        leases = self._year.scan("land", "occupancy")
        if leases is None:
            return {}
        let = leases.filter(in_year(self._year.year) > 0, pl.col("floor_area_dm2") > 0)
        rows = let.select("lessee_key", "floor_area_dm2", "origin").drop_nulls("lessee_key").collect()
        links = self._linker("land", distinct_keys(rows, "lessee_key")).links
        linked = rows.join(links.select("enterprise_id", lessee_key="record_key"), on="lessee_key")
        return dict(linked.group_by("enterprise_id").agg(pl.col("floor_area_dm2").sum()).iter_rows())


# --- tables -------------------------------------------------------------------------------------------------------


def write(year: Year, folder: Path, meters: list[SharedMeters]) -> dict[str, int]:
    """``shared_meters.parquet``, and the meters' lines in ``findings.parquet``; how many wait for a person."""
    if not meters:
        return {"shared_meters": 0, "meter_findings": 0}
    columns = ["source", "record_key", "enterprise_id", "by", "share_ppb", "field", "of_value", "value"]
    parts = pl.concat([m.parts for m in meters]).sort("source", "record_key", "sharer_no")
    year.origins(parts.select(*columns, "origin")).write_parquet(folder / "shared_meters.parquet")
    found = pl.concat([m.findings.with_columns(source=pl.lit(m.source)) for m in meters])
    _add_findings(year, folder / "findings.parquet", found)
    return {"shared_meters": parts["record_key"].n_unique(), "meter_findings": found.height}


def _add_findings(year: Year, place: Path, found: pl.DataFrame) -> None:
    if found.is_empty():
        return
    account = pl.col("source") + " " + pl.col("record_key").str.strip_prefix("account:")
    notes = {
        n: pl.col("kind").replace_strict({k: t[at] for k, t in _NOTES.items()})
        for at, n in enumerate(("note_zh", "note_en"))
    }
    nothing = pl.lit(None, dtype=pl.String)
    lines = found.sort("kind", "source", "record_key").select(
        "kind", nothing.alias("parcel_code"), nothing.alias("enterprise_id"), nothing.alias("region_code"), "value",
        pl.lit("ppb").alias("unit"), *((account + ": " + e).alias(n) for n, e in notes.items()), "record_key", "origin",
    )  # fmt: skip
    lines = year.origins(lines)
    if place.is_file():
        lines = pl.concat([pl.read_parquet(place, glob=False), lines], how="diagonal_relaxed")
    lines.write_parquet(place)
