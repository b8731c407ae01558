"""``permu ingest``: understand every file, then load each: canonical rows, refused rows, one ledger entry.

Nothing is written unless every file was understood. Each load stands for itself: staged, moved into place and entered
in one transaction, so that a run killed at any moment leaves whole loads only and the next run does the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.checks import REFUSED_SCHEMA, Checker
from ingest.declarations import Source, load_mapping
from ingest.declarations import sources as declared_sources
from ingest.discover import Drop, discover
from ingest.map import Plan, settle_period, understand, year_in_rows, year_in_text
from ingest.read import batches, open_file
from ingest.store import (
    SUPERSEDED_SCHEMA,
    ParquetStream,
    keep_raw,
    live_loads,
    parts,
    publish,
    superseded,
    without,
)
from ingest.unique import Keys, against, repeats

Progress = Callable[[str, int, int], None]
_SAMPLE = 5


@dataclass(frozen=True)
class LoadReport:
    """What became of one file. ``rows_in`` = ``kept`` + ``refused`` + ``furniture`` (0 of all where ``duplicate``)."""

    load_id: str
    file: str
    sha256: str
    source: str
    year: int
    rows_in: int = 0
    kept: int = 0
    refused: int = 0
    furniture: int = 0
    duplicate: bool = False
    reasons: dict[str, int] = field(default_factory=dict)
    replaced: int = 0
    understood: dict[str, object] = field(default_factory=dict)

    def as_dict(self, understood: bool = False) -> dict[str, object]:
        """The shape of ``permu ingest --json``; ``understood`` adds what was understood (``--dry-run``)."""
        whole = asdict(self)
        if not understood:
            whole.pop("understood")
        return whole


@dataclass
class _Job:
    """A file that was understood and waits to be loaded."""

    drop: Drop
    load_id: str
    sha256: str
    mapping_sha256: str | None
    year: int
    plans: list[Plan]
    skipped: list[str]


def sources() -> list[Source]:
    """Every declared source, by name."""
    return list(declared_sources().values())


def ingest(
    warehouse: Warehouse,
    paths: list[Path],
    *,
    source: str | None = None,
    year: int | None = None,
    mapping: Path | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> list[LoadReport]:
    """Load every file under ``paths``; with ``dry_run`` only say what would happen.

    Raises:
        PermuError: what was not understood, one line a file (``unreadable_file``, ``missing_column``, ``no_table``,
            ``unknown_source``, ``missing_folder``, ``no_year``, ``ambiguous_unit`` …); nothing was written then.
    """
    declared = load_mapping(mapping) if mapping else None
    drops = discover(paths, source or (declared.source if declared else None), year)
    mapping_sha = hashlib.sha256(mapping.read_bytes()).hexdigest() if mapping else None
    with contextlib.nullcontext() if dry_run else warehouse.lock("ingest"):
        jobs = _understood(warehouse, drops, year, declared, mapping_sha)
        done: set[str] = set()
        reports = []
        while jobs:
            # Taken out of the list, so that its cells are freed once it is loaded.
            job = jobs.pop(0)
            reports.append(_load(warehouse, job, done, dry_run, progress))
            done.add(job.load_id)
        return reports


# --- understand ------------------------------------------------------------------------------------------------


def _understood(
    warehouse: Warehouse, drops: list[Drop], year: int | None, mapping: Source | None, mapping_sha: str | None
) -> list[_Job]:
    jobs, failures = [], []
    for drop in drops:
        try:
            jobs.append(_job(warehouse, drop, year, mapping, mapping_sha))
        except PermuError as error:
            failures.append(error)
    if not failures:
        return jobs
    if len(failures) == 1:
        raise failures[0]
    lines_en, lines_zh = "\n".join(f.en for f in failures), "\n".join(f.zh for f in failures)
    raise PermuError(failures[0].code, lines_en, lines_zh, codes=[f.code for f in failures])


def _job(warehouse: Warehouse, drop: Drop, year: int | None, mapping: Source | None, mapping_sha: str | None) -> _Job:
    sha = file_sha256(drop.path)
    known = year or drop.year
    if known and _is_live(warehouse, drop.source.source, known, _load_id(drop, known, sha, mapping_sha)):
        return _Job(drop, _load_id(drop, known, sha, mapping_sha), sha, mapping_sha, known, [], [])
    sheets = open_file(drop.path)
    plans, skipped = understand(drop.path, sheets, mapping or drop.source, mapping is not None)
    titles = [t for p in plans for t in p.titles]
    settled = known or year_in_rows(plans) or year_in_text([drop.path.stem, *titles])
    if settled is None:
        raise PermuError(
            "no_year",
            f"{drop.path}: of which year is it? Neither a folder, its periods nor its name says one; pass --year",
            f"{drop.path}：无法确定年度（目录、所属期、文件名均未注明）；请用 --year 指定",
            path=str(drop.path),
        )
    for plan in plans:
        settle_period(plan, drop.path, settled)
    return _Job(drop, _load_id(drop, settled, sha, mapping_sha), sha, mapping_sha, settled, plans, skipped)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file; of a shapefile, of all its parts one after the other by name."""
    digest = hashlib.sha256()
    for part in parts(path):
        with part.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _load_id(drop: Drop, year: int, sha: str, mapping_sha: str | None) -> str:
    mixed = hashlib.sha256((sha + mapping_sha).encode()).hexdigest() if mapping_sha else sha
    return f"{drop.source.source}-{year}-{mixed[:12]}"


