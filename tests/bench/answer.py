"""The answer of a ranking benchmark as one hash: engines that disagree must not be compared by time."""

from __future__ import annotations

import hashlib

import polars as pl

METRICS: tuple[str, ...] = ("output_per_mu", "benefit_per_mu")
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


def answer_sha256(table: pl.DataFrame, metrics: tuple[str, ...] = METRICS) -> str:
    """SHA-256 over the metrics and all ranks in credit code order; with a score also over totals and grades."""
    digest = hashlib.sha256()
    values = ["score_e10" if m == "score" else m for m in metrics]
    ranks = [f"{k}__{m}__{g}" for m in metrics for g in GROUPINGS for k in ("rank", "of") if f"{k}__{m}__{g}" in table]
    for column in table.sort("uscc").select(*values, *ranks).iter_columns():
        kind = pl.Int32 if column.name in ranks else column.dtype if column.name == "score_e10" else pl.Float64
        digest.update(column.name.encode() + column.cast(kind).fill_null(-1).to_numpy().tobytes())
    if "score" in metrics:
        digest.update("".join(table.sort("uscc")["grade"].fill_null("-")).encode())
    return digest.hexdigest()
