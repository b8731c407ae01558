"""The canonical rows that count for a year: loads not superseded, rows not superseded, lineage packed in one integer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

# A record's origin is one Int64 that sorts by load, sheet and row: (load number × 2¹⁰ + sheet number) × 2³² + row.
_SHEETS, _ROWS = 2**10, 2**32


Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


@dataclass(frozen=True)
class Load:
    """One received file that counts: its number within the year (for lineage), id, source, file name and SHA-256."""

    number: int
    load_id: str
    source: str
    file: str
    sha256: str


class Year:
    """The active loads of one year and their tables."""

    def __init__(self, warehouse: Warehouse, year: int) -> None:
        with warehouse.require().read() as db:
            found = db.execute(
                "SELECT load_id, source, file, sha256 FROM loads WHERE year = ? AND superseded_by IS NULL "
                "ORDER BY source, file, load_id",
                (year,),
            ).fetchall()
        self.warehouse, self.year = warehouse, year
        self.loads = [Load(n, *row) for n, row in enumerate(found)]
        if not self.loads:
            raise PermuError(
                "no_data_for_year",
                f"no department file was loaded for {year}: run `permu ingest PATH --year {year}` first "
                "(`permu status` shows what is there)",
                f"{year} 年没有任何已导入的部门数据：请先运行 permu ingest PATH --year {year}（permu status 可查看已有数据）",
            )

    def tables(self) -> dict[tuple[str, str], list[tuple[Load, Path]]]:
        """(source, table) → the Parquet files of its active loads, in load order."""
        found: dict[tuple[str, str], list[tuple[Load, Path]]] = {}
        for load in self.loads:
            folder = self.warehouse.canonical / load.source / load.load_id
            for file in sorted(folder.glob("*.parquet")):
                if not file.name.endswith(".superseded.parquet"):
                    found.setdefault((load.source, file.stem), []).append((load, file))
        return found

    def scan(self, source: str, table: str) -> pl.LazyFrame | None:
        """All rows of a table that count, with ``origin`` (see :meth:`origins`); None where there is none."""
        files = self.tables().get((source, table), [])
        live = {load.load_id for load in self.loads}
        frames = [_rows(load, file, live) for load, file in files]
        return pl.concat(frames, how="diagonal_relaxed") if frames else None

    def origins(self, frame: Frame) -> Frame:
        """``origin`` → ``load_id``, ``sheet`` and ``row``."""
        part = pl.col("origin") // _ROWS
        places = [
            (x.number * _SHEETS + n, x.load_id, sheet)
            for x in self.loads
            for n, sheet in enumerate(_sheet_names(self.warehouse.canonical / x.source / x.load_id))
        ]
        known = pl.DataFrame(places, schema={"part": pl.Int64, "load_id": pl.String, "sheet": pl.String}, orient="row")
        return (
            frame.with_columns(part=part, row=(pl.col("origin") % _ROWS).cast(pl.Int32))
            .join(
                known if isinstance(frame, pl.DataFrame) else known.lazy(), on="part", how="left", maintain_order="left"
            )
            .drop("origin", "part")
        )


@cache
def _sheet_names(folder: Path) -> list[str]:
    """The sheets of a load in order; a load's folder never changes."""
    files = [f for f in folder.glob("*.parquet") if not f.name.endswith(".superseded.parquet")]
    names = pl.concat(
        [pl.scan_parquet(f, glob=False).select(pl.col("sheet").fill_null("").unique()) for f in files]
    ).unique()
    return sorted(names.collect()["sheet"].to_list())


def _rows(load: Load, file: Path, live: set[str]) -> pl.LazyFrame:
    rows = pl.scan_parquet(file, glob=False)
    gone = file.with_name(f"{file.stem}.superseded.parquet")
    if gone.exists():
        replaced = pl.scan_parquet(gone, glob=False).filter(pl.col("by").is_in(list(live))).select("row", "sheet")
        rows = rows.join(replaced, on=["row", "sheet"], how="anti")
    sheets = _sheet_names(file.parent)
    first = load.number * _SHEETS
    part = pl.lit(first, dtype=pl.Int64)
    if len(sheets) > 1:
        numbers = [first + n for n in range(len(sheets))]
        part = pl.col("sheet").fill_null("").replace_strict(sheets, numbers, return_dtype=pl.Int64)
    return rows.with_columns(origin=part * _ROWS + pl.col("row"))
