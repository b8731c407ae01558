"""Truth tables of ranks, groups, sizes, grades and flags."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from engine.policy.packs import load_pack
from engine.ranking.grades import with_grades
from engine.ranking.ranks import GROUPINGS, with_ranks
from tests.unit.ranking.firms import Firm, firm, ranked

NAN, INF = float("nan"), float("inf")
Values = list[float | None]

# --- competition ranks -------------------------------------------------------------------------------------------

RANKS: list[tuple[str, Values, list[int | None], int]] = [
    ("best first", [1.0, 3.0, 2.0], [3, 1, 2], 3),
    ("ties share the better rank", [5.0, 7.0, 5.0, 1.0], [2, 1, 2, 4], 4),
    ("all alike", [2.0, 2.0, 2.0], [1, 1, 1], 3),
    ("group of one", [4.0], [1], 1),
    ("missing has none and is not counted", [None, 3.0, None, 2.0], [None, 1, None, 2], 2),
    ("nothing known", [None, None], [None, None], 0),
    ("zero is a value, and better than negative", [-1.0, 0.0, None], [2, 1, None], 2),
    ("minus zero ties with zero", [0.0, -0.0], [1, 1], 2),
    ("NaN has none", [NAN, 1.0, 2.0], [None, 2, 1], 2),
    ("infinite has none", [INF, 1.0, -INF], [None, 1, None], 1),
]


def ranks_of(values: Values, group: list[str | None] | None = None) -> tuple[list[int | None], list[int | None]]:
    """Ranks and group sizes of a metric within ``industry_2``."""
    columns: dict[str, Any] = {
        k: pl.Series([None] * len(values), dtype=pl.String) for keys in GROUPINGS.values() for k in keys
    }
    columns |= {"industry_2": group or ["26"] * len(values), "m": pl.Series(values, dtype=pl.Float64)}
    table = with_ranks(nw.from_native(pl.LazyFrame(columns)), ["m"]).to_native().collect()
    return table["rank__m__industry_2"].to_list(), table["of__m__industry_2"].to_list()


@pytest.mark.parametrize(("values", "ranks", "of"), [r[1:] for r in RANKS], ids=[r[0] for r in RANKS])
def test_competition_ranks(values: Values, ranks: list[int | None], of: int) -> None:
    assert ranks_of(values) == (ranks, [of] * len(values))


def test_groups_are_apart_and_a_null_group_has_no_rank() -> None:
    values: Values = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert ranks_of(values, ["26", "26", None, "30", None]) == ([2, 1, None, 1, None], [2, 2, None, 1, None])


def test_equal_amounts_tie_however_they_came_about() -> None:
    """10 fen + 20 fen is 30 fen: amounts are integers, so that 0.1 + 0.2 ties with 0.3 and no order decides."""
    land = {"land_dm2_days": 366 * 10**5}
    table = ranked([
        firm(1, vat_fen=10, stamp_tax_fen=20, **land), firm(2, vat_fen=30, **land), firm(3, stamp_tax_fen=30, **land),
        firm(4, vat_fen=29, **land),
    ])  # fmt: skip
    assert table["rank__benefit_per_mu__all"].to_list() == [1, 1, 1, 4]
    assert 0.1 + 0.2 != 0.3


def test_same_ratio_ties_whatever_its_size() -> None:
    big = firm(1, vat_fen=3 * 10**9, land_dm2_days=366 * 7 * 10**6)
    small = firm(2, vat_fen=3 * 10**3, land_dm2_days=366 * 7)
    assert ranked([big, small])["rank__benefit_per_mu__all"].to_list() == [1, 1]


def test_industry_region_size_needs_all_three() -> None:
    known = {"vat_fen": 5, "land_dm2_days": 10**6, "employees": 5, "main_revenue_fen": 1}
    table = ranked([
        firm(1, **known), firm(2, **known), firm(3, **known | {"employees": 500, "main_revenue_fen": 3 * 10**9}),
        firm(4, **known, region_code=None), firm(5, **known, industry_code=None), firm(6, **known | {"main_revenue_fen": None, "employees": 50}),
    ])  # fmt: skip
    assert table["of__benefit_per_mu__industry_region_size"].to_list() == [2, 2, 1, None, None, None]
    assert table["of__benefit_per_mu__all"].to_list() == [6] * 6


# --- sizes -------------------------------------------------------------------------------------------------------

WAN = 10**6
# employees, revenue in 万元 → class by the rule of 2017: both must be reached
SIZES = [
    (1000, 40_000, "large"), (999, 40_000, "medium"), (1000, 39_999, "medium"), (300, 2000, "medium"),
    (299, 2000, "small"), (300, 1999, "small"), (20, 300, "small"), (19, 300, "micro"), (20, 299, "micro"),
    (0, 0, "micro"), (5000, 0, "micro"), (0, 90_000, "micro"), (19, None, "micro"), (None, 299, "micro"),
    (20, None, None), (None, 300, None), (5000, None, None), (None, 90_000, None), (None, None, None), (5000, -1, "micro"),
]  # fmt: skip


@pytest.mark.parametrize(("people", "revenue", "size"), SIZES)
def test_size(people: int | None, revenue: int | None, size: str | None) -> None:
    money = None if revenue is None else revenue * WAN
    table = ranked([firm(1, employees=people, main_revenue_fen=money)])
    assert table["size"].to_list() == [size]
    assert ("size_unknown" in table["flags"][0]) == (size is None)


def test_size_at_a_fen_below_the_threshold() -> None:
    assert ranked([firm(1, employees=20, main_revenue_fen=300 * WAN - 1)])["size"].to_list() == ["micro"]


def test_size_takes_insured_persons_and_invoiced_sales_where_statistics_has_none() -> None:
    table = ranked([
        firm(1, insured_persons=1000, invoiced_sales_fen=40_000 * WAN),
        firm(2, employees=10, insured_persons=1000, main_revenue_fen=10, invoiced_sales_fen=40_000 * WAN),
    ])  # fmt: skip
    assert table["size"].to_list() == ["large", "micro"]


# --- groups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2023, 2024])
@pytest.mark.parametrize(("off", "group"), [(0, "land_3mu_up"), (1, "land_3mu_up"), (-1, "land_below_3mu")])
def test_land_group_at_exactly_three_mu(year: int, off: int, group: str) -> None:
    """3 mu are 2000 m² or 200,000 dm²; the whole year of it counts, to the dm² × day."""
    days = 366 if year == 2024 else 365
    table = ranked([firm(1, land_dm2_days=200_000 * days + off)], year=year)
    assert table["land_group"].to_list() == [group]


@pytest.mark.parametrize(
    ("land", "group", "flag"),
    [(None, None, "landless"), (0, None, "landless"), (-1, None, "negative_land"), (1, "land_below_3mu", "")],
)
def test_without_land(land: int | None, group: str | None, flag: str) -> None:
    table = ranked([firm(1, land_dm2_days=land, vat_fen=1, invoiced_sales_fen=1, employees=1)])
    assert table["land_group"].to_list() == [group] and table["flags"].to_list() == [flag]
    assert table["output_per_mu"].is_null().to_list() == [flag != ""]


@pytest.mark.parametrize(("registered", "group"), [(1, "above_scale"), (0, "below_scale"), (None, "below_scale")])
def test_scale_group_is_what_the_register_says(registered: int | None, group: str) -> None:
    """Revenue does not make an enterprise above scale: the register of 31 December decides."""
    assert ranked([firm(1, is_above_scale=registered, main_revenue_fen=10**12)])["scale_group"].to_list() == [group]


FLAGS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"invoiced_sales_fen": None}, "no_output"),
    ({"vat_fen": None}, "no_tax"),
    ({"vat_fen": 0}, ""),
    ({"industry_code": None}, "industry_unknown"),
    ({"industry_note": "ambiguous"}, "industry_ambiguous"),
    ({"region_code": None}, "region_unknown"),
    ({"status": "注销"}, "deregistered"),
    ({"months_missing": 1}, "months_missing"),
    ({"months_missing": 0}, ""),
    ({"months_missing": 3, "status": "注销"}, "months_missing,deregistered"),
    ({"land_dm2_days": 0, "vat_fen": None}, "landless,no_tax"),
]


@pytest.mark.parametrize(("given", "flags"), FLAGS)
def test_flags(given: dict[str, Any], flags: str) -> None:
    usual = {"invoiced_sales_fen": 5, "vat_fen": 5, "employees": 5, "land_dm2_days": 10**9}
    assert ranked([firm(1, **usual | given)])["flags"].to_list() == [flags]


# --- grades ------------------------------------------------------------------------------------------------------


def graded(scores: list[int | None], evaluation: str = "in") -> list[str | None]:
    score = load_pack("huaian-2024").policy.score
    assert score is not None
    frame = pl.LazyFrame({"score_e10": pl.Series(scores, dtype=pl.Int64), "evaluation": [evaluation] * len(scores)})
    frame = frame.with_columns(
        grade_rank=pl.col("score_e10").rank("min", descending=True), grade_of=pl.col("score_e10").count(),
        score_group=pl.lit("all"), outside_grade=pl.lit("T"),
    )  # fmt: skip
    return with_grades(nw.from_native(frame), score).to_native().collect()["grade_initial"].to_list()


def quota(rank: int, of: int) -> str:
    """A up to 20 %, B 60, C 95, D 100 of those ranked, the boundary at the better grade."""
    part = Fraction(rank, of)
    return (
        "A"
        if part <= Fraction(20, 100)
        else "B"
        if part <= Fraction(60, 100)
        else "C"
        if part <= Fraction(95, 100)
        else "D"
    )


@pytest.mark.parametrize("of", range(1, 41))
def test_quota_boundaries(of: int) -> None:
    assert graded(list(range(of, 0, -1))) == [quota(rank, of) for rank in range(1, of + 1)]


def test_ties_share_the_grade_and_missing_has_none() -> None:
    assert graded([9, 9, 9, 5, None]) == ["B", "B", "B", "D", None] == [quota(1, 4)] * 3 + [quota(4, 4), None]
    assert graded([None]) == [None]
    assert graded([5, 4], "not_evaluated") == ["T", "T"]


# --- who is evaluated --------------------------------------------------------------------------------------------

MU3 = 200_000 * 366
ABOVE = {"is_above_scale": 1, "vat_fen": 10**9, "invoiced_sales_fen": 10**10, "power_wh": 10**9, "land_dm2_days": 10**9}
BELOW = ABOVE | {"is_above_scale": 0}
# what is particular → grade given?, flag of those who are not
EVALUATED: list[tuple[str, dict[str, Any], str | None, str]] = [
    ("above scale", ABOVE, "A", ""),
    ("above scale on little land", ABOVE | {"land_dm2_days": 1}, "A", ""),
    ("below scale at 3 mu", BELOW | {"land_dm2_days": MU3}, "A", ""),
    ("below scale under 3 mu", BELOW | {"land_dm2_days": MU3 - 1}, None, "out_of_scope"),
    ("below scale without land", BELOW | {"land_dm2_days": None}, None, "out_of_scope"),
    ("above scale without land", ABOVE | {"land_dm2_days": None}, None, "landless"),
    ("power supply", ABOVE | {"industry_code": "4411"}, "T", "not_evaluated"),
    ("gas", ABOVE | {"industry_code": "4511"}, "T", "not_evaluated"),
    ("water", ABOVE | {"industry_code": "4610"}, "T", "not_evaluated"),
    ("on the list of exemptions", ABOVE | {"is_exempt": 1}, "T", "not_evaluated"),
    ("division unknown", ABOVE | {"industry_code": None}, "A", ""),
    ("utility out of scope", BELOW | {"industry_code": "4411", "land_dm2_days": 1}, None, "out_of_scope"),
    ("two years in production at the end of the year", ABOVE | {"production_on": date(2022, 12, 31)}, "A", ""),
    ("a day less", ABOVE | {"production_on": date(2023, 1, 1)}, "T", "not_evaluated"),
    ("founded lately, production not stated", ABOVE | {"production_on": None, "founded_on": date(2024, 5, 1)}, "T", "not_evaluated"),
    ("founded lately, in production for long", ABOVE | {"founded_on": date(2024, 5, 1)}, "A", ""),
    ("no date at all", ABOVE | {"production_on": None, "founded_on": None}, "A", ""),
    ("county without last year", ABOVE | {"region_code": "320205001"}, None, "no_base"),
    ("no county", ABOVE | {"region_code": None}, None, "no_base"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "grade", "flag"), [e[1:] for e in EVALUATED], ids=[e[0] for e in EVALUATED])
def test_who_is_evaluated(given: dict[str, Any], grade: str | None, flag: str) -> None:
    """Alone among worse ones: graded A where it is evaluated."""
    worse: list[Firm] = [firm(n, **ABOVE | {"vat_fen": 1, "invoiced_sales_fen": 1}) for n in range(2, 7)]
    table = ranked([firm(1, **given), *worse], "huaian-2024", last=[firm(n, **ABOVE) for n in range(1, 7)])
    own = table.row(0, named=True)
    assert own["grade"] == own["grade_initial"] == grade
    assert (own["score_e10"] is not None) == (grade == "A") == (own["rank__score__all"] is not None)
    reasons = set(own["flags"].split(",")) & {"out_of_scope", "not_evaluated", "landless", "no_base"}
    assert flag in reasons if flag else not reasons


def test_a_tiny_parcel_does_not_stop_the_year() -> None:
    """A score beyond Int64 is cut, not an error."""
    typo = firm(1, **ABOVE | {"land_dm2_days": 1, "vat_fen": 9 * 10**14})
    table = ranked([typo, firm(2, **ABOVE)], "huaian-2024", last=[firm(2, **ABOVE)])
    assert table["rank__score__all"].to_list() == [1, 2] and table["score_e10"][0] == 9 * 10**18
