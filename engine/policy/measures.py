"""What a pack counts as tax, energy and pollutants, as data: each becomes one formula over facts with whole factors.

Coefficients are decimals and stay exact: they are brought to one common denominator, the *scale* of the amount. An
amount of scale 76 holds 76 times its unit, and the indicators that use it divide by 76.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Literal, Self

from pydantic import Field, model_validator

from engine.policy.faults import Fault
from engine.policy.parts import Exact, Form

Tax = Literal[
    "vat", "corporate_income_tax", "consumption_tax", "land_use_tax", "property_tax", "stamp_tax", "urban_maintenance_tax",
    "land_value_added_tax", "resource_tax", "environment_tax", "vehicle_vessel_tax",
]  # fmt: skip
Pollutant = Literal["cod", "ammonia_nitrogen", "total_phosphorus", "so2", "nox", "vocs", "particulate"]
_LARGEST_SCALE = 1000  # beyond it Int64 gets short for the largest groups
_CALORIFIC = Fraction("0.1229")  # GB/T 2589: kgce/kWh


class Measure(Form):
    """A part of a pack that stands for one amount: its formula and its scale."""

    def scaled_terms(self) -> tuple[dict[str, int], int]:
        """Whole factor of each fact, and the scale."""
        terms = self.terms()
        scale = lcm(*(f.denominator for f in terms.values()))
        if scale > _LARGEST_SCALE:
            raise Fault(
                f"the coefficients have no common denominator up to {_LARGEST_SCALE}: write them with fewer decimals",
                f"各系数的公分母超过 {_LARGEST_SCALE}：请减少小数位数",
            )
        return {fact: int(factor * scale) for fact, factor in terms.items()}, scale

    def formula(self) -> str:
        """``total(fact * factor, …)``: what is stated adds up, unknown only where nothing is stated."""
        terms, _ = self.scaled_terms()
        return f"total({', '.join(fact if k == 1 else f'{fact} * {k}' for fact, k in terms.items())})"

    def terms(self) -> dict[str, Fraction]:
        """The factor of each fact, in the unit of the amount."""
        raise NotImplementedError


class TaxScope(Measure):
    """Which taxes count. Fees never do; VAT credits of exports (免抵调), refunds of VAT credits (留抵退税, added back) and
    withheld personal income tax count where the pack says so."""

    taxes: tuple[Tax, ...] = Field(min_length=1)
    export_credit_added: bool
    vat_refund_added_back: bool
    withheld_income_tax_counted: bool
    source: str | None = None
    chosen: str | None = None

    def terms(self) -> dict[str, Fraction]:
        facts = [f"{t}_fen" for t in dict.fromkeys(self.taxes)]
        facts += ["export_credit_fen"] * self.export_credit_added
        facts += ["vat_refund_fen"] * self.vat_refund_added_back
        facts += ["withheld_income_tax_fen"] * self.withheld_income_tax_counted
        return dict.fromkeys(facts, Fraction(1))


class Energy(Measure):
    """Coefficients of energy (GB/T 2589): electricity ``calorific`` (0.1229 kgce/kWh) or of ``equal_value`` (of the year).

    ``reported_first``: the total that statistics reports counts where it is known, meters only elsewhere.
    """

    electricity: Literal["calorific", "equal_value"]
    electricity_kgce_per_kwh: Exact = Field(gt=0)
    gas_kgce_per_m3: Exact | None = Field(default=None, gt=0, le=5)
    reported_first: bool = False
    source: str | None = None
    chosen: str | None = None

    @model_validator(mode="after")
    def _coefficient_of_its_kind(self) -> Self:
        stated = Fraction(self.electricity_kgce_per_kwh)
        if self.electricity == "calorific" and stated != _CALORIFIC:
            raise Fault(
                f"the calorific value of electricity is 0.1229 kgce/kWh (GB/T 2589), not {float(stated)}",
                f"电力当量值为 0.1229 千克标准煤/千瓦时（GB/T 2589），不是 {float(stated)}",
                "electricity_kgce_per_kwh",
            )
        if self.electricity == "equal_value" and not Fraction("0.25") <= stated <= Fraction("0.45"):
            raise Fault(
                f"the equal value of electricity is about 0.31 kgce/kWh (0.25 to 0.45), not {float(stated)}; "
                "0.1229 is `calorific`",
                f"电力等价值约 0.31 千克标准煤/千瓦时（0.25–0.45），不是 {float(stated)}；0.1229 是当量值 `calorific`",
                "electricity_kgce_per_kwh",
            )
        return self

    def terms(self) -> dict[str, Fraction]:
        """kgce/kWh and kgce/m³ are 10⁴ × 0.1 mg per Wh and per litre."""
        terms = {"power_wh": Fraction(self.electricity_kgce_per_kwh) * 10**4}
        if self.gas_kgce_per_m3 is not None:
            terms["gas_litre"] = Fraction(self.gas_kgce_per_m3) * 10**4
        return terms

    def formula(self) -> str:
        _, scale = self.scaled_terms()
        metered = super().formula()
        if not self.reported_first:
            return metered
        return f"first(energy_ce{f' * {scale}' if scale > 1 else ''}, {metered})"


class Emissions(Measure):
    """The pollutants' denominator: Σ tonnes, Σ equivalents (kg per equivalent of each), or the approved quota.

    A tonne of equivalents (当量吨) is 1,000 equivalents, so that 1 kg of COD (1 kg per equivalent) weighs 1 kg.
    """

    rule: Literal["sum_of_tonnes", "equivalents", "approved_quota"]
    pollutants: tuple[Pollutant, ...] = ()
    kg_per_equivalent: dict[Pollutant, Exact] = Field(default_factory=dict)
    source: str | None = None
    chosen: str | None = None

    @model_validator(mode="after")
    def _parts_of_the_rule(self) -> Self:
        stated = {"sum_of_tonnes": bool(self.pollutants), "equivalents": bool(self.kg_per_equivalent)}
        if any(stated[k] != (k == self.rule) for k in stated):
            raise Fault(
                "`sum_of_tonnes` takes `pollutants`, `equivalents` takes `kg_per_equivalent`, `approved_quota` neither",
                "`sum_of_tonnes` 须写 `pollutants`，`equivalents` 须写 `kg_per_equivalent`，`approved_quota` 两者都不写",
            )
        if any(k <= 0 for k in self.kg_per_equivalent.values()):
            raise Fault("kg per equivalent must be above 0", "污染当量值须大于 0", "kg_per_equivalent")
        return self

    def terms(self) -> dict[str, Fraction]:
        if self.rule == "approved_quota":
            return {"approved_quota_gram": Fraction(1)}
        if self.rule == "equivalents":
            return {f"{p}_gram": 1 / Fraction(kg) for p, kg in self.kg_per_equivalent.items()}
        return {f"{p}_gram": Fraction(1) for p in dict.fromkeys(self.pollutants)}
