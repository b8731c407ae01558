"""``permu ingest``: understand every file, then load each: canonical rows, refused rows, one ledger entry.

Nothing is written unless every file was understood. Each load stands for itself: staged, moved into place and entered
in one transaction, so that a run killed at any moment leaves whole loads only and the next run does the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.declarations import Source
from ingest.declared import adopt, load_mapping
from ingest.declared import sources as declared_sources
from ingest.discover import Drop, discover
from ingest.loading import Job, Loading, Progress
from ingest.map import settle_period, understand, year_in_rows, year_in_text
from ingest.raw import copied_meanwhile
from ingest.read import open_file
from ingest.replacing import Replacing, load_shrinks
from ingest.sheet_rows import counts
from ingest.store import CORRECTIONS, live_loads, parts, publish


@dataclass(frozen=True)
class LoadReport:
    """What became of one file, in rows of its sheets. ``rows_in`` = ``kept`` + ``refused`` + ``furniture`` (0 of all
    where ``duplicate``).

    ``findings``: what a person should look at though no row was refused (totals that do not add up); ``replaced``:
    rows of older loads that this one took the place of, ``replaces``: older loads that it replaced whole.
    """

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
    replaces: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    understood: dict[str, Any] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        """Whether rows were refused or something else waits for a person."""
        return self.refused > 0 or bool(self.findings)

    def as_dict(self, understood: bool = False) -> dict[str, object]:
        """The shape of ``permu ingest --json``; ``understood`` adds what was understood (``--dry-run``)."""
        whole = asdict(self)
        if not understood:
            whole.pop("understood")
        return whole


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
    accept_shrink: bool = False,
    wait: bool = False,
    progress: Progress | None = None,
) -> list[LoadReport]:
    """Load every file under ``paths``; with ``dry_run`` only say what would happen.

    ``accept_shrink`` takes a file that holds over 20 % less than the last one of its kind; ``wait`` waits while
    another command writes to the warehouse.

    Raises:
        PermuError: what was not understood, one line a file (``unreadable_file``, ``missing_column``, ``no_table``,
            ``unknown_source``, ``missing_folder``, ``no_year``, ``ambiguous_unit`` …): nothing was written then;
            ``load_shrinks``, ``write_failed``: the files before it are loaded; ``warehouse_busy``.
    """
    adopt(warehouse.home)
    declared = load_mapping(mapping) if mapping else None
    drops = discover(paths, source or (declared.source if declared else None), year)
    with contextlib.nullcontext() if dry_run else locked(warehouse, "ingest", wait), _hashing() as hashing:
        with told_failures(warehouse, str(warehouse.home)):
            jobs = _understood(warehouse, drops, year, declared, mapping, hashing)
        done: set[str] = set()
        reports = []
        while jobs:
            # Taken out of the list, so that its cells are freed once it is loaded.
            job = jobs.pop(0)
            reports.append(load(warehouse, job, done, dry_run, accept_shrink, progress))
            done.add(job.load_id)
        return reports


@contextlib.contextmanager
def _hashing() -> Iterator[ThreadPoolExecutor]:
    """A thread that hashes files while they are understood and read."""
    thread = ThreadPoolExecutor(1, "permu-hash")
    try:
        yield thread
    finally:
        thread.shutdown(cancel_futures=True)


@contextlib.contextmanager
def locked(warehouse: Warehouse, action: str, wait: bool) -> Iterator[None]:
    """The warehouse's lock; a folder that cannot be written to is ``write_failed``."""
    with contextlib.ExitStack() as held:
        with told_failures(warehouse, str(warehouse.home)):
            held.enter_context(warehouse.lock(action, wait=wait))
        yield


