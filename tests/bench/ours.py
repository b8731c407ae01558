"""permu's own merge and rank as one benchmark process.

python -m tests.bench.ours HOME [one]    → one JSON line; ``one``: ranked in one grouping instead of all
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from engine.ranking.ranks import GROUPINGS
from engine.ranking.run import rank
from engine.releases import find
from engine.schema.warehouse import Warehouse
from ingest.merge import merge
from tests.bench.answer import answer_sha256
from tests.bench.measure import peak_mb
from tests.bench.warehouse import YEAR


def main(home: str, groupings: str = "all") -> None:
    """Merge and rank; print seconds (in all, and by stage) and the answer's hash."""
    for name in [*GROUPINGS][1:] if groupings == "one" else []:
        del GROUPINGS[name]
    warehouse = Warehouse(Path(home))
    began = time.monotonic()
    merge(warehouse, YEAR)
    report = rank(warehouse, YEAR, "sunan-2017")
    result = {"seconds": time.monotonic() - began, "stages": report.seconds, "peak_mb": peak_mb()}
    table = find(warehouse, report.release_id).rankings  # read for the check only: its memory is not permu's
    print(json.dumps(result | {"answer_sha256": answer_sha256(table)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
