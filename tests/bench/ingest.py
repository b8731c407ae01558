"""Ingest against the hand-written best: CSV (UTF-8, GB18030) and XLSX, each way a process of its own.

``python -m tests.bench.ingest NAME [ROWS]`` prints one benchmark. Both ways read the same file of state tax payments;
before anything is reported, both must have kept every row and the same sums by month.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tests.bench.ingest_files import HEADERS, write_csv, write_gb18030, write_xlsx

RUNS = 3
CSV_ROWS, XLSX_ROWS = 3_000_000, 1_000_000
Line = dict[str, Any]


def ingest_csv_utf8(rows: int = CSV_ROWS) -> list[Line]:
    """A UTF-8 CSV with mapping, typing, checks and lineage against ``scan_csv().sink_parquet()``."""
    return _compared("ingest_csv_utf8", rows, write_csv, "csv")


def ingest_csv_gb18030(rows: int = CSV_ROWS) -> list[Line]:
    """The same in GB18030 against two processes that rewrite half of it each, then the sink."""
    return _compared("ingest_csv_gb18030", rows, write_gb18030, "gb18030")


def ingest_xlsx(rows: int = XLSX_ROWS) -> list[Line]:
    """A workbook against fastexcel alone, which checks and writes nothing."""
    return _compared("ingest_xlsx", rows, write_xlsx, "xlsx")


def _compared(name: str, rows: int, write: Callable[[Path, int], Path], kind: str) -> list[Line]:
    with tempfile.TemporaryDirectory(prefix="permu-bench-") as folder:
        file = write(Path(folder), rows)
        runs: dict[str, list[tuple[float, float, str]]] = {"mark": [], "permu": []}
        for turn in range(RUNS):
            for engine, words in (("mark", [f"mark-{kind}"]), ("permu", ["permu"])):
                runs[engine].append(_process([*words, str(file), f"{folder}/{engine}{turn}"], rows))
    answers = {answer for engine in runs.values() for _, _, answer in engine}
    if len(answers) != 1:
        raise SystemExit(f"{name}: the answers differ: {answers}")
    mark = statistics.median(seconds for seconds, _, _ in runs["mark"])
    return [_line(name, rows, engine, runs[engine], mark) for engine in ("permu", "mark")]


def _line(name: str, rows: int, engine: str, runs: list[tuple[float, float, str]], mark: float) -> Line:
    seconds = statistics.median(run[0] for run in runs)
    return {
        "name": name, "size": rows, "engine": engine, "seconds_median": round(seconds, 3),
        "peak_mb": round(max(run[1] for run in runs)), "ratio_to_mark": round(seconds / mark, 2), "answer_sha256": runs[0][2],
    }  # fmt: skip


def _process(words: list[str], rows: int) -> tuple[float, float, str]:
    """(seconds, peak MB, SHA-256 of the answer) of one way, in a process of its own; its result is removed."""
    with subprocess.Popen([sys.executable, "-m", "tests.bench.ingest", *words], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        told = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}")
    result = json.loads(told)
    if result["kept"] != rows:
        raise SystemExit(f"{' '.join(words)}: {result['kept']} rows of {rows}")
    return float(result["seconds"]), usage.ru_maxrss / 1024, str(result["answer"])


# --- the ways, each run as a process of its own -------------------------------------------------------------------


def _permu(file: Path, place: Path) -> tuple[float, pl.LazyFrame]:
    from engine.schema.warehouse import Warehouse
    from ingest.load import ingest

    home = Warehouse(place)
    began = time.perf_counter()
    (report,) = ingest(home, [file], source="state_tax", year=2024)
    seconds = time.perf_counter() - began
    table = home.canonical / "state_tax" / report.load_id / "payment.parquet"
    return seconds, pl.scan_parquet(table).select("period", vat="vat_fen", sales="invoiced_sales_fen")


def _mark_csv(file: Path, place: Path) -> tuple[float, pl.LazyFrame]:
    began = time.perf_counter()
    pl.scan_csv(file).sink_parquet(place)
    return time.perf_counter() - began, _named(pl.scan_parquet(place))


def _mark_gb18030(file: Path, place: Path) -> tuple[float, pl.LazyFrame]:
    halves = [place.with_suffix(f".{n}.csv") for n in range(2)]
    began = time.perf_counter()
    children = [subprocess.Popen([sys.executable, "-m", "tests.bench.half", str(file), str(half)]) for half in halves]
    if any(child.wait() for child in children):
        raise SystemExit("rewriting failed")
    pl.scan_csv(halves).sink_parquet(place)
    return time.perf_counter() - began, _named(pl.scan_parquet(place))


def _mark_xlsx(file: Path, place: Path) -> tuple[float, pl.LazyFrame]:
    import fastexcel

    began = time.perf_counter()
    frame = fastexcel.read_excel(file).load_sheet(0).to_polars()
    return time.perf_counter() - began, _named(frame.lazy())


def _named(frame: pl.LazyFrame) -> pl.LazyFrame:
    month, vat, sales = (pl.col(h) for h in HEADERS[2:])
    fen = [(pl.col(c).cast(pl.Float64) * 100).round().cast(pl.Int64).alias(c) for c in ("vat", "sales")]
    period = month.cast(pl.String).str.replace("-", "").cast(pl.Int32).alias("period")
    return frame.select(period, vat=vat, sales=sales).with_columns(fen)


def _answer(frame: pl.LazyFrame) -> tuple[int, str]:
    """Rows, and the SHA-256 of rows and sums by month."""
    sums = frame.group_by("period").agg(pl.len(), pl.col("vat").sum(), pl.col("sales").sum()).sort("period")
    held = sums.collect(engine="streaming")
    return int(held["len"].sum()), hashlib.sha256(json.dumps(held.rows()).encode()).hexdigest()


_WAYS = {"permu": _permu, "mark-csv": _mark_csv, "mark-gb18030": _mark_gb18030, "mark-xlsx": _mark_xlsx}
BENCHMARKS = {b.__name__: b for b in (ingest_csv_utf8, ingest_csv_gb18030, ingest_xlsx)}


def main(name: str, *rest: str) -> None:
    """One benchmark by name, or one way of it as a child process."""
    if name in _WAYS:
        seconds, frame = _WAYS[name](Path(rest[0]), Path(rest[1]))
        kept, answer = _answer(frame)
        print(json.dumps({"seconds": seconds, "kept": kept, "answer": answer}))
    else:
        for line in BENCHMARKS[name](*(int(r) for r in rest)):
            print(json.dumps(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
