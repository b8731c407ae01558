"""What every enterprise earns, pays, employs and uses in a year, as annual amounts before they are cut into months.

Calibration: tax per mu averages 9–46 万元 by county (published county figures), log-normal with a heavy tail, a few
per cent not positive; productivity 9.5–24 万元 a person; value added per tce 0.5–3 万元; R&D 0–5 %.
Industry effects are assumed (``vocabulary.yaml``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.settings import Flags, Floats, Ints, flags, pick, stream, trap_count, vocabulary
from data.demo.world import World

_FEN = 1e6  # of one 万元
# Average tax per mu by county before losses and what is not the firm's own tax (together about 7 %), 万元.
_LEAST_MU, _MOST_MU = 10.8, 47.0
_LANDLESS_MU = 3.0  # landless firms do business as if on so much land
ABOVE_SCALE_FEN = 2_000 * 10**6
# Shares of the taxes in what an ordinary firm pays.
TAX_SHARES = {
    "vat_fen": 0.52,
    "corporate_income_tax_fen": 0.24,
    "export_credit_fen": 0.06,
    "land_use_tax_fen": 0.03,
    "property_tax_fen": 0.05,
    "stamp_tax_fen": 0.02,
    "urban_maintenance_tax_fen": 0.05,
    "land_value_added_tax_fen": 0.005,
    "environment_tax_fen": 0.003,
    "vehicle_vessel_tax_fen": 0.002,
    "withheld_income_tax_fen": 0.04,
    "education_fee_fen": 0.02,
}


@dataclass(frozen=True)
class Amounts:
    """Annual amounts over the pool (fen, Wh, litre, gram, persons), as floats that departments' records round."""

    money: dict[str, Floats]
    employees: Ints
    energy_tce: Floats
    power_kwh: Floats
    gas_m3: Floats
    water_m3: Floats
    discharges: dict[str, Floats]
    above_scale: Flags
    refunded: Flags
    without_sales: Flags


@dataclass(frozen=True)
class _Lasting:
    """What an enterprise keeps over the years: efficiency and habits."""

    efficiency: Floats
    sales: Floats
    value_added: Floats
    productivity: Floats
    energy: Floats
    rd: Floats


def _effects(world: World, place: int) -> Floats:
    divisions = vocabulary()["divisions"]
    return np.array([float(divisions[d][place]) for d in world.division])[world.industry]


def _lasting(world: World) -> _Lasting:
    rng, n = stream(world.seed, "lasting"), world.size
    return _Lasting(
        _lognormal(rng, n, 1.05),
        _lognormal(rng, n, 0.35),
        _lognormal(rng, n, 0.25),
        rng.uniform(9.5, 24.0, n),
        _lognormal(rng, n, 0.5),
        np.where(rng.random(n) < 0.3, 0.0, rng.uniform(0.0, 0.05, n)),
    )


def _lognormal(rng: np.random.Generator, size: int, sigma: float) -> Floats:
    """Log-normal with mean 1."""
    return np.exp(rng.normal(-sigma * sigma / 2, sigma, size))


def county_targets(world: World) -> Floats:
    """Average tax per mu (万元) of each county, evenly spread, in a seeded order."""
    size = len(world.regions.counties)
    return stream(world.seed, "targets").permutation(np.linspace(_LEAST_MU, _MOST_MU, size))


