"""Σ/Σ of group figures: by the policy's own amounts, whatever benefit it chose, in whole numbers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import narwhals as nw
import polars as pl
import pytest
import yaml

from engine.policy.packs import load_pack, read_pack
from engine.query import Board, Selection
from engine.query.summary import summary
from engine.ranking.pipeline import rankings
from engine.releases import find
from engine.schema.warehouse import Warehouse
from tests.unit.ranking.firms import enterprises_of, firm, wide_of, year_of

LAND = 1_000_000 * 366  # 15 mu for all of 2024
FIRMS = [
    firm(1, land_dm2_days=LAND, vat_fen=700_000_000, profit_fen=300_000_001, invoiced_sales_fen=9_000_000_000),
    firm(2, land_dm2_days=2 * LAND, vat_fen=100_000_000, profit_fen=-50_000_000, invoiced_sales_fen=10**9),
    firm(3, land_dm2_days=LAND, vat_fen=5_000_000, power_wh=10**12),  # no profit: in no Σ of benefit
]


def board(benefit: str) -> Board:
    raw = yaml.safe_load(load_pack("sunan-2017").text)
    raw["amounts"]["benefit_fen"], raw["indicators"] = benefit, ["tax_per_mu", "tax_per_kwh"]
    pack = read_pack(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), "own")
    table = rankings(pack.policy, year_of(FIRMS), None).to_native().collect()
    manifest = {"release_id": "r", "year": 2024, "policy": "own", "metrics": pack.policy.metrics}
    held = {"has": lambda name: True, "table": lambda name: wide_of(FIRMS).lazy()}
    return Board(SimpleNamespace(manifest=manifest, rankings=table, pack=pack, **held))


def test_benefit_is_the_benefit_of_the_policy() -> None:
    metrics = summary(board("first(profit_fen)"), Selection())[0]["metrics"]
    assert metrics["benefit_per_mu"]["ratio"] == float(Fraction(250_000_001, 15 * 3_000_000))
    assert metrics["tax_per_mu"]["ratio"] == float(Fraction(805_000_000, 15 * 4_000_000))
    assert metrics["benefit_per_mu"]["of"] == 2 and metrics["tax_per_mu"]["of"] == 3


def test_an_indicator_without_land_has_its_own_divisor() -> None:
    metrics = summary(board("first(tax_fen)"), Selection())[0]["metrics"]
    assert metrics["tax_per_kwh"]["ratio"] == float(Fraction(5_000_000 * 10, 10**12))
    assert metrics["benefit_per_mu"] == metrics["tax_per_mu"]


def test_sums_larger_than_int64_do_not_wrap() -> None:
    firms, each = 1_000, 2**54  # each is small enough to be ranked, their sum is not
    huge = [firm(n, land_dm2_days=LAND, vat_fen=1, invoiced_sales_fen=each) for n in range(firms)]
    pack = load_pack("sunan-2017")
    table = rankings(pack.policy, year_of(huge), None).to_native().collect()
    manifest = {"release_id": "r", "year": 2024, "policy": "own", "metrics": ["output_per_mu"]}
    held = {"has": lambda name: True, "table": lambda name: wide_of(huge).lazy()}
    one = Board(SimpleNamespace(manifest=manifest, rankings=table, pack=pack, **held))
    ratio = summary(one, Selection())[0]["metrics"]["output_per_mu"]["ratio"]
    assert firms * each > 2**63 and ratio == float(Fraction(each, 15 * 1_000_000))


@pytest.mark.parametrize("size", ["large", "small"])
def test_group_figures_of_the_demo_add_up_by_hand(demo_home: Warehouse, size: str) -> None:
    release = find(demo_home, policy="huaian-2024", year=2024)
    (line,) = summary(Board(release), Selection.parse(size=size))
    facts = {r["enterprise_id"]: r for r in release.table("facts_wide").collect().to_dicts()}
    above = below = 0
    for row in release.rankings.filter(size=size).to_dicts():
        if row["tax_per_tce"] is not None:
            own = facts[row["enterprise_id"]]
            above += row["tax_fen"]
            below += (own["power_wh"] or 0) * 1229 + (own["gas_litre"] or 0) * 13300
    assert above
    assert line["metrics"]["tax_per_tce"]["ratio"] == float(Fraction(above * 10**4, below))


def test_tenants_that_count_for_their_owner_count_once() -> None:
    """E000002 rents from E000001, which is ranked with its figures; the county's sums stay what they were."""
    text = load_pack("sunan-2017").text + "\ntenants: {rule: merged}\n"
    pack = read_pack(text, "own")
    shape = {
        "enterprise_id": pl.String,
        "other_enterprise_id": pl.String,
        "kind": pl.String,
        "from_on": pl.Date,
        "to_on": pl.Date,
    }
    lease = pl.DataFrame([("E000001", "E000002", "租户", None, None)], schema=shape, orient="row")
    tables = replace(year_of(FIRMS), relations=nw.from_native(lease.lazy()))
    table = rankings(pack.policy, tables, None).to_native().collect()
    held: dict[Any, pl.DataFrame] = {
        "enterprises": enterprises_of(FIRMS),
        "facts_wide": wide_of(FIRMS),
        "relations": lease,
    }
    manifest = {"release_id": "r", "year": 2024, "policy": "own", "metrics": pack.policy.metrics}
    names = {"has": held.__contains__, "table": lambda name: held[name].lazy()}
    one = Board(SimpleNamespace(manifest=manifest, rankings=table, pack=pack, **names))
    metrics = summary(one, Selection())[0]["metrics"]["benefit_per_mu"]
    assert metrics["of"] == 2 and metrics["ratio"] == float(Fraction(805_000_000, 15 * 4_000_000))
