"""permu's own merge and rank as one benchmark process.

``seconds`` is what the hand-written marks do too: the merge, the ranking, the rankings written as Parquet and hashed.
``whole`` is everything up to a release that can be served: its DuckDB file, its folder, the ledger.

python -m tests.bench.ours HOME [one]    → one JSON line; ``one``: ranked in one grouping instead of all
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.fingerprint import table_sha256
from engine.ranking.ranks import GROUPINGS
from engine.ranking.run import rank
from engine.releases import find
from engine.schema.warehouse import Warehouse
from ingest.merge import merge
from tests.bench.answer import answer_sha256
from tests.bench.measure import peak_mb
from tests.bench.warehouse import YEAR

if TYPE_CHECKING:  # engine comes before polars: it sets the allocator
    import polars as pl


def main(home: str, groupings: str = "all") -> None:
    """Merge and rank; print seconds (in all, and by stage) and the answer's hash."""
    for name in [*GROUPINGS][1:] if groupings == "one" else []:
        del GROUPINGS[name]
    warehouse = Warehouse(Path(home))
    began = time.monotonic()
    merge(warehouse, YEAR)
    report = rank(warehouse, YEAR, "sunan-2017")
    result = {"whole": time.monotonic() - began, "stages": report.seconds, "peak_mb": peak_mb()}
    table = find(warehouse, report.release_id).rankings  # read for the check only: its memory is not permu's
    seconds = report.seconds["merge"] + report.seconds["rank"] + _written_and_hashed(table)
    print(json.dumps(result | {"seconds": seconds, "answer_sha256": answer_sha256(table)}))


def _written_and_hashed(table: pl.DataFrame) -> float:
    """Seconds of that part of publishing, which goes on beside the rest of it, alone."""
    began = time.monotonic()
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        table.write_parquet(file.name, compression="zstd", compression_level=1)
    table_sha256(table)
    return time.monotonic() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
