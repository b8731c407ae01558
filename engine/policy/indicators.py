"""The indicators that policies may name: numerator and denominator amounts, exact whole-number factors, unit.

value = (numerator × ``times``) ÷ (denominator × ``by``): one float64 division of exact integers. The factors bring the
smallest units to the unit shown: 万元/亩 = fen × days ÷ (15 × dm² × days), tce = ce ÷ 10¹⁰, t = g ÷ 10⁶.
Land enters as ``land_dm2_days`` and the numerator is multiplied by the days of the year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.schema.units import WAN_YUAN_PER_MU


@dataclass(frozen=True)
class Indicator:
    """One indicator: amounts by name, integer factors, unit, titles, whether more or less of it is better."""

    name: str
    numerator: str
    denominator: str
    times: int
    by: int
    unit: str
    zh: str
    en: str
    direction: Literal["more", "less"] = "more"

    @property
    def per_land(self) -> bool:
        """Whether the denominator is land in dm² × days."""
        return self.denominator == "land_dm2_days"


def _per_mu(name: str, numerator: str, zh: str, en: str) -> Indicator:
    return Indicator(name, numerator, "land_dm2_days", 1, WAN_YUAN_PER_MU, "万元/亩", zh, en)


def _per_tce(name: str, numerator: str, zh: str, en: str) -> Indicator:
    return Indicator(name, numerator, "energy_used_ce", 10**4, 1, "万元/吨标准煤", zh, en)


INDICATORS: dict[str, Indicator] = {
    i.name: i
    for i in (
        _per_mu("output_per_mu", "output_fen", "亩均产出", "output per mu"),
        _per_mu("benefit_per_mu", "benefit_fen", "亩均效益", "benefit per mu"),
        _per_mu("tax_per_mu", "tax_fen", "亩均税收", "tax per mu"),
        _per_mu("sales_per_mu", "sales_fen", "亩均销售", "sales per mu"),
        _per_mu("value_added_per_mu", "value_added_fen", "亩均增加值", "value added per mu"),
        _per_mu("revenue_per_mu", "main_revenue_fen", "亩均营业收入", "revenue per mu"),
        _per_tce("value_added_per_tce", "value_added_fen", "单位能耗增加值", "value added per tce"),
        _per_tce("tax_per_tce", "tax_fen", "单位能耗税收", "tax per tce"),
        _per_tce("revenue_per_tce", "main_revenue_fen", "单位能耗营业收入", "revenue per tce"),
        Indicator("tax_per_kwh", "tax_fen", "power_wh", 10, 1, "元/千瓦时", "单位用电税收", "tax per kWh"),
        Indicator("value_added_per_t_emission", "value_added_fen", "emission_gram", 1, 1, "万元/吨", "单位排放增加值",
                  "value added per tonne of pollutants"),
        Indicator("tax_per_t_emission", "tax_fen", "emission_gram", 1, 1, "万元/吨", "单位排放税收",
                  "tax per tonne of pollutants"),
        Indicator("value_added_per_t_cod", "value_added_fen", "cod_gram", 1, 1, "万元/吨", "单位COD增加值",
                  "value added per tonne of COD"),
        Indicator("value_added_per_t_water", "value_added_fen", "water_litre", 1, 1000, "万元/吨", "单位用水增加值",
                  "value added per tonne of water"),
        Indicator("labour_productivity", "value_added_fen", "employees", 1, 10**6, "万元/人", "全员劳动生产率",
                  "labour productivity"),
        Indicator("rd_ratio", "rd_fen", "main_revenue_fen", 1, 1, "", "研发经费占比", "R&D ÷ main revenue"),
    )
}  # fmt: skip
