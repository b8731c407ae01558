"""permu's own merge as one benchmark process.

python -m tests.bench.merged HOME    → one JSON line; the answer is over all tables' rows
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from engine.schema.warehouse import Warehouse  # before polars: engine sets the allocator
from ingest.merge import merge
from tests.bench.handwritten_merge import answer_of
from tests.bench.measure import peak_mb
from tests.bench.warehouse import YEAR


def main(home: str) -> None:
    """Merge and print seconds, peak and the answer's hash."""
    warehouse = Warehouse(Path(home))
    began = time.monotonic()
    merge_id = merge(warehouse, YEAR).merge_id
    told = {"seconds": time.monotonic() - began, "peak_mb": peak_mb()}
    print(json.dumps(told | {"answer_sha256": answer_of(warehouse.merged / merge_id)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
