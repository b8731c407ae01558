"""Claims and facts: every record's say about an enterprise, and the one figure taken from them with its evidence.

``claims`` and ``facts`` are long, one row a statement; ``facts_wide`` holds the same facts one row an enterprise, which
is what policies compute on.

The portable SQL of ``sql/merge`` decides. Where a field has one source and one unshared record an enterprise there is
nothing to decide, and the rows are written as they are: the same rows as the SQL's, in a tenth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from engine.schema.facts import FACTS
from engine.schema.units import SMALLEST
from ingest.canonical import Year, sole_part
from ingest.link import LINK_COLUMNS
from ingest.rules import Rules
from sql import statement

_CLAIM = ("enterprise_no", "source", "record_key", "value", "method", "origin", "rows")
_ID = "^enterprise_id$"  # the column where there is one
_FACT = ("enterprise_no", "value", "source", "how", "spread", "claims")
ROW_GROUP = 250_000
# The tables of a year whose departments state no figure.
_WHOSE = {"enterprise_id": pl.String, "field": pl.String, "year": pl.Int32, "value": pl.Int64, "source": pl.String}
_EMPTY = {
    "claims": _WHOSE | {"record_key": pl.String, "method": pl.String, "load_id": pl.String, "sheet": pl.String,
                        "row": pl.Int32, "rows": pl.Int32},
    "facts": _WHOSE | {"how": pl.String, "spread": pl.Int64, "claims": pl.Int32, "unit": pl.String},
}  # fmt: skip


@dataclass
class Records:
    """Linked year totals of one source table: ``enterprise_no, record_key, share_ppb, sharer_no, method, rows, origin``
    (and ``enterprise_id`` where it is at hand) and one Int64 column a fact.

    ``plain``: every enterprise has one record at most and shares none. ``complete``: the facts that every record states.
    ``part``: the sheet that all records come from, if one.
    """

    source: str
    facts: list[str]
    frame: pl.LazyFrame
    plain: bool
    complete: frozenset[str]
    part: int | None

    @classmethod
    def of_frame(cls, source: str, facts: list[str], frame: pl.DataFrame, spill: Path | None = None) -> Records:
        """Records over ``frame``; with ``spill`` the rows wait on disk, so that one source at a time is in memory."""
        plain = frame["share_ppb"].null_count() == frame.height == frame["enterprise_no"].n_unique()
        complete = frozenset(f for f in facts if not frame[f].null_count())
        rows = frame.lazy()
        if spill is not None:
            frame.write_ipc(spill)
            rows = pl.scan_ipc(spill)
        return cls(source, facts, rows, plain, complete, sole_part(frame["origin"]))

    def of(self, fact: str) -> pl.LazyFrame:
        """The records that state ``fact``, as the SQL's ``records`` table."""
        stated = self.frame if fact in self.complete else self.frame.filter(pl.col(fact).is_not_null())
        return stated.select(_ID, *_CLAIM[:1], *_CLAIM[2:3], *_CLAIM[4:], "share_ppb", "sharer_no",
                             source=pl.lit(self.source), value=pl.col(fact))  # fmt: skip

    def links(self) -> pl.LazyFrame:
        """Which record key belongs to which enterprise, and by which method."""
        linked = self.frame.filter(pl.col("enterprise_id").is_not_null())
        return linked.select("record_key", "enterprise_id", "method", "share_ppb", source=pl.lit(self.source)).select(
            LINK_COLUMNS
        )


