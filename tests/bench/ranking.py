"""The benchmarks of ranking: facts → release beside the marks, growth with size, groupings, robustness."""

from __future__ import annotations

import math
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from engine.ranking.run import rank as rank_year
from tests.bench import facts, warehouse
from tests.bench.measure import SIZE, Line, Run, in_turn, lines, process
from tests.bench.robustness import PACK

_PYTHON = [sys.executable, "-m"]
_LARGE = 5 * SIZE
_FIELD = SIZE // 10


def rank() -> list[Line]:
    """sunan-2017, two metrics in ten groupings; pandas and Spark take minutes, once is enough to place them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        facts.build(home, SIZE)
        commands = {"permu": [*_PYTHON, "tests.bench.rank", str(home), "sunan-2017"]}
        for engine in ("polars", "duckdb", "pandas"):
            commands[engine] = _by_hand(engine, home, folder)
        if _spark_runs():
            commands["spark"] = [*_PYTHON, "tests.bench.rank", str(home), "sunan-2017", "spark"]
        return lines("rank", SIZE, in_turn(commands, once=("pandas", "spark")), mark="polars")


def rank_score() -> list[Line]:
    """illustrative-2024: bases, items, totals, three metrics in ten groupings, grades."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        facts.build(home, SIZE)
        ours = [*_PYTHON, "tests.bench.rank", str(home), "illustrative-2024"]
        runs = in_turn({"permu": ours, "polars": _by_hand("polars_score", home, folder)})
        return lines("rank_score", SIZE, runs, mark="polars")


def rank_growth() -> list[Line]:
    """5 times the enterprises in at most 12 times the time; the exponent is printed."""
    runs = {}
    for size in (SIZE, _LARGE):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            facts.build(home, size)
            runs[size] = [process(*_PYTHON, "tests.bench.rank", str(home), "sunan-2017") for _ in range(2)]
    return _growth("rank_growth", runs, [r.seconds for r in runs[SIZE]], [r.seconds for r in runs[_LARGE]])


def merge_growth() -> list[Line]:
    """The merge alone, from a tenth of the size to the size; the exponent is printed."""
    runs = {}
    for size in (_FIELD, SIZE):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            warehouse.build(home, size)
            runs[size] = [_merge_of(process(*_PYTHON, "tests.bench.ours", str(home)))]
    return _growth("merge_growth", runs, [r.seconds for r in runs[_FIELD]], [r.seconds for r in runs[SIZE]])


def groupings() -> list[Line]:
    """Merge and rank with all ten groupings against the same with one, which is the mark here."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        warehouse.build(home, SIZE)
        ours = [*_PYTHON, "tests.bench.ours", str(home)]
        runs = in_turn({"all": ours, "one": [*ours, "one"]}, once=("all", "one"))  # the merge is most of both
    (every,), (one,) = (lines(n, SIZE, {"permu": runs[k]}) for n, k in (("groupings", "all"), ("groupings_one", "one")))
    return [replace(every, ratio_to_mark=round(every.seconds_median / one.seconds_median, 2)), one]


def robustness() -> list[Line]:
    """1,000 draws of weights over a tenth of the size in one field, beside numpy written for it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        rank_year(facts.build(home, _FIELD), facts.YEAR, str(PACK))
        commands = {engine: [*_PYTHON, "tests.bench.robustness", engine, str(home)] for engine in ("permu", "numpy")}
        return lines("robustness", _FIELD, in_turn(commands), mark="numpy")


def _by_hand(engine: str, home: Path, folder: str) -> list[str]:
    return [*_PYTHON, "tests.bench.handwritten_rank", engine, str(home), f"{folder}/{engine}"]


def _spark_runs() -> bool:
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return False
    found = shutil.which("java") is not None
    if not found:
        print("rank: no Java here, so Spark is left out", flush=True)
    return found


def _merge_of(run: Run) -> Run:
    return Run(run.output | {"seconds": run.output["stages"]["merge"]}, run.peak_mb)


def _growth(name: str, runs: dict[int, list[Run]], small: list[float], large: list[float]) -> list[Line]:
    """The lines of both sizes; the larger one's ratio is to the smaller one's time."""
    (less, more), times = runs, statistics.median(large) / statistics.median(small)
    exponent = math.log(times) / math.log(more / less)
    print(f"{name}: {more / less:g} times the enterprises take {times:.1f} times as long: n^{exponent:.2f}", flush=True)
    first, second = (lines(name, size, {"permu": runs[size]})[0] for size in (less, more))
    return [first, replace(second, ratio_to_mark=round(times, 2))]
