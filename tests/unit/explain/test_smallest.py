"""The smallest change is the smallest: beside every change up to a limit, tried one by one by ranking all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.explain.next_grade import Need, needs
from engine.explain.scoring import computed_amounts
from engine.explain.telling import Telling
from engine.releases import Release
from tests.unit.explain.years import ranked_under, release_of
from tests.unit.ranking.firms import Firm, firm

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
LIMIT = 120
Links = Sequence[tuple[str, str]]


def asked(release: Release, enterprise: str) -> list[Need]:
    told = Telling(release, release.enterprise(enterprise), "en")
    return needs(told, computed_amounts(told))


def tried(text: str, firms: list[Firm], at: int, fact: str, changes: list[int], links: Links = ()) -> list[float]:
    """The per cent that its place comes to for every change: a county of its own for every one of them."""
    rows: list[dict[str, Any]] = []
    for county, change in enumerate(changes):
        for n, one in enumerate(firms):
            moved = one | ({fact: (one.get(fact) or 0) + change} if n == at else {})
            place = f"{county:06}"
            rows.append(moved | {"enterprise_id": f"{place}-{one['enterprise_id']}", "region_county": place})
    relations = relations_of([(f"{c:06}-{a}", f"{c:06}-{b}") for c in range(len(changes)) for a, b in links])
    table = ranked_under(text, rows, relations)
    table = table.filter(pl.col("enterprise_id").str.ends_with(firms[at]["enterprise_id"]))
    return [r * 100 / of if r else 1000.0 for r, of in table.select("grade_rank", "grade_of").iter_rows()]


def relations_of(links: Links) -> pl.DataFrame:
    """Tenants by owner, as the bureau lists them."""
    rows = [(owner, tenant, "租户", None, None) for owner, tenant in links]
    names = ("enterprise_id", "other_enterprise_id", "kind")
    schema = dict.fromkeys(names, pl.String) | {"from_on": pl.Date, "to_on": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def judged(text: str, firms: list[Firm], at: int, links: Links = ()) -> list[Need]:
    """What the enterprise is told, each change compared with all up to :data:`LIMIT` tried one by one."""
    enterprise = firms[at]["enterprise_id"]
    with tempfile.TemporaryDirectory() as folder:
        release = release_of(Path(folder), text, firms, relations_of(links))
        told = Telling(release, release.enterprise(enterprise), "en")
        computed = computed_amounts(told)
        found = needs(told, computed)
    for need in found:
        less = need.amount == "power_wh"
        most = min(LIMIT, computed[need.lever.name] or 0) if less else LIMIT
        changes = [-n if less else n for n in range(1, most + 1)]
        shares = tried(text, firms, at, need.lever.name, changes, links) if changes else []
        first = next((c for c, share in zip(changes, shares, strict=True) if share <= need.up_to), None)
        assert (need.change if abs(need.change or 0) <= LIMIT else None) == first, need
    return found


def worst_of(text: str, firms: list[Firm], links: Links = ()) -> int | None:
    """The enterprise of the last place."""
    table = ranked_under(text, firms, relations_of(links)).filter(pl.col("grade_rank").is_not_null())
    last = table.sort("grade_rank", "enterprise_id")["enterprise_id"].to_list()[-1:]
    return next((n for n, f in enumerate(firms) if [f["enterprise_id"]] == last), None)


@settings(max_examples=15, deadline=None)
@given(packs(), FIRMS)
def test_it_is_the_first_of_all_changes_tried_one_by_one(text: str, firms: list[Firm]) -> None:
    at = worst_of(text, firms)
    if at is not None:
        judged(text, firms, at)


@settings(max_examples=6, deadline=None)
@given(packs("{rule: merged, relations: [租户]}"), FIRMS)
def test_it_is_the_first_for_an_owner_with_its_tenants_too(text: str, firms: list[Firm]) -> None:
    """The first enterprise owns the land of the second and, through it, of the third."""
    ids = [f["enterprise_id"] for f in firms]
    links = [(ids[0], ids[1]), (ids[1], ids[2])]
    judged(text, firms, 0, links)
    at = worst_of(text, firms, links)
    if at is not None:
        judged(text, firms, at, links)


def test_a_line_that_is_reached_in_a_narrow_place_only_is_found() -> None:
    """Sales up to a cap lift it; beyond, research per sales falls: only +498 … +503 reach the other's score."""
    items = (
        "    sales_per_mu: {weight: 80, base: {constant: 100}, cap: 1, missing: zero_score}\n"
        "    research: {weight: 20, base: {constant: 1}, missing: zero_score}"
    )
    text = PACK.format(items=items, ties="share_better_rank", tenants="{rule: alone}")
    figures = [(1000, 1000), (1500, 998), (1500, 998)]
    firms = [
        firm(n, is_above_scale=1, invoiced_sales_fen=s, rd_fen=r, land_dm2_days=366) for n, (s, r) in enumerate(figures)
    ]
    with tempfile.TemporaryDirectory() as folder:
        (sales, _) = asked(release_of(Path(folder), text, firms), "E000000")
    assert sales.lever.name == "invoiced_sales_fen" and sales.change is not None
    shares = tried(text, firms, 0, "invoiced_sales_fen", [sales.change - 1, sales.change, 503, 504])
    assert [share <= sales.up_to for share in shares] == [False, True, True, False]
