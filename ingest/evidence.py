"""Claims and facts: every record's say about an enterprise, and the one figure taken from them with its evidence.

Field by field through the portable SQL of ``sql/merge``, so that memory holds one field at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.schema.facts import FACTS
from engine.schema.units import SMALLEST
from ingest.rules import Rules
from sql import statement

CLAIMS = pa.schema(
    [(c, pa.string()) for c in ("enterprise_id", "field", "source", "record_key", "method", "load_id", "sheet")]
    + [("year", pa.int32()), ("value", pa.int64()), ("row", pa.int32()), ("rows", pa.int32())]
)
FACT_ROWS = pa.schema(
    [(c, pa.string()) for c in ("enterprise_id", "field", "unit", "source", "how")]
    + [("year", pa.int32()), ("value", pa.int64()), ("spread", pa.int64()), ("claims", pa.int32())]
)


@dataclass
class Records:
    """Linked year totals of one source table: ``enterprise_no, record_key, share_ppb, sharer_no, method, rows, load_id,
    sheet, row`` and one Int64 column a fact."""

    source: str
    facts: list[str]
    frame: pl.DataFrame

    def of(self, fact: str) -> pl.DataFrame:
        """The records that state ``fact``, as the SQL's ``records`` table."""
        return self.frame.filter(pl.col(fact).is_not_null()).select(
            "enterprise_no", "record_key", "share_ppb", "sharer_no", "method", "rows", "load_id", "sheet", "row",
            source=pl.lit(self.source), value=pl.col(fact),
        )  # fmt: skip


@dataclass
class Evidence:
    """Writes ``claims.parquet`` and ``facts.parquet`` into ``folder`` and counts them."""

    folder: Path
    enterprise_ids: pl.Series
    year: int
    rules: Rules
    counts: dict[str, int] = field(default_factory=lambda: {"claims": 0, "facts": 0, "disputed": 0})

    def write(self, records: list[Records]) -> None:
        """All fields of all sources; ``records`` may state a field in several sources."""
        with (
            pq.ParquetWriter(self.folder / "claims.parquet", CLAIMS, compression="zstd") as claims,
            pq.ParquetWriter(self.folder / "facts.parquet", FACT_ROWS, compression="zstd") as facts,
        ):
            for name, said, taken in self._fields(records):
                self.counts["claims"] += said.height
                self.counts["facts"] += taken.height
                self.counts["disputed"] += taken.filter(pl.col("how") == "disputed").height
                claims.write_table(self._table(said, name, CLAIMS))
                facts.write_table(self._table(taken.with_columns(unit=pl.lit(_unit(name))), name, FACT_ROWS))

    def _fields(self, records: list[Records]) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
        for name in FACTS:
            stated = [r for r in records if name in r.facts]
            if stated:
                rows = pl.concat([r.of(name) for r in stated])
                yield name, *claims_and_fact(rows, self.rules.order(name, sorted({r.source for r in stated})))

    def _table(self, frame: pl.DataFrame, name: str, schema: pa.Schema) -> pa.Table:
        whole = frame.with_columns(
            enterprise_id=self.enterprise_ids.gather(frame["enterprise_no"]),
            field=pl.lit(name),
            year=pl.lit(self.year, dtype=pl.Int32),
        )
        return whole.select(schema.names).to_arrow().cast(schema)


def _unit(name: str) -> str:
    unit = SMALLEST[FACTS[name].quantity]
    return "dm2*days" if name == "land_dm2_days" else unit


def claims_and_fact(records: pl.DataFrame, order: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The claims of one field and the facts taken from them, both in enterprise order."""
    trust = pl.DataFrame({"source": order, "place": range(len(order))}, schema={"source": pl.String, "place": pl.Int32})
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        db.register("records", records.to_arrow())
        said = db.sql(statement("merge/claims")).pl()
        db.register("claims", said.to_arrow())
        db.register("trust", trust.to_arrow())
        taken = db.sql(statement("merge/facts")).pl()
    return said.sort("enterprise_no", "source", "record_key"), taken.sort("enterprise_no")
