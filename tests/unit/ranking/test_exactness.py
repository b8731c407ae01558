"""Quotients against Python's fractions, and the published example of Huai'an from facts to score."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema.units import divided, land_mu, wan_yuan
from tests.unit.ranking.firms import Firm, firm, ranked

MU = Fraction(200_000, 3)  # dm²
EXACT = 2**53
AMOUNTS = st.integers(-(EXACT // 366), EXACT // 366)
LAND = st.integers(1, EXACT // (15 * 366))


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, LAND), min_size=1, max_size=30), st.sampled_from([2023, 2024]))
def test_indicators_are_the_exact_quotient_rounded_once(firms: list[tuple[int, int, int]], year: int) -> None:
    days = 366 if year == 2024 else 365
    table = ranked(
        [
            firm(n, invoiced_sales_fen=sales, vat_fen=tax, land_dm2_days=land)
            for n, (sales, tax, land) in enumerate(firms)
        ],
        year=year,
    )
    for row, (sales, tax, land) in zip(table.iter_rows(named=True), firms, strict=True):
        mu = Fraction(land, days) / MU
        assert row["output_per_mu"] == float(Fraction(sales, 10**6) / mu)
        assert row["benefit_per_mu"] == float(Fraction(tax, 10**6) / mu)
        assert row["land_mu"] == float(mu)
        assert row["output_wan_yuan"] == float(Fraction(sales, 10**6))


@given(st.lists(st.integers(-EXACT // 3, EXACT // 3), min_size=1, max_size=50))
def test_display_units_are_rounded_once(values: list[int]) -> None:
    table = pl.DataFrame({"v": pl.Series(values, dtype=pl.Int64)}).select(
        mu=land_mu(pl.col("v")), money=wan_yuan(pl.col("v")), third=divided(pl.col("v"), 3)
    )
    assert table["mu"].to_list() == [float(v / MU) for v in values]
    assert table["money"].to_list() == [float(Fraction(v, 10**6)) for v in values]
    assert table["third"].to_list() == [float(Fraction(v, 3)) for v in values]


def test_a_scalar_divisor_would_be_off() -> None:
    """Why the divisor is a column: Polars divides by a scalar through its reciprocal."""
    table = pl.DataFrame({"v": range(1, 2000)}).select(
        scalar=pl.col("v").cast(pl.Float64) / 10**6,
        ours=wan_yuan(pl.col("v")),
        true=pl.Series([v / 10**6 for v in range(1, 2000)]),
    )
    assert (table["ours"] == table["true"]).all()


def per_year(mu: int, tax: int, sales: int, tce: Fraction, days: int) -> dict[str, int]:
    """Facts of ``mu`` of land, tax and sales in 万元 and energy in tonnes of coal equivalent."""
    ce = tce * 10**10 / 1229
    assert ce.denominator == 1
    land = mu * MU * days
    assert land.denominator == 1
    return {
        "land_dm2_days": int(land), "vat_fen": tax * 10**6, "invoiced_sales_fen": sales * 10**6, "power_wh": int(ce), "is_above_scale": 1
    }  # fmt: skip


def test_worked_example_of_huaian() -> None:
    """Averages of last year 8 / 120 / 2.5; this year 20 / 150 / 1 → 56.25 + 21.875 + 4 = 82.125."""
    unit = 1229  # energy in multiples that whole Wh can state
    table = ranked(
        [firm(1, **per_year(3 * unit, 20 * 3 * unit, 150 * 3 * unit, Fraction(20 * 3 * unit), 366))],
        "huaian-2024",
        last=_last_years(unit),
    )
    row = table.row(0, named=True)
    assert [row[f"base__{n}"] for n in ("tax_per_mu", "sales_per_mu", "tax_per_tce")] == [16.0, 240.0, 5.0]
    assert [row[n] for n in ("tax_per_mu", "sales_per_mu", "tax_per_tce")] == [20.0, 150.0, 1.0]
    assert [row[f"item__{n}"] for n in ("tax_per_mu", "sales_per_mu", "tax_per_tce")] == [56.25, 21.875, 4.0]
    assert (row["score_e10"], row["score"], row["grade"]) == (821_250_000_000, 82.125, "D")


def _last_years(unit: int) -> list[Firm]:
    """Two enterprises whose sums give 8, 120 and 2.5, while neither of them has these ratios."""
    one = per_year(30 * unit, 6 * 30 * unit, 100 * 30 * unit, Fraction(60 * unit), 365)
    two = per_year(30 * unit, 10 * 30 * unit, 140 * 30 * unit, Fraction(132 * unit), 365)
    return [firm(2, **one), firm(3, **two)]


@pytest.mark.parametrize("lost", ["vat_fen", "invoiced_sales_fen", "power_wh"])
def test_a_missing_value_scores_zero_for_its_items(lost: str) -> None:
    facts = {
        "land_dm2_days": 366 * 10**6,
        "vat_fen": 10**9,
        "invoiced_sales_fen": 10**10,
        "power_wh": 10**9,
        "is_above_scale": 1,
    }
    whole, less = firm(1, **facts), firm(2, **facts | {lost: None})
    rows = ranked([whole, less], "huaian-2024", last=[firm(1, **facts)]).to_dicts()
    items = {
        "vat_fen": ["tax_per_mu", "tax_per_tce"],
        "invoiced_sales_fen": ["sales_per_mu"],
        "power_wh": ["tax_per_tce"],
    }[lost]
    for item in ("tax_per_mu", "sales_per_mu", "tax_per_tce"):
        assert (rows[1][f"item__{item}"] == 0) == (item in items)
    assert rows[1]["score"] == pytest.approx(rows[0]["score"] - sum(rows[0][f"item__{i}"] for i in items), abs=1e-9)
