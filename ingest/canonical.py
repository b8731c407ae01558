"""The canonical rows that count for a year: loads not superseded, rows not superseded, lineage packed in one integer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse

# A record's origin is one Int64 that sorts by load, sheet and row: number of load and sheet × 2³² + row.
_ROWS = 2**32


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
        frames = [self._rows(load, file) for load, file in files]
        return pl.concat(frames, how="diagonal_relaxed") if frames else None

    def origins(self, frame: Frame, part: int | None = None) -> Frame:
        """``origin`` → ``load_id``, ``sheet`` (null where the file has none) and ``row``.

        ``part``: where all rows are of one (:func:`sole_part`).
        """
        of = (pl.col("origin") // _ROWS).cast(pl.UInt32)
        loads, sheets = zip(*((load_id, sheet or None) for load_id, sheet in self.parts), strict=True)
        named = {
            name: pl.lit(pl.Series(values, dtype=pl.String)).gather(of)
            if part is None
            else pl.lit(values[part], dtype=pl.String)
            for name, values in (("load_id", loads), ("sheet", sheets))
        }
        return frame.with_columns(**named, row=(pl.col("origin") % _ROWS).cast(pl.Int32)).drop("origin")

    def until(self, origins: pl.Series) -> pl.Expr:
        """Rows no further down any sheet than the lowest of ``origins``: what a reader can skip by a file's statistics."""
        last = (origins % _ROWS).max()
        return pl.col("row") <= pl.lit(last if isinstance(last, int) else 0, dtype=pl.Int32)

    @cached_property
    def parts(self) -> list[tuple[str, str]]:
        """(load id, sheet) by number, in load order: the high part of an origin."""
        return [
            (x.load_id, sheet)
            for x in self.loads
            for sheet in _sheet_names(self.warehouse.canonical / x.source / x.load_id)
        ]

    def _rows(self, load: Load, file: Path) -> pl.LazyFrame:
        rows = pl.scan_parquet(file, glob=False)
        gone = file.with_name(f"{file.stem}.superseded.parquet")
        if gone.exists():
            live = [x.load_id for x in self.loads]
            replaced = pl.scan_parquet(gone, glob=False).filter(pl.col("by").is_in(live)).select("row", "sheet")
            rows = rows.join(replaced, on=["row", "sheet"], how="anti")
        numbers = {sheet: n for n, (load_id, sheet) in enumerate(self.parts) if load_id == load.load_id}
        first = pl.lit(min(numbers.values(), default=0), dtype=pl.Int64)
        sheet = pl.col("sheet").fill_null("")
        part = (
            first
            if len(numbers) <= 1  # none where every row was refused
            else sheet.replace_strict(list(numbers), list(numbers.values()), return_dtype=pl.Int64)
        )
        return rows.with_columns(origin=part * _ROWS + pl.col("row"))


def sole_part(origins: pl.Series) -> int | None:
    """The sheet of a load that all origins lie in, by its number; None where they lie in several."""
    least, most = origins.min(), origins.max()
    if not isinstance(least, int) or not isinstance(most, int) or least // _ROWS != most // _ROWS:
        return None
    return least // _ROWS


@cache
def _sheet_names(folder: Path) -> list[str]:
    """The sheets of a load in order; a load's folder never changes."""
    files = [f for f in folder.glob("*.parquet") if not f.name.endswith(".superseded.parquet")]
    names = [pl.scan_parquet(f, glob=False).select(pl.col("sheet").fill_null("").unique()) for f in files]
    return sorted(pl.concat(names).unique().collect()["sheet"].to_list()) or [""]
