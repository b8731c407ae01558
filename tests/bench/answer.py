"""The answer of a merge-and-rank benchmark as one hash: engines that disagree must not be compared by time."""

from __future__ import annotations

import hashlib

import polars as pl

METRICS = ("output_per_mu", "benefit_per_mu")
GROUPINGS: dict[str, list[str]] = {
    "all": [],
    "industry_2": ["industry_2"],
    "industry_3": ["industry_3"],
    "industry_4": ["industry_4"],
    "region_city": ["region_city"],
    "region_county": ["region_county"],
    "region_town": ["region_town"],
    "size": ["size"],
    "scale_group": ["scale_group"],
    "industry_region_size": ["industry_2", "region_county", "size"],
}
COLUMNS = [*METRICS, *(f"{k}__{m}__{g}" for m in METRICS for g in GROUPINGS for k in ("rank", "of"))]


def answer_sha256(table: pl.DataFrame) -> str:
    """SHA-256 over the metrics and all ranks in credit code order."""
    digest = hashlib.sha256()
    for column in table.sort("uscc").select(COLUMNS).iter_columns():
        values = column.cast(pl.Float64 if column.name in METRICS else pl.Int32)
        digest.update(column.name.encode() + values.fill_null(-1).to_numpy().tobytes())
    return digest.hexdigest()
