"""permu's own ranking of a merged year as one benchmark process.

python -m tests.bench.rank HOME POLICY [spark]    → one JSON line
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from engine.ranking.run import rank
from engine.releases import find
from engine.schema.warehouse import Warehouse
from tests.bench.answer import answer_sha256
from tests.bench.facts import YEAR


def main(home: str, policy: str, engine: str = "polars") -> None:
    """Rank; print seconds (in all, and by stage) and the answer's hash."""
    warehouse = Warehouse(Path(home))
    began = time.monotonic()
    report = rank(warehouse, YEAR, policy, engine=engine)
    seconds = time.monotonic() - began
    release = find(warehouse, report.release_id)
    answer = answer_sha256(release.rankings, tuple(release.manifest["metrics"]))
    print(json.dumps({"seconds": seconds, "stages": report.seconds, "answer_sha256": answer}))


if __name__ == "__main__":
    main(*sys.argv[1:])
