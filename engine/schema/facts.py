"""The dictionary of facts: every amount that departments supply and policies compute with.

A fact's name ends in its smallest unit (``vat_fen``, ``power_wh``). ``over_year`` says how the records of one
year become one value: flows are summed, stocks averaged or taken from the last period.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One amount per enterprise and year: name with unit, quantity (engine.schema.units), titles, rule over the year."""

    name: str
    quantity: str
    zh: str
    en: str
    over_year: str = "sum"  # sum | mean | max


def _money(name: str, zh: str, en: str) -> Fact:
    return Fact(name, "money", zh, en)


def _mass(name: str, zh: str, en: str) -> Fact:
    return Fact(name, "mass", zh, en)


FACTS: dict[str, Fact] = {
    f.name: f
    for f in (
        Fact("land_dm2_days", "area", "用地面积×天数", "land used, area × days of the year"),
        _money("invoiced_sales_fen", "应税（开票）销售收入", "invoiced sales"),
        _money("vat_fen", "增值税", "value added tax"),
        _money("corporate_income_tax_fen", "企业所得税", "corporate income tax"),
        _money("consumption_tax_fen", "消费税", "consumption tax"),
        _money("export_credit_fen", "免抵调额", "export VAT credited"),
        _money("vat_refund_fen", "留抵退税", "refund of VAT credits"),
        _money("land_use_tax_fen", "城镇土地使用税", "urban land use tax"),
        _money("property_tax_fen", "房产税", "property tax"),
        _money("stamp_tax_fen", "印花税", "stamp tax"),
        _money("urban_maintenance_tax_fen", "城市维护建设税", "urban maintenance tax"),
        _money("land_value_added_tax_fen", "土地增值税", "land value added tax"),
        _money("resource_tax_fen", "资源税", "resource tax"),
        _money("environment_tax_fen", "环境保护税", "environment protection tax"),
        _money("vehicle_vessel_tax_fen", "车船税", "vehicle and vessel tax"),
        _money("withheld_income_tax_fen", "代扣代缴个人所得税", "withheld personal income tax"),
        _money("education_fee_fen", "教育费附加", "education surcharge (a fee, not a tax)"),
        Fact("power_wh", "electricity", "用电量", "electricity used"),
        Fact("gas_litre", "volume", "用气量", "gas used"),
        Fact("water_litre", "volume", "用水量", "water used"),
        _mass("cod_gram", "化学需氧量", "chemical oxygen demand"),
        _mass("ammonia_nitrogen_gram", "氨氮", "ammonia nitrogen"),
        _mass("total_phosphorus_gram", "总磷", "total phosphorus"),
        _mass("so2_gram", "二氧化硫", "sulphur dioxide"),
        _mass("nox_gram", "氮氧化物", "nitrogen oxides"),
        _mass("vocs_gram", "挥发性有机物", "volatile organic compounds"),
        _mass("particulate_gram", "颗粒物", "particulate matter"),
        _mass("approved_quota_gram", "核定排污权", "approved discharge quota"),
        Fact("is_above_scale", "count", "是否规上", "in the above-scale register at 31 December", "max"),
        _money("main_revenue_fen", "主营业务收入", "main business revenue"),
        _money("output_value_fen", "工业总产值", "gross output value"),
        _money("value_added_fen", "工业增加值", "industrial value added"),
        _money("profit_fen", "利润总额", "total profit"),
        _money("rd_fen", "研发经费", "R&D spending"),
        Fact("employees", "count", "年平均从业人数", "average employees", "mean"),
        Fact("insured_persons", "count", "参保人数", "insured persons", "mean"),
        Fact("is_exempt", "count", "在免评名单", "on the bureau's list of exemptions", "max"),
        Fact("energy_ce", "coal", "综合能源消费量", "total energy used"),
    )
}

_SHIPPED = tuple(FACTS)


def adopt(own: Iterable[Fact]) -> None:
    """Add the facts that a bureau declared in its own source files; those of a warehouse before are forgotten."""
    for name in [n for n in FACTS if n not in _SHIPPED]:
        del FACTS[name]
    FACTS.update({fact.name: fact for fact in own if fact.name not in FACTS})
