"""Write one load: canonical and refused Parquet batch by batch, then into place, then one ledger transaction."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.schema.warehouse import Warehouse, now, settle, who

SUPERSEDED_SCHEMA = {"row": pl.Int32, "sheet": pl.String, "by": pl.String}


# Strings of which fewer than one in this many rows are distinct are written by dictionary: smaller, and no slower.
_REPEATED = 8
_WAITING = 2
_VIEWS = pl.CompatLevel.newest()


class ParquetStream:
    """A Parquet file written batch by batch: memory stays at a few batches. Always leaves a file, if only a schema.

    Batches are written by a thread of the stream's own, so that the next one is checked meanwhile; what goes wrong
    there is raised by the next :meth:`write`, or by :meth:`close`.
    """

    def __init__(self, path: Path, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.rows = path, 0
        self._empty = pl.DataFrame(schema=schema)
        self._writer: pq.ParquetWriter | None = None
        self._thread, self._beside = ThreadPoolExecutor(1, "permu-write"), ThreadPoolExecutor(1, "permu-then")
        self._waiting: deque[list[Future[None]]] = deque()

    def write(self, frame: pl.DataFrame, then: Callable[[pl.DataFrame], None] | None = None) -> None:
        """Append rows; columns must be those of the schema, in order. ``then`` is done with them beside it, in order."""
        if frame.height == 0:
            return
        while len(self._waiting) >= _WAITING or (self._waiting and all(f.done() for f in self._waiting[0])):
            self._settle_first()
        done = [self._thread.submit(self._write, frame)]
        self._waiting.append([*done, self._beside.submit(then, frame)] if then else done)
        self.rows += frame.height

    def _settle_first(self) -> None:
        for one in self._waiting.popleft():
            one.result()

    def _write(self, frame: pl.DataFrame) -> None:
        table = frame.to_arrow(compat_level=_VIEWS)
        if self._writer is None:
            self._writer = self._open(frame, table.schema)
        self._writer.write_table(table)

    def _open(self, first: pl.DataFrame, schema: pa.Schema) -> pq.ParquetWriter:
        repeated = [c for c, kind in first.schema.items() if kind != pl.Float64 and _repeats(first[c])]
        counted = [c for c, kind in first.schema.items() if kind in (pl.Int32, pl.Int64) and c not in repeated]
        return pq.ParquetWriter(
            self.path,
            schema,
            compression="snappy",  # an eighth less time than zstd for a load, and twice its size
            use_dictionary=repeated,
            # Differences of whole numbers: smaller, and quicker to write.
            column_encoding=dict.fromkeys(counted, "DELTA_BINARY_PACKED"),
        )

    def close(self) -> None:
        """Finish the file."""
        try:
            while self._waiting:
                self._settle_first()
        finally:
            self._thread.shutdown()
            self._beside.shutdown()
            writer = self._writer or self._open(self._empty, self._empty.to_arrow(compat_level=_VIEWS).schema)
            self._writer = writer
            writer.close()

    def __enter__(self) -> ParquetStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _repeats(values: pl.Series) -> bool:
    return values.n_unique() * _REPEATED <= len(values)


def without(path: Path, rows: pl.DataFrame) -> None:
    """Rewrite ``path`` without the rows (row, sheet) listed, in a stream."""
    if rows.height == 0:
        return
    rest = path.with_suffix(".rest")
    lazy = pl.scan_parquet(path, glob=False)
    gone = rows.lazy().select("row", "sheet").unique()
    lazy.join(gone, on=["row", "sheet"], how="anti", maintain_order="left").sink_parquet(rest)
    rest.replace(path)


def superseded(warehouse: Warehouse, source: str, load_id: str, table: str, live: set[str]) -> pl.DataFrame:
    """Rows of an older load that newer, still valid loads replaced: row, sheet, by."""
    path = warehouse.canonical / source / load_id / f"{table}.superseded.parquet"
    if not path.is_file():
        return pl.DataFrame(schema=SUPERSEDED_SCHEMA)
    return pl.read_parquet(path, glob=False).filter(pl.col("by").is_in(list(live)))


def live_loads(warehouse: Warehouse, source: str, year: int) -> list[dict[str, object]]:
    """Loads of the source and year that no newer file replaced, oldest first; [] before the first load."""
    if not warehouse.ledger.is_file():
        return []
    with warehouse.read() as db:
        found = db.execute(
            "SELECT * FROM loads WHERE source = ? AND year = ? AND superseded_by IS NULL ORDER BY received_at",
            (source, year),
        ).fetchall()
    return [dict(r) | {"understood": json.loads(r["understood"])} for r in found]


CORRECTIONS = "corrections.parquet"
MAPPING_COPY = "_mapping.yaml"


def parts(file: Path) -> list[Path]:
    """The file and, for a shapefile or a file geodatabase (a folder), the files that belong to it."""
    if file.is_dir():
        return sorted(f for f in file.rglob("*") if f.is_file() and f.suffix != ".lock")
    if file.suffix.lower() != ".shp":
        return [file]
    wanted = {".shp", ".dbf", ".shx", ".prj", ".cpg"}
    return sorted(f for f in file.parent.iterdir() if f.stem == file.stem and f.suffix.lower() in wanted)


def publish(warehouse: Warehouse, staged: Path, row: dict[str, object], replaces: list[str]) -> None:
    """Move what was staged into place, oldest evidence first, then make it count in one transaction.

    Killed before the transaction, the folders are not in the ledger: nobody reads them and the next run writes
    them again. Rows of older loads are superseded ``by`` a load that counts only once it is in the ledger.
    """
    load_id, source = str(row["load_id"]), str(row["source"])
    settle(staged / "raw", warehouse.loads / load_id)
    settle(staged / "canonical", warehouse.canonical / source / load_id)
    settle(staged / "refused.parquet", warehouse.refused / source / f"{load_id}.parquet")
    if (corrections := staged / CORRECTIONS).is_file():
        settle(corrections, warehouse.refused / source / f"{load_id}.{CORRECTIONS}")
    for replaced in sorted((staged / "superseded").glob("*/*.parquet")):
        settle(replaced, warehouse.canonical / source / replaced.parent.name / replaced.name)
    full = {**row, "received_at": now(), "who": who(), "superseded_by": None}
    names = ", ".join(full)
    with warehouse.connect() as db:
        db.execute(
            f"INSERT OR REPLACE INTO loads ({names}) VALUES ({', '.join('?' * len(full))})", tuple(full.values())
        )
        for old in replaces:
            db.execute("UPDATE loads SET superseded_by = ? WHERE load_id = ?", (load_id, old))