def _is_live(warehouse: Warehouse, source: str, year: int, load_id: str) -> bool:
    return any(load["load_id"] == load_id for load in live_loads(warehouse, source, year))


# --- load ------------------------------------------------------------------------------------------------------


def _load(warehouse: Warehouse, job: _Job, done: set[str], dry_run: bool, progress: Progress | None) -> LoadReport:
    empty = LoadReport(job.load_id, job.drop.label, job.sha256, job.drop.source.source, job.year)
    if job.load_id in done or _is_live(warehouse, empty.source, job.year, job.load_id):
        return replace(empty, duplicate=True)
    older = live_loads(warehouse, job.drop.source.source, job.year)
    replaces = [o for o in older if o["file"] == job.drop.label and o["load_id"] not in done]
    rest = [o for o in older if o not in replaces]
    try:
        with _staging(warehouse, dry_run) as staged:
            loading = _Loading(warehouse, job, staged, progress)
            loading.run(rest)
            report = loading.report(empty)
            if not dry_run:
                keep_raw(staged / "raw", job.drop.path)
                publish(warehouse, staged, _ledger_row(job, report), [str(o["load_id"]) for o in replaces])
    except OSError as error:
        raise _write_failed(warehouse, job, error) from error
    return report


def _write_failed(warehouse: Warehouse, job: _Job, error: OSError) -> PermuError:
    why = error.strerror or str(error)
    return PermuError(
        "write_failed",
        f"{job.drop.path}: not loaded: {why} ({error.filename or warehouse.home}); make room or give access, then run again",
        f"{job.drop.path}：未导入：{why}（{error.filename or warehouse.home}）；请腾出空间或授予权限后重试",
    )


@contextlib.contextmanager
def _staging(warehouse: Warehouse, dry_run: bool) -> Iterator[Path]:
    """A folder to build the load in: on the warehouse's disk, or, for a dry run, nowhere near it."""
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="permu-") as folder:
            yield Path(folder)
    else:
        with warehouse.staging() as staged:
            yield staged


def _ledger_row(job: _Job, report: LoadReport) -> dict[str, object]:
    counts = {n: getattr(report, n) for n in ("load_id", "source", "year", "file", "sha256")}
    counts |= {n: getattr(report, n) for n in ("rows_in", "kept", "refused", "furniture")}
    understood = json.dumps(report.understood, ensure_ascii=False)
    texts = {"reasons": json.dumps(report.reasons), "understood": understood}
    return counts | texts | {"mapping_sha256": job.mapping_sha256}