@contextlib.contextmanager
def told_failures(warehouse: Warehouse, what: str) -> Iterator[None]:
    """``write_failed`` where the disk is full or a folder cannot be written to: what was being done, why, where."""
    try:
        yield
    except (OSError, sqlite3.OperationalError, pl.exceptions.ComputeError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        where = getattr(error, "filename", None) or warehouse.home
        raise PermuError(
            "write_failed",
            f"{what}: not loaded: {why} ({where}); make room or give access, then run again",
            f"{what}：未导入：{why}（{where}）；请腾出空间或授予权限后重试",
        ) from error


# --- understand ------------------------------------------------------------------------------------------------


def _understood(
    warehouse: Warehouse,
    drops: list[Drop],
    year: int | None,
    declared: Source | None,
    mapping: Path | None,
    hashing: ThreadPoolExecutor,
) -> list[Job]:
    jobs, failures = [], []
    for drop in drops:
        try:
            jobs.append(_job(warehouse, drop, year, declared, mapping, hashing.submit(file_sha256, drop.path)))
        except PermuError as error:
            failures.append(error)
    if not failures:
        return jobs
    if len(failures) == 1:
        raise failures[0]
    lines_en, lines_zh = "\n".join(f.en for f in failures), "\n".join(f.zh for f in failures)
    raise PermuError(failures[0].code, lines_en, lines_zh, codes=[f.code for f in failures])


def _job(
    warehouse: Warehouse,
    drop: Drop,
    year: int | None,
    declared: Source | None,
    mapping: Path | None,
    hashed: Future[str],
) -> Job:
    mapping_sha = hashlib.sha256(mapping.read_bytes()).hexdigest() if mapping else None
    known = year or drop.year
    if known:
        seen = Job(drop, hashed, mapping_sha, mapping, mapping_sha, known, [], [])
        if _is_live(seen, live_loads(warehouse, drop.source.source, known)):
            return seen
    sheets = open_file(drop.path, (declared or drop.source).crs)
    plans, skipped = understand(drop.path, sheets, declared or drop.source, declared is not None)
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
    return Job(drop, hashed, mapping_sha, mapping, mapping_sha, settled, plans, skipped)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file; of a shapefile, of all its parts one after the other by name."""
    digest = hashlib.sha256()
    for part in parts(path):
        with part.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _is_live(job: Job, live: list[dict[str, Any]]) -> bool:
    """Whether the job's file is loaded already; where nothing is, its hash need not be waited for."""
    return bool(live) and job.load_id in {load["load_id"] for load in live}


# --- load ------------------------------------------------------------------------------------------------------


def load(
    warehouse: Warehouse,
    job: Job,
    done: set[str],
    dry_run: bool = False,
    accept_shrink: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Load one understood file; ``done`` names the loads of the same command, which it leaves as they are."""
    with told_failures(warehouse, str(job.drop.path)):
        older = live_loads(warehouse, job.drop.source.source, job.year)
        if (done and job.load_id in done) or _is_live(job, older):
            return replace(_empty(job), duplicate=True)
        with (
            _staging(warehouse, dry_run) as staged,
            copied_meanwhile(None if dry_run else staged / "raw", job.drop.path, job.mapping) as copied,
        ):
            loading = Loading(warehouse, job, staged, progress)
            loading.read()
            report = _settled(loading, _empty(job), older, done, dry_run, accept_shrink)
            copied.result()
            if not dry_run:
                if job.lineage is not None:
                    job.lineage.write_parquet(staged / CORRECTIONS)
                publish(warehouse, staged, _ledger_row(job, report), report.replaces)
        return report


def _empty(job: Job) -> LoadReport:
    return LoadReport(job.load_id, job.drop.label, job.sha256, job.drop.source.source, job.year)


def _settled(
    loading: Loading, empty: LoadReport, older: list[dict[str, Any]], done: set[str], dry_run: bool, accept: bool
) -> LoadReport:
    """What is older gives way, what shrinks is refused; then the counts."""
    replacing = Replacing(loading, older, done)
    shrunk = [] if "replay_of" in loading.job.extra else replacing.shrunk()
    warning = load_shrinks(empty.file, shrunk) if shrunk and not accept else None
    if warning and not dry_run:
        raise warning
    replacing.settle()
    loading.close()
    rows = counts(loading)
    findings = loading.findings()
    if warning:
        findings.append({"kind": warning.code, "zh": warning.zh, "en": warning.en})
    told = {"accepted_shrink": [asdict(s) for s in shrunk]} if shrunk and accept else {}
    return replace(
        empty,
        rows_in=rows.rows_in,
        kept=rows.kept,
        refused=rows.refused,
        furniture=rows.furniture,
        reasons=dict(rows.reasons),
        replaced=loading.replaced,
        replaces=replacing.whole,
        findings=findings,
        understood=loading.understood(dry_run) | {"findings": findings} | told,
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


def _ledger_row(job: Job, report: LoadReport) -> dict[str, object]:
    counts = {n: getattr(report, n) for n in ("load_id", "source", "year", "file", "sha256")}
    counts |= {n: getattr(report, n) for n in ("rows_in", "kept", "refused", "furniture")}
    understood = json.dumps(report.understood, ensure_ascii=False)
    texts = {"reasons": json.dumps(report.reasons), "understood": understood}
    return counts | texts | {"mapping_sha256": job.mapping_sha256}
