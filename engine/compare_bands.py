"""Rank bands: what a release without grades says of an enterprise, beside the grades of others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from engine.compare import Comparison
from engine.releases import Release
from engine.schema.errors import PermuError

_LINES = (20, 60, 95)  # huaian-2024's shares, so that the bands stand beside its grades


def band(rank: pl.Expr, of: pl.Expr, bottom_percent: int) -> pl.Expr:
    """``1–20 %``, ``–60 %``, ``–95 %`` … and ``bottom N %`` by rank·100 against the share·of, in whole numbers."""
    lines = [p for p in _LINES if p < 100 - bottom_percent] + [100 - bottom_percent]
    named = [
        pl.when(rank * 100 <= line * of).then(pl.lit(f"{low}–{line} %"))
        for low, line in zip([0, *lines], lines, strict=False)
    ]
    return pl.when(rank.is_not_null()).then(pl.coalesce(*named, pl.lit(f"{lines[-1]}–100 %")))


@dataclass(frozen=True)
class Beside:
    """A release to show beside a comparison, by one of its metrics (None: its first)."""

    release: Release
    by: str | None = None

    @property
    def metric(self) -> str:
        """What the bands are counted by."""
        return self.by or str(self.release.manifest["metrics"][0])


def with_bands(found: Comparison, beside: Beside) -> Comparison:
    """The comparison with ``rank_c of_c band_c`` of another release, in the grouping that the two are graded in.

    PermuError bad_parameter where that release does not rank by the metric asked.
    """
    table, metric, level = beside.release.rankings, beside.metric, found.place.fallback
    if f"rank__{metric}__{level}" not in table.columns:
        known = ", ".join(beside.release.manifest["metrics"])
        raise PermuError(
            "bad_parameter",
            f"--beside-by {metric}: {beside.release.id} ranks {known}; name one of them",
            f"--beside-by {metric}：{beside.release.id} 的指标为 {known}；请使用其中之一",
            parameter="beside_by",
        )
    rank, of = (pl.col(f"{k}__{metric}__{level}").cast(pl.Int64) for k in ("rank", "of"))
    named = band(rank, of, beside.release.pack.policy.bottom_percent)
    theirs = table.select("enterprise_id", rank_c=rank, of_c=of, band_c=named)
    return replace(found, rows=found.rows.join(theirs, on="enterprise_id", how="left"))
