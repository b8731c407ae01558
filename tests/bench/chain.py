"""Ingest, merge and rank one year's drops as one benchmark process.

python -m tests.bench.chain DROPS --home HOME    → one JSON line
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

from engine.ranking.run import rank
from engine.schema.warehouse import Warehouse
from ingest.load import ingest
from ingest.merge import merge

YEAR = 2024


def main(drops: str, _: str, home: str) -> None:
    """Run the chain; print seconds in all and by stage, and the hash of the rankings."""
    warehouse = Warehouse(Path(home))
    times = [time.monotonic()]
    ingest(warehouse, [Path(drops)], year=YEAR)
    times.append(time.monotonic())
    merge(warehouse, YEAR)
    times.append(time.monotonic())
    report = rank(warehouse, YEAR, "sunan-2017")
    times.append(time.monotonic())
    stages = dict(zip(("ingest", "merge", "rank"), (b - a for a, b in pairwise(times)), strict=True))
    result = {"seconds": times[-1] - times[0], "stages": stages, "answer_sha256": report.rankings_sha256}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
