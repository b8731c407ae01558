"""Whether a base year states what the bases are averages of: asked before anything is computed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from engine.policy.formula import names_in
from engine.policy.model import Policy
from engine.schema.facts import FACTS


def facts_of(policy: Policy, amount: str) -> set[str]:
    """The facts that an amount is computed from, through the amounts that it names."""
    if amount in FACTS:
        return {amount}
    return {fact for name in names_in(policy.amounts[amount]) for fact in facts_of(policy, name)}


def without_data(policy: Policy, folder: Path) -> dict[str, list[str]]:
    """The items with a base of last year of which the merge in ``folder`` states a side for no enterprise: their facts."""
    stated = pl.scan_parquet(folder / "facts_wide.parquet", glob=False)
    known = stated.select(pl.all().is_not_null().any()).collect().row(0, named=True)
    lacking = {}
    for _, name, item in policy.scored:
        if item.base is None or item.base.average_of != "last_year":
            continue
        one = policy.all_indicators[name]
        for side in (one.numerator, one.denominator):
            facts = facts_of(policy, side)
            if not any(known.get(fact) for fact in facts):
                lacking[name] = sorted(facts)
    return lacking
