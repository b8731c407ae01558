"""``permu ingest --from URL --query FILE``: a query's answer, taken in as a file is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from engine.schema.warehouse import Warehouse
from ingest.load import LoadReport, ingest
from ingest.read.database import fetch


def ingest_query(
    warehouse: Warehouse, source: str, url: str, query: Path, year: int | None = None, **options: Any
) -> list[LoadReport]:
    """Fetch the answer of the query and load it as ``source``'s; ``options`` are those of :func:`ingest.load.ingest`.

    The ledger keeps the answer's hash and, among what was understood, the query's text and the address without password.
    Run again, the same answer is a duplicate and another one replaces the older (same file name).

    Raises:
        PermuError: ``bad_query``, ``database_failed``, and those of ``ingest``.
    """
    with tempfile.TemporaryDirectory(prefix="permu-") as folder:
        return ingest(warehouse, [fetch(url, query, Path(folder))], source=source, year=year, **options)