def build(world: World, year: int, land_mu: Floats, enterprises: int) -> Amounts:
    """Amounts of a year; ``land_mu``: average land of each enterprise in the year."""
    rng, keep, n = stream(world.seed, "amounts", year), _lasting(world), world.size
    mu = np.where(land_mu > 0, land_mu, _LANDLESS_MU)
    growth = 1.04 ** (year - world.years[0])
    tax = mu * keep.efficiency * _effects(world, 1) * _lognormal(rng, n, 0.15) * growth
    tax *= _county_factor(world, year, tax, mu)[world.county]
    sales = tax * _effects(world, 2) * keep.sales * _lognormal(rng, n, 0.1)
    value_added = tax * _effects(world, 3) * keep.value_added * _lognormal(rng, n, 0.08)
    active = world.active(year)
    not_positive = flags(n, pick(rng, active, trap_count("not_positive", enterprises)))
    refunded = flags(n, pick(rng, active, trap_count("refunds", enterprises)))
    money = {name: tax * share * _FEN for name, share in TAX_SHARES.items()}
    _mend_taxes(rng, world, money, tax, not_positive, refunded)
    revenue = sales * rng.uniform(0.94, 1.06, n)
    money |= {"invoiced_sales_fen": sales * _FEN, "main_revenue_fen": revenue * _FEN}
    money |= {"output_value_fen": revenue * rng.uniform(0.97, 1.05, n) * _FEN, "value_added_fen": value_added * _FEN}
    money |= {"profit_fen": revenue * rng.normal(0.05, 0.04, n) * _FEN, "rd_fen": revenue * keep.rd * _FEN}
    tce = value_added / 100 * _effects(world, 4) * keep.energy
    gas = np.where(_effects(world, 4) > 30, tce * 0.2 / 1.33 * 1000, 0.0)
    above = revenue * _FEN * rng.uniform(0.9, 1.1, n) > ABOVE_SCALE_FEN
    return Amounts(
        money,
        np.maximum(np.rint(value_added / keep.productivity), 1).astype(np.int64),
        tce,
        tce * 0.7 / 0.1229 * 1000 + 2000,
        gas,
        value_added * 8 * _lognormal(rng, n, 0.6) + 100,
        _discharges(rng, world, value_added),
        above,
        refunded,
        flags(n, pick(rng, active, trap_count("no_invoiced_sales", enterprises))),
    )


def _county_factor(world: World, year: int, tax: Floats, mu: Floats) -> Floats:
    """What brings the average of each county to its target."""
    active, size = world.active(year), len(world.regions.counties)
    county = world.county[active]
    paid = np.bincount(county, weights=tax[active], minlength=size)
    land = np.bincount(county, weights=mu[active], minlength=size)
    return county_targets(world) * land / np.where(paid > 0, paid, 1.0)


def _mend_taxes(
    rng: np.random.Generator,
    world: World,
    money: dict[str, Floats],
    tax: Floats,
    not_positive: Flags,
    refunded: Flags,
) -> None:
    """Firms that pay nothing on balance, credit refunds, and taxes that only some trades pay."""
    size = world.size
    export = rng.random(size) < 0.25
    money["export_credit_fen"] = np.where(export, money["export_credit_fen"] * 3, 0.0)
    for name in money:
        money[name] = np.where(not_positive, 0.0, money[name])
    loss = np.where(rng.random(size) < 0.5, -0.2, 0.0) * tax * _FEN
    money["corporate_income_tax_fen"] = np.where(not_positive, loss, money["corporate_income_tax_fen"])
    money["vat_refund_fen"] = np.where(refunded & ~not_positive, tax * 0.4 * _FEN, 0.0)
    division = np.array([int(d) for d in world.division])[world.industry]
    money["consumption_tax_fen"] = np.where((division == 15) & ~not_positive, tax * 0.5 * _FEN, 0.0)
    money["resource_tax_fen"] = np.where((division == 30) & ~not_positive, tax * 0.01 * _FEN, 0.0)


_GRAMS = {  # of one 万元 of value added in a discharging trade
    "cod_gram": 700.0,
    "ammonia_nitrogen_gram": 50.0,
    "total_phosphorus_gram": 8.0,
    "so2_gram": 250.0,
    "nox_gram": 500.0,
    "vocs_gram": 300.0,
    "particulate_gram": 150.0,
}


def _discharges(rng: np.random.Generator, world: World, value_added: Floats) -> dict[str, Floats]:
    """Grams of each pollutant, and the approved quota above their sum."""
    trade = _effects(world, 5)
    out = {name: value_added * trade * grams * _lognormal(rng, world.size, 0.7) for name, grams in _GRAMS.items()}
    total = np.sum(list(out.values()), axis=0)
    return out | {"approved_quota_gram": total * rng.uniform(1.0, 1.8, world.size)}
