"""Figures beyond whole numbers are refused before ranking, in one line, on both engines; those below are ranked."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.packs import load_pack
from engine.ranking.bounds import END, check_bounds
from engine.schema.errors import PermuError
from tests.unit.ranking.firms import Firm, firm, ranked, year_of

USUAL = {"invoiced_sales_fen": 10**10, "vat_fen": 10**8, "land_dm2_days": 366 * 10**6, "is_above_scale": 1}


def year(**given: int) -> list[Firm]:
    return [firm(1, **USUAL), firm(2, **USUAL | given), firm(3, **USUAL)]


@pytest.mark.parametrize(("fact", "most"), [("vat_fen", END // 366 - 10**9), ("land_dm2_days", END // 3000)])
def test_up_to_the_end_it_is_ranked_exactly(fact: str, most: int) -> None:
    row = ranked(year(**{fact: most})).row(1, named=True)
    tax, land = (most if n == fact else USUAL[n] for n in ("vat_fen", "land_dm2_days"))
    assert row["benefit_per_mu"] == pytest.approx(float(Fraction(tax * 366, 15 * land)), rel=1e-15)


@pytest.mark.parametrize(("fact", "value"), [
    ("vat_fen", END), ("vat_fen", -END), ("vat_fen", END // 366 + 1), ("land_dm2_days", END // 3000 + 1), ("land_dm2_days", END),
])  # fmt: skip
def test_beyond_it_is_refused_with_who_and_what(fact: str, value: int) -> None:
    with pytest.raises(PermuError) as refused:
        ranked(year(**{fact: value}))
    error = refused.value
    assert error.code == "figure_too_large" and "\n" not in error.en + error.zh
    assert error.details == {"fact": fact, "enterprise_id": "E000002", "value": value}
    assert all(word in text for word in (fact, "E000002", str(value)) for text in (error.en, error.zh))


def test_a_sum_of_the_year_beyond_the_end_is_refused_too() -> None:
    """Each figure fits; the 30 together, of which a base is the average, do not."""
    firms = [firm(n, **USUAL | {"vat_fen": END // 400}) for n in range(500)]
    ranked(firms)  # sunan-2017 has no average
    with pytest.raises(PermuError) as refused:
        ranked(firms, "huaian-2024", last=firms)
    assert refused.value.code == "figure_too_large" and refused.value.details["fact"] == "vat_fen"


def test_the_year_of_the_bases_is_looked_at_too() -> None:
    with pytest.raises(PermuError, match="2023: vat_fen of enterprise E000002"):
        ranked(year(), "huaian-2024", last=year(vat_fen=END))


@given(st.integers(0, END), st.integers(1, END), st.sampled_from(["sunan-2017", "huaian-2024", "illustrative-2024"]))
def test_what_is_not_refused_has_no_side_beyond_the_end(tax: int, land: int, policy: str) -> None:
    """Either refused, or every product that the indicators make fits, counted in Python's whole numbers."""
    pack = load_pack(policy).policy
    tables = year_of([firm(1, **USUAL | {"vat_fen": tax, "land_dm2_days": land})])
    try:
        check_bounds(pack, 2024, 366, tables.facts)
    except PermuError:
        assert tax * 10**4 > END or land * 3000 > END  # the widest factors: tax per tce, land in mu
    else:
        assert tax * 366 <= END and land * 15 <= END
