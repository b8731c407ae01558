"""``make bench``: every benchmark with its alternatives in one run, answers checked before times are reported.

Prints a table and writes ``build/bench.json``. A name picks one benchmark; PERMU_BENCH_SIZE sets enterprises.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import desk, export, first_view, ingest, layers, link, ogc, ranking, serve, tipg
from tests.bench.measure import RUNS, SIZE, Line, Run, in_turn, lines, process


def merge_rank() -> list[Line]:
    """Canonical tables of four monthly sources → rankings in ten groupings × two metrics, and the long tables."""
    from tests.bench.warehouse import build

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        build(home, SIZE)
        python = [sys.executable, "-m"]
        commands = {"permu": [*python, "tests.bench.ours", str(home)]}
        for engine in ("polars", "polars_less", "duckdb", "pandas"):
            commands[engine] = [*python, "tests.bench.handwritten", engine, str(home), f"{folder}/{engine}"]
        # the others take minutes; once is enough to place them
        runs = in_turn(commands, once=("duckdb", "pandas"))
    runs["permu+file"] = [Run(r.output | {"seconds": r.output["whole"]}, r.peak_mb) for r in runs["permu"]]
    return lines("merge_rank", SIZE, runs, mark="polars")


def merge() -> list[Line]:
    """Canonical tables → the merge's tables, claims included, beside a merge by hand that writes the same rows."""
    from tests.bench.warehouse import build

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        build(home, SIZE)
        python = [sys.executable, "-m"]
        by_hand = [*python, "tests.bench.handwritten_merge", str(home), f"{folder}/polars"]
        commands = {"permu": [*python, "tests.bench.merged", str(home)], "polars": by_hand}
        return lines("merge", SIZE, in_turn(commands), mark="polars")


def demo_year() -> list[Line]:
    """The demo of 20,000 enterprises, one year, from the departments' files to a release: at most 30 s."""
    from data.demo import generate

    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), enterprises=20_000, years=(2024,))
        runs = []
        for turn in range(RUNS):
            home = f"{folder}/home{turn}"
            words = [f"{folder}/drops", "--home", home]
            runs.append(process(sys.executable, "-m", "tests.bench.chain", *words))
    return lines("demo_year", 20_000, {"permu": runs}, allowed=30.0)


def parcels() -> list[Line]:
    """Areas, validity and overlaps of 200,000 parcels beside geopandas: at most 20 s and 1.5 GB."""
    from tests.bench.parcels import SIZE as PARCELS
    from tests.bench.parcels import WAYS, write

    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / "parcels.parquet")
        words = [sys.executable, "-m", "tests.bench.parcels"]
        runs = {way: [process(*words, way, str(file)) for _ in range(RUNS)] for way in WAYS}
    return lines("parcels", PARCELS, runs, allowed=20.0)


def _of_ingest(bench: Callable[..., list[dict[str, Any]]], *rows: int) -> Callable[[], list[Line]]:
    return lambda: [Line(**line) for line in bench(*rows)]


# 12 million rows, about 1 GB: below that the fixed costs of a load weigh more than the reading.
BENCHES: dict[str, Callable[[], list[Line]]] = {
    "demo_year": demo_year,
    "merge": merge,
    "merge_rank": merge_rank,
    "parcels": parcels,
    "rank": ranking.rank,
    "rank_score": ranking.rank_score,
    "rank_growth": ranking.rank_growth,
    "merge_growth": ranking.merge_growth,
    "export_xlsx": export.export_xlsx,
    "groupings": ranking.groupings,
    "layer_geojson": layers.layer_geojson,
    "tiles": layers.tiles_served,
    "ogc_bbox": ogc.ogc_bbox,
    "ogc_tipg": tipg.ogc_tipg,
    "robustness": ranking.robustness,
    "simulate_20k": desk.simulate_20k,
    "first_view": first_view.first_view,
    "serve_page": serve.serve_page,
    "serve_filters": serve.serve_filters,
    "serve_memory": serve.serve_memory,
    "serve_bottom": serve.serve_bottom,
    "ingest_csv_utf8": _of_ingest(ingest.ingest_csv_utf8, 12_000_000),
    "ingest_csv_gb18030": _of_ingest(ingest.ingest_csv_gb18030, 12_000_000),
    "ingest_xlsx": _of_ingest(ingest.ingest_xlsx),
    "link_names": _of_ingest(link.link_names, 100_000),
    "link_quality": _of_ingest(link.link_quality, 20_000),
}


# Seconds after which no further benchmark begins, so that the whole ends within 25 minutes: the longest takes under five.
LONGEST = 20 * 60


def main(wanted: list[str]) -> None:
    """Run the benchmarks named, or all; print the table and write build/bench.json."""
    unknown = [w for w in wanted if w not in BENCHES]
    if unknown:
        raise SystemExit(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    print(f"{'benchmark':14}{'size':>10}  {'engine':10}{'seconds':>9}{'peak MB':>9}{'ratio':>7}  answer", flush=True)
    found: list[Line] = []
    begun = time.monotonic()
    for name in wanted or BENCHES:
        if not wanted and time.monotonic() - begun > LONGEST:
            print(f"{name:14} left out: the whole takes long enough by now; make bench BENCH={name}", flush=True)
            continue
        for line in BENCHES[name]():
            ratio = "" if line.ratio_to_mark is None else f"{line.ratio_to_mark:.2f}"
            head = f"{line.name:14}{line.size:>10}  {line.engine:10}{line.seconds_median:>9.2f}{line.peak_mb:>9.0f}"
            print(f"{head}{ratio:>7}  {(line.answer_sha256 or '')[:12]}", flush=True)
            found.append(line)
    Path("build").mkdir(exist_ok=True)
    Path("build/bench.json").write_text(json.dumps([asdict(x) for x in found], indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
