"""A release held in memory: rankings, facts and a policy, as a board needs them; no folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from engine.policy.packs import Pack, load_pack
from engine.query import Board

DM2 = 1_000_000 * 366  # 15 mu over 2024


@dataclass(frozen=True)
class Held:
    """What engine.query.board.Opened asks of a release."""

    rankings: pl.DataFrame
    facts: pl.DataFrame | None = None
    year: int = 2024
    policy: str = "sunan-2017"
    metrics: tuple[str, ...] = field(default=("output_per_mu", "benefit_per_mu"))

    @property
    def manifest(self) -> dict[str, Any]:
        return {
            "release_id": f"{self.year}-{self.policy}-test",
            "year": self.year,
            "policy": {"id": self.policy},
            "metrics": list(self.metrics),
            "default_metric": self.metrics[0],
        }

    @property
    def pack(self) -> Pack:
        return load_pack(self.policy)

    def has(self, name: str) -> bool:
        return name == "facts_wide" and self.facts is not None

    def table(self, name: str) -> pl.LazyFrame:
        assert name == "facts_wide" and self.facts is not None
        return self.facts.lazy()


def firms(tax_fen: list[int | None], land_dm2: list[int] | None = None, **more: Any) -> pl.DataFrame:
    """Rankings of firms with these taxes; output is ten times the tax's amount, of the same sign."""
    land = land_dm2 or [DM2 // 366] * len(tax_fen)
    benefit = [None if t is None else t / (15 * d) for t, d in zip(tax_fen, land, strict=True)]
    frame = {
        "enterprise_id": [f"E{n:06}" for n in range(len(tax_fen))],
        "name": [f"企业{n}" for n in range(len(tax_fen))],
        "industry_section": "C",
        "industry_2": "26",
        "region_code": "320507001",
        "region_city": "3205",
        "region_county": "320507",
        "size": "small",
        "scale_group": "above_scale",
        "land_group": "land_3mu_up",
        "grade": None,
        "output_fen": [None if t is None else 10 * t for t in tax_fen],
        "tax_fen": tax_fen,
        "land_dm2_days": [d * 366 for d in land],
        "output_per_mu": [None if b is None else 10 * b for b in benefit],
        "benefit_per_mu": benefit,
        **more,
    }
    numbers = {"output_fen": pl.Int64, "tax_fen": pl.Int64, "land_dm2_days": pl.Int64, "grade": pl.String}
    floats = {"output_per_mu": pl.Float64, "benefit_per_mu": pl.Float64}
    columns = {n: v if isinstance(v, list) else [v] * len(tax_fen) for n, v in frame.items()}
    return pl.DataFrame(columns, schema_overrides=numbers | floats)


def board(tax_fen: list[int | None], land_dm2: list[int] | None = None, **more: Any) -> Board:
    """A board of such firms under sunan-2017, with facts from which the policy computes its amounts."""
    table = firms(tax_fen, land_dm2, **more)
    facts = table.select("enterprise_id", "land_dm2_days", vat_fen="tax_fen", invoiced_sales_fen="output_fen")
    return Board(Held(table, facts))