@dataclass
class Evidence:
    """Writes ``claims``, ``facts`` and ``facts_wide`` (.parquet) into ``folder`` and counts them.

    ``beside``: further columns of ``facts_wide`` that are no facts, in enterprise order.
    """

    folder: Path
    enterprise_ids: pl.Series
    year: Year
    rules: Rules
    counts: dict[str, int] = field(default_factory=dict)
    beside: dict[str, pl.Series] = field(default_factory=dict)

    def write(self, records: list[Records]) -> None:
        """All fields of all sources; ``records`` may state a field in several sources."""
        claims, facts, wide = [], [], {}
        for name in FACTS:
            stated = [r for r in records if name in r.facts]
            if stated:
                said, taken = _field(stated, name, self.rules)
                part = stated[0].part if len(stated) == 1 else None
                claims.append(self._row(self.year.origins(said, part), name))
                facts.append(self._row(taken, name).with_columns(unit=pl.lit(unit_of(name))))
                wide[name] = self._column(taken, name)
        table = pl.DataFrame({"enterprise_id": self.enterprise_ids, **wide, **self.beside})
        table.write_parquet(self.folder / "facts_wide.parquet", compression_level=1, row_group_size=ROW_GROUP)
        self.counts["claims"] = self._sink(claims, "claims")
        self.counts["facts"] = self._sink(facts, "facts")
        found = pl.scan_parquet(self.folder / "facts.parquet", glob=False).filter(pl.col("how") == "disputed")
        self.counts["disputed"] = found.select(pl.len()).collect().item()

    def _column(self, taken: pl.LazyFrame, name: str) -> pl.Series:
        """The facts of one field as a column in enterprise order, null where an enterprise has none."""
        held = taken.select("enterprise_no", "value").collect()
        column = pl.Series(name, [None], dtype=pl.Int64).new_from_index(0, len(self.enterprise_ids))
        return column.scatter(held["enterprise_no"], held["value"])

    def _row(self, frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
        if "enterprise_id" not in frame.collect_schema().names():
            whose = pl.lit(self.enterprise_ids).gather(pl.col("enterprise_no"))
            frame = frame.select(whose.alias("enterprise_id"), pl.all())
        return frame.drop("enterprise_no").with_columns(field=pl.lit(name), year=pl.lit(self.year.year, dtype=pl.Int32))

    def _sink(self, frames: list[pl.LazyFrame], name: str) -> int:
        place = self.folder / f"{name}.parquet"
        frames = frames or [pl.LazyFrame(schema=_EMPTY[name])]
        pl.concat(frames).sink_parquet(place, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        return int(pl.scan_parquet(place, glob=False).select(pl.len()).collect().item())


def unit_of(name: str) -> str:
    """The smallest unit of a fact, as facts state it."""
    return "dm2*days" if name == "land_dm2_days" else SMALLEST[FACTS[name].quantity]


def _field(stated: list[Records], name: str, rules: Rules) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The claims of one field and the facts taken from them, in enterprise order."""
    if len(stated) == 1 and stated[0].plain:
        return undecided(stated[0].of(name))
    rows = pl.concat([r.of(name) for r in stated]).collect()
    return decided(rows, rules.order(name, sorted({r.source for r in stated})))


def undecided(records: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Claims and facts of records of which each enterprise has one and shares none."""
    sole = {"how": pl.lit("only_claim"), "spread": pl.lit(0, dtype=pl.Int64), "claims": pl.lit(1, dtype=pl.Int32)}
    return records.select(_ID, *_CLAIM), records.with_columns(**sole).select(_ID, *_FACT)


def decided(records: pl.DataFrame, order: list[str]) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Claims and facts by the portable SQL; ``order`` names the sources from the most trusted on."""
    import duckdb  # a server imports this module and never comes here

    trust = pl.DataFrame({"source": order, "place": range(len(order))}, schema={"source": pl.String, "place": pl.Int32})
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        db.execute("SET memory_limit = '768MB'")
        db.register("records", records.to_arrow())
        said = (
            db.sql(statement("merge/claims")).pl().select(_CLAIM).sort("enterprise_no", "source", "record_key", "value")
        )
        db.register("claims", said.to_arrow())
        db.register("trust", trust.to_arrow())
        taken = db.sql(statement("merge/facts")).pl().select(_FACT).sort("enterprise_no")
    return said.lazy(), taken.lazy()
