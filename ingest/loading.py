"""Stream one understood file through its plans into staged Parquet files, and count what became of every row."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from engine.schema.warehouse import Warehouse
from ingest.checks import REFUSED_SCHEMA, Checked, Checker
from ingest.discover import Drop
from ingest.map import Plan
from ingest.read import batches
from ingest.store import ParquetStream, without
from ingest.totals import Totals, written
from ingest.unique import Keys, repeats

Progress = Callable[[str, int, int], None]
_SAMPLE = 5


@dataclass
class Job:
    """A file that was understood and waits to be loaded; its SHA-256 may still be on the way.

    ``mixed_with`` tells loads of the same file apart (the mapping's hash, the load that a replay corrects); ``extra``
    goes into what the ledger keeps as understood, ``lineage`` lists corrected cells (:mod:`ingest.replay`).
    """

    drop: Drop
    hashed: Future[str]
    mixed_with: str | None
    mapping: Path | None
    mapping_sha256: str | None
    year: int
    plans: list[Plan]
    skipped: list[str]
    extra: dict[str, object] = field(default_factory=dict)
    lineage: pl.DataFrame | None = None

    @property
    def sha256(self) -> str:
        """The file's SHA-256; waits for it."""
        return self.hashed.result()

    @property
    def load_id(self) -> str:
        """Source, year and content: the same file of the same year is the same load; waits for the SHA-256."""
        sha = self.sha256
        mixed = hashlib.sha256((sha + self.mixed_with).encode()).hexdigest() if self.mixed_with else sha
        return f"{self.drop.source.source}-{self.year}-{mixed[:12]}"


class Loading:
    """One file on its way into the warehouse."""

    def __init__(self, warehouse: Warehouse, job: Job, staged: Path, progress: Progress | None = None) -> None:
        self.warehouse, self.job, self.staged, self.progress = warehouse, job, staged, progress
        self.rows_in = self.furniture = self.replaced = 0
        self.reasons: Counter[str] = Counter()
        self.tables: dict[str, ParquetStream] = {}
        self.keys: dict[tuple[str, frozenset[str]], Keys] = {}
        self.checkers: list[Checker] = []
        self.totals: list[Totals] = []
        self.last_rows: list[int] = []
        self.counties: dict[str, set[str]] = {}
        self.delivered: dict[str, int] = {}
        self.month_furniture: list[tuple[str, int]] = []  # of wide tables, whose months are sheets of their own
        self.refused = ParquetStream(staged / "refused.parquet", REFUSED_SCHEMA)

    @property
    def source(self) -> str:
        """The source's name."""
        return self.job.drop.source.source

    def read(self) -> None:
        """Check and write every batch, then settle rows that repeat one of the same file."""
        for plan in self.job.plans:
            self._sheet(plan)
        for stream in self.tables.values():
            stream.close()
        for (name, _), keys in self.keys.items():
            for again in repeats(self.tables[name].path, keys.table, keys, self.daily(name)):
                self.refuse(name, again)
        self.delivered = {name: stream.rows for name, stream in self.tables.items()}

    def close(self) -> None:
        """Finish the refused rows; that no row was lost is proved here, for every load."""
        self.refused.close()
        kept, refused = self.kept, sum(self.reasons.values())
        if self.rows_in != kept + refused + self.furniture:
            lost = f"{self.rows_in} ≠ {kept} + {refused} + {self.furniture}"
            raise RuntimeError(f"{self.job.drop.path}: rows lost: {lost}")

    @property
    def kept(self) -> int:
        """Rows in the canonical tables."""
        return sum(s.rows for s in self.tables.values())

    def _sheet(self, plan: Plan) -> None:
        stream = self.tables.get(plan.name)
        if stream is None:
            path = self.staged / "canonical" / f"{plan.name}.parquet"
            stream = self.tables[plan.name] = ParquetStream(path, plan.table.columns)
        checker = Checker(plan, self.job.year, lambda: self.job.load_id, self.source, self.job.drop.label)
        totals = Totals(plan)
        self.checkers.append(checker)
        self.totals.append(totals)
        self.last_rows.append(0)
        folder = self.staged / "keys" / str(len(self.keys))
        keys = self.keys.setdefault((plan.name, amounts_of(plan)), Keys(plan.table, folder))
        for cells in batches(plan.sheet, self.job.drop.path):
            checked = checker.check(cells)
            stream.write(checked.kept, then=keys.add)
            totals.add(cells, checked)
            self._note(plan, checked)
            at = self.last_rows[-1] = int(cells["row"][-1] or 0) if cells.height else self.last_rows[-1]
            if self.progress:
                self.progress(self.job.drop.label, at, max(at, plan.sheet.rows or plan.sheet.about))

    def _note(self, plan: Plan, checked: Checked) -> None:
        self._count(checked.refused)
        self.rows_in += checked.rows_in
        self.furniture += checked.furniture
        if plan.month:
            self.month_furniture += [(plan.sheet.name, row) for row in checked.furniture_rows]
        if plan.table.region:
            held = checked.kept[plan.table.region].drop_nulls().unique().str.slice(0, 6)
            self.counties.setdefault(plan.name, set()).update(held.to_list())

    def _count(self, rows: pl.DataFrame) -> None:
        self.refused.write(rows)
        self.reasons.update(rows["code"].to_list())

    def daily(self, table: str) -> bool:
        """Whether the table's rows are of days."""
        return any(c.daily for c in self.checkers if c.plan.name == table)

    def periods(self, table: str) -> list[int]:
        """[first, last] period of the table's rows; [] without periods."""
        found = [p for c in self.checkers if c.plan.name == table for p in c.periods]
        return [min(found), max(found)] if found else []

    def amounts(self, table: str) -> list[str]:
        """The amounts that the file states for the table."""
        return sorted({a for n, group in self.keys for a in group if n == table})

    def refuse(self, name: str, rows: pl.DataFrame) -> None:
        """Take rows (with ``code``) out of the written table and put them among the refused, written as they came."""
        if rows.height == 0:
            return
        stream = self.tables[name]
        without(stream.path, rows)
        stream.rows -= rows.height
        for checker in [c for c in self.checkers if c.plan.name == name]:
            own = rows.filter(pl.col("sheet") == checker.plan.sheet.name)
            if own.height:
                self._count(checker.refused_again(own).with_columns(raw=_as_written(own, checker.plan)))

    def findings(self) -> list[dict[str, object]]:
        """Columns in a unit of something else, and totals that do not add up."""
        # months of one sheet have plans of their own, which say the same
        left: dict[str, dict[str, object]] = {f["en"]: {**f} for c in self.checkers for f in c.plan.findings}
        return [*left.values(), *(finding for totals in self.totals for finding in totals.findings())]

    def understood(self, sample: bool) -> dict[str, object]:
        """What was understood, for the ledger and ``--dry-run``; ``sample`` adds refused rows."""
        tables = {
            name: {
                "rows": stream.rows, "delivered": self.delivered[name], "amounts": self.amounts(name),
                "periods": self.periods(name), "daily": self.daily(name),
                "counties": sorted(self.counties.get(name, set())),
            }
            for name, stream in self.tables.items()
        }  # fmt: skip
        sheets = [c.plan.as_dict() | {"counts": c.counts, "rows": c.samples} for c in self.checkers]
        for sheet, checker, last in zip(sheets, self.checkers, self.last_rows, strict=True):
            sheet["range"] = _range(checker.plan, last)
            sheet["sample"] = _sample_rows(self.tables[checker.plan.name].path, checker)
        told = {"tables": tables, "sheets": sheets, "skipped_sheets": self.job.skipped, **self.job.extra}
        return told | ({"refused": self._refused_sample()} if sample else {})

    def _refused_sample(self) -> list[dict[str, object]]:
        rows = pl.scan_parquet(self.refused.path, glob=False).head(_SAMPLE).select("row", "code", "zh", "en")
        return rows.collect().to_dicts()


def amounts_of(plan: Plan) -> frozenset[str]:
    """The fields of a plan that hold figures."""
    kinds = ("amount", "share", "flag")
    return frozenset(n for n in plan.uses if plan.table.fields[n].type in kinds)


def _range(plan: Plan, last: int) -> str:
    """The table's place in its sheet: A3:F120, from the header to the last row read."""
    width = max((i for i, header in enumerate(plan.headers, 1) if header), default=1)
    first, end = plan.sheet.letter(0), plan.sheet.letter(width - 1)
    return f"{first}{max(plan.first_header, 1)}:{end}{last}"


def _as_written(rows: pl.DataFrame, plan: Plan) -> pl.Series:
    """JSON of the mapped cells of typed rows: amounts in the file's unit again, as a person would correct them."""
    shown = {n: u for n, u in plan.uses.items() if n != "geometry"}
    amounts = {n: u for n, u in shown.items() if plan.table.fields[n].type in ("amount", "share")}
    texts = [
        pl.Series(n, [None if v is None else written(v, amounts[n].factor) for v in rows[n]], dtype=pl.String)
        if n in amounts else rows[n].cast(pl.String)
        for n in shown
    ]  # fmt: skip
    return pl.DataFrame(texts).select(raw=pl.struct(pl.all()).struct.json_encode()).to_series()


def _sample_rows(path: Path, checker: Checker) -> list[dict[str, object]]:
    """Five rows as they were understood, without geometry."""
    shown = ["row", *(n for n in checker.plan.uses if n != "geometry")]
    sheet = pl.col("sheet") == checker.plan.sheet.name
    rows = pl.scan_parquet(path, glob=False).filter(sheet).head(_SAMPLE).select(shown).collect()
    return [
        {k: v if v is None or isinstance(v, int | float) else str(v) for k, v in r.items()} for r in rows.to_dicts()
    ]
