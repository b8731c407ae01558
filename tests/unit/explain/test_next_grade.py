"""What the next grade takes is checked by ranking again with that change, and with a change one unit smaller."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw
import polars as pl
import pytest

from engine.explain.next_grade import Need, needs
from engine.explain.scoring import computed_amounts
from engine.explain.telling import Telling
from engine.ranking.pipeline import rankings
from engine.ranking.run import own_base_year, own_year
from engine.releases import Release
from engine.schema.warehouse import Warehouse
from tests.unit.explain.conftest import POLICIES


def ranked_with(warehouse: Warehouse, release: Release, enterprise: str, fact: str, change: int) -> pl.DataFrame:
    """The whole year ranked again with one fact of one enterprise moved."""
    tables, last = own_year(release).tables(), own_base_year(warehouse, release)
    mine = pl.col("enterprise_id") == enterprise
    moved = pl.when(mine).then(pl.col(fact).fill_null(0) + change).otherwise(fact).alias(fact)
    facts = nw.from_native(tables.facts.to_native().with_columns(moved))
    lazy = rankings(release.pack.policy, replace(tables, facts=facts), last.tables() if last else None)
    return lazy.to_native().collect()


def share(table: pl.DataFrame, enterprise: str) -> float:
    row = table.row(by_predicate=pl.col("enterprise_id") == enterprise, named=True)
    return float(row["grade_rank"] * 100 / row["grade_of"])


def asked(release: Release, enterprise: str) -> list[Need]:
    told = Telling(release, release.enterprise(enterprise), "en")
    return needs(told, computed_amounts(told))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("grade", ["B", "C", "D"])
def test_the_change_reaches_the_line_and_one_less_does_not(
    many: Warehouse, releases: dict[str, Release], policy: str, grade: str
) -> None:
    release = releases[policy]
    some = release.rankings.filter(grade_initial=grade).filter(pl.col("grade_of") > 5)["enterprise_id"]
    judged = 0
    for enterprise in (some[0], some[len(some) // 2]):
        for need in asked(release, enterprise):
            if need.change is None:
                continue
            sign = 1 if need.change > 0 else -1
            there = ranked_with(many, release, enterprise, need.lever.name, need.change)
            short = ranked_with(many, release, enterprise, need.lever.name, need.change - sign)
            assert share(there, enterprise) <= need.up_to < share(short, enterprise), (enterprise, need)
            judged += 1
    assert judged


def test_a_cap_can_put_the_grade_out_of_reach(releases: dict[str, Release]) -> None:
    release = releases["own"]
    worst = release.rankings.filter(grade_initial="D")
    full = worst.filter((pl.col("item__tax_per_mu") >= 20) | (pl.col("tax_per_mu") > 0))["enterprise_id"]
    found = [need for e in full for need in asked(release, e)]
    assert {n.amount for n in found} == {"tax_fen", "sales_fen", "power_wh"}
    less = [n.change for n in found if n.amount == "power_wh"]
    assert all(change is None or change < 0 for change in less)


def test_nobody_in_the_best_grade_or_outside_the_quota_is_told_a_next_one(releases: dict[str, Release]) -> None:
    table = releases["huaian-2024"].rankings
    for enterprise in (table.filter(grade="A")["enterprise_id"][0], table.filter(grade="T")["enterprise_id"][0]):
        assert asked(releases["huaian-2024"], enterprise) == []