class _Loading:
    """Streams one file through its plans into staged Parquet files and counts what became of every row."""

    def __init__(self, warehouse: Warehouse, job: _Job, staged: Path, progress: Progress | None) -> None:
        self.warehouse, self.job, self.staged, self.progress = warehouse, job, staged, progress
        self.rows_in = self.furniture = self.replaced = 0
        self.reasons: Counter[str] = Counter()
        self.tables: dict[str, ParquetStream] = {}
        self.keys: dict[tuple[str, frozenset[str]], Keys] = {}
        self.checkers: list[Checker] = []
        self.understood: dict[str, object] = {}

    def run(self, older: list[dict[str, object]]) -> None:
        """Check and write every batch, then settle repeated rows."""
        with ParquetStream(self.staged / "refused.parquet", REFUSED_SCHEMA) as refused:
            for plan in self.job.plans:
                self._sheet(plan, refused)
            for stream in self.tables.values():
                stream.close()
            self._settle_repeats(refused)
            self._settle_older(older, refused)
        self._understood()

    def report(self, empty: LoadReport) -> LoadReport:
        """The counts of a finished run; that no row was lost is proved here, for every load."""
        kept, refused = sum(s.rows for s in self.tables.values()), sum(self.reasons.values())
        if self.rows_in != kept + refused + self.furniture:
            raise RuntimeError(
                f"{self.job.drop.path}: rows lost: {self.rows_in} ≠ {kept} + {refused} + {self.furniture}"
            )
        return replace(
            empty,
            rows_in=self.rows_in,
            kept=kept,
            refused=refused,
            furniture=self.furniture,
            reasons=dict(sorted(self.reasons.items())),
            replaced=self.replaced,
            understood=self.understood,
        )

    def _sheet(self, plan: Plan, refused: ParquetStream) -> None:
        stream = self.tables.get(plan.name)
        if stream is None:
            path = self.staged / "canonical" / f"{plan.name}.parquet"
            stream = self.tables[plan.name] = ParquetStream(path, plan.table.columns)
        source = self.job.drop.source.source
        checker = Checker(plan, self.job.year, self.job.load_id, source, self.job.drop.label)
        self.checkers.append(checker)
        keys = self.keys.setdefault((plan.name, _amounts(plan)), Keys(plan.table))
        for cells in batches(plan.sheet, self.job.drop.path):
            checked = checker.check(cells)
            stream.write(checked.kept)
            keys.add(checked.kept)
            self._count(refused, checked.refused)
            self.rows_in += checked.rows_in
            self.furniture += checked.furniture
            if self.progress:
                self.progress(
                    self.job.drop.label, int(cells["row"][-1] or 0) if cells.height else 0, plan.sheet.rows or 0
                )

    def _count(self, refused: ParquetStream, rows: pl.DataFrame) -> None:
        refused.write(rows)
        self.reasons.update(rows["code"].to_list())

    def _daily(self, table: str) -> bool:
        return any(c.daily for c in self.checkers if c.plan.name == table)

    def _settle_repeats(self, refused: ParquetStream) -> None:
        for (name, _), keys in self.keys.items():
            stream = self.tables[name]
            again = repeats(stream.path, keys.table, keys, self._daily(name))
            self._refuse(refused, stream, name, again)

    def _refuse(self, refused: ParquetStream, stream: ParquetStream, name: str, rows: pl.DataFrame) -> None:
        """Take rows (with ``code``) out of the written table and put them among the refused."""
        if rows.height == 0:
            return
        without(stream.path, rows)
        stream.rows -= rows.height
        for checker in [c for c in self.checkers if c.plan.name == name]:
            own = rows.filter(pl.col("sheet") == checker.plan.sheet.name)
            self._count(refused, checker.refused_again(own))

    def _settle_older(self, older: list[dict[str, object]], refused: ParquetStream) -> None:
        """Against older loads of the year: the same row again is refused, another value replaces the older row."""
        live = {str(o["load_id"]) for o in older}
        for (name, amounts), keys in self.keys.items():
            if not keys.table.unique:
                continue
            for load in older:
                if self._comparable(load, name, amounts):
                    self._compare(load, name, keys, live, refused)

    def _comparable(self, load: dict[str, object], name: str, amounts: frozenset[str]) -> bool:
        """Whether an older load could hold the same rows: same table, common amounts, overlapping periods."""
        told = load["understood"]
        assert isinstance(told, dict)
        theirs = told.get("tables", {}).get(name)
        if theirs is None:
            return False
        disjoint = bool(amounts) and bool(theirs["amounts"]) and amounts.isdisjoint(theirs["amounts"])
        mine = self._periods(name)
        apart = bool(mine and theirs["periods"]) and (mine[0] > theirs["periods"][1] or mine[1] < theirs["periods"][0])
        return not disjoint and not apart

    def _compare(self, load: dict[str, object], name: str, keys: Keys, live: set[str], refused: ParquetStream) -> None:
        old_id, source, stream = str(load["load_id"]), self.job.drop.source.source, self.tables[name]
        path = self.warehouse.canonical / source / old_id / f"{name}.parquet"
        gone = superseded(self.warehouse, source, old_id, name, live)
        same, replaced = against(stream.path, path, gone, keys.table, keys, self._daily(name))
        self._refuse(refused, stream, name, same.with_columns(pl.lit("duplicate_row").alias("code")))
        if replaced.height == 0:
            return
        self.replaced += replaced.height
        folder = self.staged / "superseded" / old_id
        folder.mkdir(parents=True, exist_ok=True)
        mine = replaced.with_columns(pl.lit(self.job.load_id).alias("by")).select(list(SUPERSEDED_SCHEMA))
        pl.concat([gone, mine]).write_parquet(folder / f"{name}.superseded.parquet")

    def _periods(self, name: str) -> list[int]:
        found = [p for c in self.checkers if c.plan.name == name for p in c.periods]
        return [min(found), max(found)] if found else []

    def _understood(self) -> None:
        tables = {}
        for name, stream in self.tables.items():
            amounts = sorted({a for n, group in self.keys for a in group if n == name})
            tables[name] = {
                "rows": stream.rows, "amounts": amounts, "periods": self._periods(name), "daily": self._daily(name)
            }  # fmt: skip
        sheets = [c.plan.as_dict() | {"counts": c.counts, "rows": c.samples} for c in self.checkers]
        for sheet, checker in zip(sheets, self.checkers, strict=True):
            stream = self.tables[checker.plan.name]
            sheet["sample"] = _sample_rows(stream.path, checker)
        self.understood = {"tables": tables, "sheets": sheets, "skipped_sheets": self.job.skipped}


def _amounts(plan: Plan) -> frozenset[str]:
    kinds = ("amount", "share", "flag")
    return frozenset(n for n in plan.uses if plan.table.fields[n].type in kinds)


def _sample_rows(path: Path, checker: Checker) -> list[dict[str, object]]:
    """Five rows as they were understood, without geometry."""
    shown = ["row", *(n for n in checker.plan.uses if n != "geometry")]
    sheet = pl.col("sheet") == checker.plan.sheet.name
    rows = pl.scan_parquet(path, glob=False).filter(sheet).head(_SAMPLE).select(shown).collect()
    return [
        {k: v if v is None or isinstance(v, int | float) else str(v) for k, v in r.items()} for r in rows.to_dicts()
    ]
