"""The smallest change is the smallest: beside every change up to a limit, tried one by one by ranking all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings

from engine.explain.next_grade import Need, needs
from engine.explain.scoring import computed_amounts
from engine.explain.telling import Telling
from engine.releases import Release
from tests.unit.explain.made import FIRMS, PACK, packs
from tests.unit.explain.years import ranked_under, release_of
from tests.unit.ranking.firms import Firm, firm

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
