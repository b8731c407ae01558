"""Worked examples of the published methods, by hand from their formulas, against ``permu policy try`` and the pipeline.

Huangyan 2021, Linhai 2014, Huai'an 2024 and Jingde 2022 as their notices compute; the averages of Huai'an and the range of
Jingde are made up. The inverse form is that of an older method for outstanding enterprises. Conversions: GB/T 2589 (energy)
and the Environmental Protection Tax Law (pollutant equivalents).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from typer.testing import CliRunner

from cli.policy import app
from engine.policy.measures import Emissions, Energy
from engine.policy.packs import load_pack, read_pack
from engine.policy.trial import Given, try_pack
from engine.ranking.forms import inverse, minmax, ratio
from engine.ranking.pipeline import rankings
from tests.unit.ranking.firms import firm, year_of

SIX = ("tax_per_mu", "value_added_per_mu", "value_added_per_tce", "value_added_per_t_emission", "labour_productivity",
       "rd_ratio")  # fmt: skip
LINHAI = ("tax_per_mu", "sales_per_mu", "value_added_per_tce", "value_added_per_t_cod", "value_added_per_t_water",
          "labour_productivity")  # fmt: skip
HUAIAN = ("tax_per_mu", "sales_per_mu", "tax_per_tce")

EXAMPLES: list[tuple[str, str, dict[str, float], dict[str, float], list[float], float]] = [
    ("huangyan-2021", "above_scale", dict(zip(SIX, (39.015, 99.2025, 1.27, 4861.08, 26.175, 0), strict=True)), {},
     [45, 15, 10, 10, 15, 0], 95.0),
    ("huangyan-2021", "above_scale", dict(zip(SIX, (26.01, 132.27, 2.54, 4861.08, 17.45, 0.0305), strict=True)), {},
     [30, 20, 20, 10, 10, 10], 100.0),
    ("huangyan-2021", "below_scale", {"tax_per_mu": 33.202116, "tax_per_kwh": 0.236565}, {}, [100, 50], 150.0),
    ("linhai-2014", "land_3mu_up", dict(zip(LINHAI, (12, 360, 2.4, 600, 0.05, 18), strict=True)), {},
     [32, 12, 16, 18, 2.5, 12], 92.5),
    ("huaian-2024", "all", dict(zip(HUAIAN, (20, 150, 1), strict=True)), dict(zip(HUAIAN, (16, 240, 5), strict=True)),
     [56.25, 21.875, 4], 82.125),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "group", "values", "bases", "items", "total"), EXAMPLES)
def test_policy_try_gives_the_worked_example(
    policy: str, group: str, values: dict[str, float], bases: dict[str, float], items: list[float], total: float
) -> None:
    words = [f"{n}={v}" for n, v in values.items()]
    options = [word for n, v in bases.items() for word in ("--base", f"{n}={v}")]
    done = CliRunner().invoke(app, ["try", policy, "--group", group, *words, *options, "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (answer["policy"], answer["group"]) == (policy, group)
    assert list(answer["items"]) == list(values) and list(answer["items"].values()) == items
    assert answer["total"] == total


def test_huaian_takes_twice_last_years_average() -> None:
    """With last year's averages 8, 120 and 2.5 the bases are 16, 240 and 5."""
    given = Given(dict(zip(HUAIAN, (20, 150, 1), strict=True)), averages=dict(zip(HUAIAN, (8, 120, 2.5), strict=True)))
    trial = try_pack(load_pack("huaian-2024").policy, None, given)
    assert list(trial.bases.values()) == [16, 240, 5] and trial.total == 82.125


def test_huaian_through_the_whole_pipeline() -> None:
    """Last year one enterprise of 8 万元/亩 tax, 120 sales and 2.5 万元/tce; this year 20, 150 and 1."""

    def one(days: int, tax_wan: int, sales_wan: int, tce: float) -> dict[str, Any]:
        money = {"vat_fen": tax_wan * 10**6, "invoiced_sales_fen": sales_wan * 10**6}
        return firm(1, gas_litre=int(tce * 10**6 / 1.33), land_dm2_days=200_000 * days, **money)  # 3 mu

    before, now = one(365, 24, 360, 9.6), one(366, 60, 450, 60)
    table = rankings(load_pack("huaian-2024").policy, year_of([now]), year_of([before], 2023)).to_native().collect()
    assert table["base__tax_per_mu"].to_list() == [16.0] and table["base__sales_per_mu"].to_list() == [240.0]
    assert table["item__tax_per_mu"].to_list() == [56.25] and table["item__sales_per_mu"].to_list() == [21.875]
    assert table["item__tax_per_tce"].to_list() == [pytest.approx(4, rel=1e-6)]
    assert table["score"].to_list() == [pytest.approx(82.125, rel=1e-6)]


def form(expression: nw.Expr, **columns: list[float | None]) -> list[float | None]:
    frame = nw.from_native(pl.LazyFrame(columns, schema=dict.fromkeys(columns, pl.Float64)))
    return list(frame.select(x=expression).to_native().collect()["x"])


