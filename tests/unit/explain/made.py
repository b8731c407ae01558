"""Packs of every form, missing rule and kind of base, and years of small whole numbers, drawn at random."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.unit.ranking.firms import firm

# Sales lift one item and press another; each form, each base of this year. Small whole numbers: ties and jumps.
PACK = """
id: made
title: {{zh: 测试, en: made}}
status: illustrative
place: 测试
valid_from: 2020-01-01
basis: [{{title: 测试, source: made for tests}}]
notes: {{zh: 测试, en: for tests}}
scope: {{everyone: true}}
amounts:
  output_fen: first(invoiced_sales_fen, main_revenue_fen)
  tax_fen: total(vat_fen, stamp_tax_fen)
  benefit_fen: first(tax_fen)
  sales_fen: first(invoiced_sales_fen, main_revenue_fen)
own_indicators:
  margin: {{title: {{zh: 税率, en: margin}}, formula: tax_fen / sales_fen, unit: 万元/万元, direction: more}}
  power_intensity: {{title: {{zh: 电耗, en: power}}, formula: power_wh / output_fen, unit: 千瓦时/万元, direction: less}}
  research: {{title: {{zh: 研发, en: research}}, formula: rd_fen / sales_fen, unit: 万元/万元, direction: more}}
score:
  graded_within: region_county
  ties: {ties}
  shares: [{{grade: A, up_to_percent: 20}}, {{grade: B, up_to_percent: 60}}, {{grade: C, up_to_percent: 100}}]
  items:
{items}
tenants: {tenants}
"""
THIS = "base: {average_of: this_year, within: region_county}"
ITEMS = {
    "tax_per_mu": [f"{THIS}, floor: 0, cap: 1.5", "form: minmax_20_80"],
    "sales_per_mu": ["form: minmax_20_80", "base: {constant: 0.01}, cap: 1", THIS],
    "margin": [THIS, "base: {constant: 0.5}, cap: 2", THIS.replace("within", "average: simple_mean, within")],
    "research": [THIS.replace("within", "average: simple_mean, within"), THIS, "form: minmax_20_80"],
    "power_intensity": [f"form: inverse, {THIS}", "form: inverse, base: {constant: 100}"],
}
MISSING = ["missing: zero_score", "missing: penalty, penalty: -5", "missing: exclude_reweight"]


@st.composite
def packs(draw: st.DrawFn, tenants: str = "{rule: alone}") -> str:
    lines = []
    for name in draw(st.lists(st.sampled_from(list(ITEMS)), min_size=2, max_size=5, unique=True)):
        form, missing = draw(st.sampled_from(ITEMS[name])), draw(st.sampled_from(MISSING))
        lines.append([name, form, missing])
    weights = [100 // len(lines)] * (len(lines) - 1)
    weights.append(100 - sum(weights))
    items = "\n".join(f"    {n}: {{weight: {w}, {f}, {m}}}" for (n, f, m), w in zip(lines, weights, strict=True))
    ties = draw(st.sampled_from(["share_better_rank", "share_worse_rank"]))
    return PACK.format(items=items, ties=ties, tenants=tenants)


SMALL = st.one_of(st.none(), st.integers(0, 60))
FIRM = st.fixed_dictionaries({
    "vat_fen": SMALL, "stamp_tax_fen": SMALL, "invoiced_sales_fen": SMALL, "main_revenue_fen": SMALL, "rd_fen": SMALL,
    "power_wh": st.one_of(st.none(), st.integers(0, 300)), "land_dm2_days": st.integers(100, 900),
})  # fmt: skip
FIRMS = st.lists(FIRM, min_size=3, max_size=7).map(
    lambda rows: [firm(n, is_above_scale=1, **row) for n, row in enumerate(rows)]
)
