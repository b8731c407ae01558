"""1,000 draws of weights over a ranking: permu's robustness, and the mark written by hand for this one case.

The mark is numpy alone: score and place packed into one uint64, sorted draw by draw on two threads, ranks kept for all
draws, then sorted enterprise by enterprise for the interval. It knows three ratio items without limits or gaps, one field,
no grades, no bases drawn, no indicator left out, and holds all ranks in memory.

    python -m tests.bench.robustness permu|numpy HOME    → one JSON line
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl

from engine.releases import Release, find
from engine.schema.warehouse import Warehouse
from engine.whatif.draws import draw
from engine.whatif.robustness import Settings, robustness

DRAWS, SEED, SPREAD, THREADS = 1000, 7, 0.2, 2
PACK = Path(__file__).with_suffix(".yaml")
_PLACES = np.uint64(20)  # bits: up to 1,048,576 enterprises

Found = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def with_permu(release: Release) -> Found:
    """The function behind ``permu robustness``."""
    rows = robustness(release, Settings(DRAWS, SEED, SPREAD, 0.0), THREADS).rows
    return tuple(rows[f"rank_{n}"].to_numpy() for n in ("least", "low", "high", "most"))  # type: ignore[return-value]


def with_numpy(release: Release) -> Found:
    """The mark."""
    items = ("tax_per_mu", "sales_per_mu", "tax_per_tce")
    columns = [c for n in items for c in (n, f"base__{n}")]
    table = release.table("rankings").filter(pl.col("score_e10").is_not_null()).select(columns).collect()
    unit = [(table[n] / table[f"base__{n}"]).fill_null(0.0).to_numpy() for n in items]
    weights = draw([45.0, 35.0, 20.0], DRAWS, SEED, SPREAD, 0.0).weights
    size = table.height
    ranks = np.empty((DRAWS, size), np.uint32)
    place, position = np.arange(size, dtype=np.uint64), np.arange(1, size + 1, dtype=np.uint32)

    def rank(n: int) -> None:
        score = unit[0] * weights[n, 0] + unit[1] * weights[n, 1] + unit[2] * weights[n, 2]
        whole = np.floor(score * 1e10 + 0.5).astype(np.int64)
        key = ((whole.max() - whole).astype(np.uint64) << _PLACES) | place
        key.sort()
        value = key >> _PLACES
        first = np.where(np.concatenate(([True], value[1:] != value[:-1])), position, 0)
        ranks[n, key & np.uint64((1 << 20) - 1)] = np.maximum.accumulate(first)

    def ordered(start: int) -> np.ndarray:
        part = np.ascontiguousarray(ranks[:, start : start + 512].T)
        part.sort(axis=1)
        return part[:, [0, math.ceil(DRAWS * 0.05) - 1, math.ceil(DRAWS * 0.95) - 1, DRAWS - 1]]

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(rank, range(DRAWS)))
        found = np.concatenate(list(pool.map(ordered, range(0, size, 512))))
    return tuple(found.T)  # type: ignore[return-value]


def answer_sha256(found: Found) -> str:
    """SHA-256 over least, low, high and most rank in id order."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(f, dtype="<i4").tobytes() for f in found)).hexdigest()


def main(engine: str, home: str) -> None:
    """Run one and print seconds and the answer's hash."""
    release = find(Warehouse(Path(home)), policy="bench-robustness")
    began = time.monotonic()
    found = {"permu": with_permu, "numpy": with_numpy}[engine](release)
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "answer_sha256": answer_sha256(found)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
