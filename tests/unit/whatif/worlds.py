"""Small releases made by hand for what-if tests: enterprises by the pipeline of the engine, packs as files."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import polars as pl

from engine.policy.model import Policy
from engine.policy.packs import Pack, load_pack
from engine.ranking.pipeline import rankings
from engine.releases import Release, open_release
from tests.unit.ranking.firms import Firm, firm, year_of

HERE = Path(__file__).parent
EVERY_FORM = str(HERE / "every-form.yaml")
COUNTIES = ("320583", "320505", "320205", "320214")


def crowd(size: int, seed: int = 1, gaps: float = 0.1, ties: bool = False) -> list[Firm]:
    """``size`` enterprises in four counties, the last of them with very few; ``gaps`` is the share of missing figures."""
    dice = random.Random(seed)

    def figure(low: int, high: int) -> int | None:
        if dice.random() < gaps:
            return None
        return dice.randrange(low, high, (high - low) // 3) if ties else dice.randrange(low, high)

    return [
        firm(
            n,
            region_code=f"{COUNTIES[3] if n < 3 else COUNTIES[n % 3]}001",
            is_above_scale=int(n % 3 != 1),
            land_dm2_days=366 * (10**6 if ties else dice.randrange(10**5, 10**7)),
            vat_fen=figure(-(10**8), 10**10),
            invoiced_sales_fen=figure(0, 10**11),
            value_added_fen=figure(-(10**8), 10**10),
            main_revenue_fen=figure(1, 10**11),
            power_wh=figure(10**8, 10**11),
            rd_fen=figure(0, 10**9),
            employees=figure(3, 3000),
        )
        for n in range(size)
    ]


def ranked(policy: Policy, firms: list[Firm]) -> pl.DataFrame:
    """The rankings table of a policy over firms, as the engine makes it."""
    return rankings(policy, year_of(firms), None).to_native().collect()


def release(folder: Path, firms: list[Firm], pack: str = EVERY_FORM) -> Release:
    """A release folder with what robustness reads of it."""
    read = load_pack(pack)
    return release_of(folder, ranked(read.policy, firms), read)


def release_of(folder: Path, table: pl.DataFrame, read: Pack) -> Release:
    """The folder of a rankings table and its pack."""
    table.write_parquet(folder / "rankings.parquet")
    (folder / "policy.yaml").write_text(read.text, encoding="utf-8")
    manifest = {"release_id": "r", "year": 2024, "policy": {"id": read.policy.id}, "metrics": read.policy.metrics}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return open_release(folder)


def reweighted(policy: Policy, weights: dict[str, list[float]], factors: dict[str, list[float]]) -> Policy:
    """The policy with other weights, and constant bases times factors: a law, not a pack (weights need not be whole)."""
    assert policy.score is not None
    groups = {}
    for name, group in policy.score.groups.items():
        items = {}
        for (n, item), weight, factor in zip(group.items.items(), weights[name], factors[name], strict=True):
            base = item.base
            if base is not None and base.constant is not None:
                base = base.model_copy(update={"constant": base.constant * factor})
            items[n] = item.model_copy(update={"weight": Decimal(weight), "base": base})
        groups[name] = group.model_copy(update={"items": items})
    return policy.model_copy(update={"score": policy.score.model_copy(update={"groups": groups})})