def test_jingde_between_the_least_and_the_greatest() -> None:
    """Weight 30, range 0 to 60: 0 → 6, 12 → 10.8, 60 → 30; where all are equal nobody is worse than another."""
    x, low, high = (nw.col(c) for c in ("x", "low", "high"))
    points = minmax(x, low, high, 30.0, least=20, most=100)
    values: list[float | None] = [0.0, 12.0, 60.0, None]
    assert form(points, x=values, low=[0.0] * 4, high=[60.0] * 4) == [6.0, 10.8, 30.0, None]
    assert form(points, x=[7.0, None], low=[7.0] * 2, high=[7.0] * 2) == [30.0, None]


def test_less_is_better() -> None:
    """Weight 4: nothing → 4, the average → 2, 1.5 averages → 1, two averages or more → 0."""
    points = inverse(nw.col("x"), nw.col("average"), 4.0)
    values: list[float | None] = [0.0, 3.0, 4.5, 6.0, 9.0, -1.0, None]
    assert form(points, x=values, average=[3.0] * 7) == [4.0, 2.0, 1.0, 0.0, 0.0, 4.0, None]


def test_limits_of_a_ratio() -> None:
    """Cap 1.5 and floor 0 are multiples of the weight; without them nothing is held."""
    x, base = nw.col("x"), nw.col("base")
    values: list[float | None] = [-5.0, 0.0, 10.0, 15.0, 100.0, None]
    held = form(ratio(x, base, 30.0, 0.0, 1.5), x=values, base=[10.0] * 6)
    assert held == [0.0, 0.0, 30.0, 45.0, 45.0, None]
    free = form(ratio(x, base, 30.0), x=values, base=[10.0] * 6)
    assert free == [-15.0, 0.0, 30.0, 45.0, 300.0, None]


# --- conversions -------------------------------------------------------------------------------------------------------

TCE = 10**10  # in 0.1 mg of coal equivalent
ENERGY = [("calorific", "0.1229", 147.48), ("equal_value", "0.31", 372.0)]


@pytest.mark.parametrize(("kind", "coefficient", "tce"), ENERGY)
def test_electricity_in_coal_equivalent(kind: str, coefficient: str, tce: float) -> None:
    """1,200,000 kWh are 147.48 tce (as published: 147.5) by calorific value, 372 tce by equal value."""
    energy = Energy.model_validate({"electricity": kind, "electricity_kgce_per_kwh": coefficient})
    terms, scale = energy.scaled_terms()
    assert scale == 1 and terms["power_wh"] * 1_200_000 * 1000 / TCE == tce
    assert round(147.48, 1) == 147.5


def test_gas_in_coal_equivalent() -> None:
    energy = Energy.model_validate(
        {"electricity": "calorific", "electricity_kgce_per_kwh": 0.1229, "gas_kgce_per_m3": "1.33"}
    )
    assert energy.formula() == "total(power_wh * 1229, gas_litre * 13300)"
    assert 13_300 * 1000 * 1000 / TCE == 1.33  # 1,000 m³ are 1.33 tce


EQUIVALENTS = {"cod": 1, "ammonia_nitrogen": 0.8, "so2": 0.95, "nox": 0.95}


def test_pollutant_equivalents() -> None:
    """COD 1200 kg, NH₃-N 96, SO₂ 380, NOₓ 950 are 1200 + 120 + 400 + 1000 = 2720 equivalents, exactly."""
    emissions = Emissions.model_validate({"rule": "equivalents", "kg_per_equivalent": EQUIVALENTS})
    terms, scale = emissions.scaled_terms()
    kg = {"cod_gram": 1200, "ammonia_nitrogen_gram": 96, "so2_gram": 380, "nox_gram": 950}
    each = [terms[fact] * n * 1000 for fact, n in kg.items()]
    assert all(isinstance(x, int) for x in each) and scale == 76
    assert [x / scale / 1000 for x in each] == [1200, 120, 400, 1000]


RULES = [
    ("{rule: sum_of_tonnes, pollutants: [cod, ammonia_nitrogen, so2, nox]}", 2.626),
    (f"{{rule: equivalents, kg_per_equivalent: {json.dumps(EQUIVALENTS)}}}", 2.720),
    ("{rule: approved_quota}", 4.0),
]


@pytest.mark.parametrize(("rule", "tonnes"), RULES)
def test_value_added_per_tonne_by_each_rule(rule: str, tonnes: float) -> None:
    """6,528 万元 of value added over the tonnes, the tonnes of equivalents, or the approved quota of 4 t."""
    text = (Path(__file__).parents[1] / "unit/policy/whole.yaml").read_text("utf-8")
    text = text.replace("indicators: []", f"emissions: {rule}\nindicators: [value_added_per_t_emission]")
    one = firm(1, value_added_fen=6528 * 10**6, cod_gram=1_200_000, ammonia_nitrogen_gram=96_000, so2_gram=380_000,
               nox_gram=950_000, approved_quota_gram=4_000_000)  # fmt: skip
    table = rankings(read_pack(text, "whole").policy, year_of([one]), None).to_native().collect()
    assert table["value_added_per_t_emission"].to_list() == [pytest.approx(6528 / tonnes, rel=1e-15)]
