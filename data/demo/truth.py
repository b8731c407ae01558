"""The truth beside the drops: which record belongs to whom, who uses which land, what every fact sums to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from data.demo.holdings import NOBODY, Holdings, year_days
from data.demo.settings import BY_ID, BY_NAME, NOT_LINKABLE, Flags, Ints

_LEVELS = (BY_ID, BY_NAME, NOT_LINKABLE)


@dataclass
class _Fact:
    """Sums over the pool of one fact: by code, by code or exact name, and over all records; and who has any."""

    sums: Ints
    present: Flags


def _empty(size: int) -> _Fact:
    return _Fact(np.zeros((3, size), np.int64), np.zeros((3, size), bool))


@dataclass
class YearTruth:
    """The truth of one year, filled while its drops are written. Enterprises are indices of the pool."""

    year: int
    uscc: pl.Series
    facts: dict[str, _Fact] = field(default_factory=dict)
    links: list[pl.DataFrame] = field(default_factory=list)
    traps: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def trap(self, name: str, count: int) -> None:
        """Record that ``count`` more of a trap stand in the drops."""
        self.traps[name] = self.traps.get(name, 0) + int(count)

    def refuse(self, source: str, count: int) -> None:
        """Record that a correct ingest refuses ``count`` more rows of a source."""
        self.refused[source] = self.refused.get(source, 0) + int(count)

    def written(self, source: str, rows: int) -> None:
        """Record that ``rows`` more records (furniture apart) stand in a source's files."""
        self.rows[source] = self.rows.get(source, 0) + int(rows)

    def add(self, name: str, at: Ints, values: Ints, level: Ints | int) -> None:
        """Amounts of one fact, in its smallest unit, for enterprises ``at``; those of ``NOBODY`` are dropped."""
        fact = self.facts.setdefault(name, _empty(len(self.uscc)))
        levels = np.broadcast_to(np.asarray(level), at.shape)
        for most in _LEVELS:
            known = (levels <= most) & (at != NOBODY)
            np.add.at(fact.sums[most], at[known], values[known])
            fact.present[most, at[known]] = True

    def link(self, source: str, keys: pl.Series, at: Ints, has_id: Flags | bool, kind: pl.Series | str) -> None:
        """Record keys of a source with the enterprise each belongs to (``NOBODY``: none)."""
        frame = pl.DataFrame({"record_key": keys.cast(pl.String)}).with_columns(
            source=pl.lit(source),
            uscc=self.uscc.gather(np.where(at == NOBODY, 0, at)),
            known=pl.Series(at != NOBODY),
            has_id=pl.Series(np.broadcast_to(np.asarray(has_id), at.shape)),
            kind=kind if isinstance(kind, pl.Series) else pl.lit(kind),
        )
        self.links.append(frame.with_columns(uscc=pl.when(pl.col("known")).then("uscc")).drop("known"))

    def forget(self) -> YearTruth:
        """This book with its counts only, once the tables are written."""
        self.facts.clear()
        self.links.clear()
        return self

    def links_frame(self) -> pl.DataFrame:
        """``year source record_key uscc has_id kind``, one row a key and enterprise."""
        order = ["year", "source", "record_key", "uscc", "has_id", "kind"]
        frame = pl.concat(self.links).filter(pl.col("record_key").is_not_null())
        frame = frame.unique(["source", "record_key", "uscc"], keep="first", maintain_order=True)
        return frame.with_columns(year=pl.lit(self.year, dtype=pl.Int32)).select(order)

    def facts_frames(self) -> Iterator[pl.DataFrame]:
        """``year uscc field value with_id with_names``, a frame a field: what all linkable records give, those with
        codes, and all."""
        for name, fact in self.facts.items():
            has = np.flatnonzero(fact.present[NOT_LINKABLE])
            year = pl.repeat(self.year, len(has), dtype=pl.Int32, eager=True).alias("year")
            who = self.uscc.gather(has).alias("uscc")
            yield pl.DataFrame([year, who, pl.repeat(name, len(has), eager=True).alias("field"), *_columns(fact, has)])


def _columns(fact: _Fact, has: Ints) -> list[pl.Series]:
    names = {"value": BY_NAME, "with_id": BY_ID, "with_names": NOT_LINKABLE}
    return [
        pl.Series(n, fact.sums[level, has]).zip_with(
            pl.Series(fact.present[level, has]), pl.Series([None], dtype=pl.Int64)
        )
        for n, level in names.items()
    ]


@dataclass(frozen=True)
class Uses:
    """Lines of land use of a year: enterprise, parcel, kind (an index of ``KINDS``), dm²·days, level of its record."""

    enterprise: Ints
    parcel: Ints
    kind: Ints
    dm2_days: Ints
    level: Ints

    def total(self, size: int, most: int = NOT_LINKABLE) -> Ints:
        """dm²·days of each enterprise over lines whose record is linkable up to ``most``."""
        out = np.zeros(size, np.int64)
        known = self.level <= most
        np.add.at(out, self.enterprise[known], self.dm2_days[known])
        return out


KINDS = ("own", "rented_in", "rented_out")


def land_uses(holdings: Holdings, year: int, right_level: Ints, lessor_level: Ints, lessee_level: Ints) -> Uses:
    """Own + rented in − rented out of a year, by the days of the year. Shares come out whole by construction."""
    r, leases = holdings.rights, holdings.leases
    part = holdings.area_dm2[r.parcel] * r.num // r.den * year_days(r.begin, r.end, year)
    leased = leases.area_dm2 * year_days(leases.begin, leases.end, year)
    size = len(leased)
    join = np.concatenate
    enterprise = join([r.holder, leases.lessee, leases.lessor])
    days = join([part, leased, -leased])
    kind = join([np.zeros(len(part), np.int64), np.full(size, 1), np.full(size, 2)])
    parcel = join([r.parcel, leases.parcel, leases.parcel])
    level = join([right_level, lessee_level, lessor_level])
    real = (enterprise != NOBODY) & (days != 0)
    return Uses(enterprise[real], parcel[real], kind[real], days[real], level[real])


def land_frames(uses: Uses, year: int, uscc: pl.Series, parcel_codes: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines, and one row an enterprise: ``land_dm2_days`` of all records and of linkable ones."""
    lines = pl.DataFrame(
        {
            "year": pl.repeat(year, len(uses.enterprise), dtype=pl.Int32, eager=True),
            "uscc": uscc.gather(uses.enterprise),
            "parcel_code": parcel_codes.gather(uses.parcel),
            "kind": pl.Series(KINDS, dtype=pl.String).gather(uses.kind),
            "dm2_days": uses.dm2_days,
            "linkable": uses.level <= BY_NAME,
        }
    )
    used = lines.group_by("year", "uscc", maintain_order=True).agg(
        land_dm2_days=pl.col("dm2_days").sum(),
        linkable_dm2_days=pl.col("dm2_days").filter("linkable").sum(),
        all_linkable=pl.col("linkable").all(),
    )
    return lines, used


class Tables:
    """The truth tables, written as they grow: no more than one frame of one table is held."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._open = folder, contextlib.ExitStack()
        self._writers: dict[str, pq.ParquetWriter] = {}
        folder.mkdir(parents=True)

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def append(self, name: str, frame: pl.DataFrame) -> None:
        """More rows of ``<name>.parquet``; the first call fixes its columns."""
        table = frame.to_arrow()
        if name not in self._writers:
            writer = pq.ParquetWriter(self.folder / f"{name}.parquet", table.schema, compression="zstd")
            self._writers[name] = self._open.enter_context(writer)
        self._writers[name].write_table(table.cast(self._writers[name].schema))
