"""A server loads no library that ranking pages, layers and tiles do without: each costs every worker its memory."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("pandas", "geopandas", "pyogrio", "pypinyin", "duckdb", "typst", "pyspark", "matplotlib", "splink")


def test_heavy_libraries_are_loaded_where_they_are_used() -> None:
    told = f"import sys, api.app; print([m for m in {HEAVY} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True).stdout.strip() == "[]"
