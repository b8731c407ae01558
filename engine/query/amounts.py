"""The integers above and below a policy's division lines, which group figures (Σ numerator ÷ Σ denominator) add up."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from engine.policy.formula import compile_formula, names_in
from engine.policy.model import Policy
from engine.query.board import Board, Opened
from engine.ranking.pipeline import YearTables, measured


def amounts(board: Board) -> pl.DataFrame:
    """One Int64 column for every amount that an indicator of the release divides, a row an enterprise in id order.

    Computed by the release's own policy from its own facts; a release without facts has what its rankings hold. Kept.
    """
    return board.cached("amounts", lambda: _amounts(board), lambda found: found.estimated_size())


def _amounts(board: Board) -> pl.DataFrame:
    release = board.release
    policy = release.pack.policy
    if policy.tenants.rule in ("merged", "both") and release.has("facts_wide"):
        return _with_tenants(release)
    needed = _divided(policy)
    frame = _with_facts(board, needed)
    for name, formula in policy.amounts.items():
        known = frame.collect_schema().names()
        if name not in known and names_in(formula) <= set(known):
            frame = nw.from_native(frame).with_columns(compile_formula(formula).alias(name)).to_native()
    return frame.select(n for n in frame.collect_schema().names() if n in needed).collect()


def _with_facts(board: Board, needed: set[str]) -> pl.LazyFrame:
    """The rankings in id order, with what the formulas of ``needed`` use of the facts."""
    release, table = board.release, board.table
    if not release.has("facts_wide"):
        return table.lazy()
    facts, formulas = release.table("facts_wide"), release.pack.policy.amounts
    used = set(needed)
    while more := {n for name in used if name in formulas for n in names_in(formulas[name])} - used:
        used |= more
    names = [n for n in facts.collect_schema().names() if n in used and n not in table.columns]
    own = facts.select("enterprise_id", *names).collect()
    if own["enterprise_id"].equals(table["enterprise_id"]):  # as it mostly is: a join would take three times the memory
        return table.with_columns(own.drop("enterprise_id").get_columns()).lazy()
    return table.lazy().join(own.lazy(), on="enterprise_id", how="left", maintain_order="left")


def _divided(policy: Policy) -> set[str]:
    divided = [policy.all_indicators[i] for i in policy.computed]
    return {n for one in divided for n in (one.numerator, one.denominator)}


def _with_tenants(release: Opened) -> pl.DataFrame:
    """The same where an owner's figures hold those of its tenants, as the ranking made them."""
    policy = release.pack.policy
    enterprises, facts, relations, land_use = (
        nw.from_native(release.table(n)) if release.has(n) else None
        for n in ("enterprises", "facts_wide", "relations", "land_use")
    )
    assert enterprises is not None and facts is not None
    year = int(release.manifest["year"])
    wide = measured(policy, YearTables(year, enterprises, facts, relations=relations, land_use=land_use))
    return wide.sort("enterprise_id").select(*sorted(_divided(policy))).to_native().collect()
