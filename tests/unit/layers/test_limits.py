"""What of a layer somebody sees: columns, rows and the traces of others, by plain counting over the whole layer."""

from __future__ import annotations

import polars as pl
import pytest

from engine.layers import LAYERS, Limits, geojson, table
from engine.releases import Release
from engine.schema.columns import INDICATORS, column

MONEY = {*INDICATORS, "output_wan_yuan", "tax_wan_yuan", "score"}


def gis(name: str) -> bool:
    return "gis" in column(name).roles


def in_region(code: str) -> Limits:
    return Limits(f"x/{code}", None, pl.col("region_code").str.starts_with(code).fill_null(False), code)


@pytest.fixture(scope="module")
def county(graded: Release) -> str:
    return str(graded.rankings["region_county"].drop_nulls().mode().sort()[0])


@pytest.mark.parametrize("layer", list(LAYERS))
def test_map_staff_see_rank_grade_and_land_but_no_money(graded: Release, layer: str) -> None:
    whole, seen = table(graded, layer), table(graded, layer, Limits("gis", gis))
    assert seen.height == whole.height and not MONEY & set(seen.columns) and seen.columns[-1] == "geometry"
    assert MONEY & set(whole.columns) and LAYERS[layer].identity in seen.columns
    if layer != "regions":
        assert {"rank", "grade", "land_mu"} <= set(seen.columns)
    text = geojson(graded, layer, Limits("gis", gis))
    assert b'output_per_mu":' not in text.replace(b"rank_output_per_mu", b"") and b"tax" not in text


def test_a_region_sees_its_own_enterprises(graded: Release, county: str) -> None:
    own = set(graded.rankings.filter(pl.col("region_code").str.starts_with(county))["enterprise_id"])
    seen = table(graded, "enterprises", in_region(county))
    assert set(seen["enterprise_id"]) == own and 0 < len(own) < graded.rankings.height


def test_a_parcel_shows_nothing_of_another_regions_users(graded: Release, county: str) -> None:
    own = set(graded.rankings.filter(pl.col("region_code").str.starts_with(county))["enterprise_id"])
    whole = {r["parcel_code"]: r for r in table(graded, "parcels").drop("geometry").iter_rows(named=True)}
    seen = {
        r["parcel_code"]: r for r in table(graded, "parcels", in_region(county)).drop("geometry").iter_rows(named=True)
    }
    expected = {
        code for code, row in whole.items()
        if own & set(row["enterprise_ids"]) or (not row["enterprise_ids"] and code.startswith(county))
    }  # fmt: skip
    assert set(seen) == expected and 0 < len(seen) < len(whole)
    for code, row in seen.items():
        assert row["enterprise_ids"] == [e for e in whole[code]["enterprise_ids"] if e in own]
        if whole[code]["enterprise_id"] in own:
            assert row == {**whole[code], "enterprise_ids": row["enterprise_ids"]}
        else:
            assert all(
                row[n] is None for n in ("enterprise_id", "name", "grade", "rank", "output_per_mu", "region_code")
            )


def test_a_town_sees_its_users_parcels_and_no_unused_ones(graded: Release, county: str) -> None:
    """A parcel's code says its county and no town: its next digits are a land register's, not a town's."""
    towns = graded.rankings.filter(pl.col("region_code").str.starts_with(county))["region_code"]
    town = str(towns.drop_nulls().mode().sort()[0])[:9]
    own = set(graded.rankings.filter(pl.col("region_code").str.starts_with(town))["enterprise_id"])
    seen = table(graded, "parcels", in_region(town))
    assert own and seen.height > 0 and all(set(users) & own for users in seen["enterprise_ids"])
    unused = table(graded, "parcels").filter(pl.col("enterprise_ids").list.len() == 0)["parcel_code"][0]
    assert unused not in set(table(graded, "parcels", in_region(unused[:9]))["parcel_code"])
    assert unused in set(table(graded, "parcels", in_region(unused[:6]))["parcel_code"])


def test_an_enterprise_sees_itself(graded: Release) -> None:
    used = table(graded, "parcels").filter(pl.col("enterprises") > 1)["enterprise_ids"][0]
    only = Limits("enterprise@", None, (pl.col("enterprise_id") == used[1]).fill_null(False))
    assert table(graded, "enterprises", only)["enterprise_id"].to_list() == [used[1]]
    parcels = table(graded, "parcels", only)
    assert parcels.height and all(ids == [used[1]] for ids in parcels["enterprise_ids"].to_list())
    assert set(parcels["enterprise_id"]) <= {used[1], None}
    regions = table(graded, "regions", only)
    assert regions.height == table(graded, "regions").height
    assert (
        regions.select("enterprises", "land_mu", "output_per_mu", "grade_A").null_count().row(0)
        == (regions.height,) * 4
    )


def test_regions_show_figures_only_inside(graded: Release, county: str) -> None:
    seen = table(graded, "regions", in_region(county))
    inside = pl.col("region_code").str.starts_with(county)
    assert seen.filter(~inside)["output_per_mu"].null_count() == seen.filter(~inside).height > 0
    whole = table(graded, "regions")
    assert (
        seen.filter(inside).equals(whole.filter(inside)) and seen.filter(inside)["enterprises"].drop_nulls().sum() > 0
    )
    assert seen.select("region", "name").equals(whole.select("region", "name"))


def test_figures_of_a_region_are_sum_over_sum(graded: Release) -> None:
    """By hand: integers summed over the members, one division."""
    rows = graded.rankings
    for region in table(graded, "regions").filter(pl.col("zone_code").is_null()).iter_rows(named=True):
        members = rows.filter(pl.col("region_code").str.starts_with(region["region"]))
        if not members.height:
            assert region["enterprises"] is None
            continue
        assert region["enterprises"] == members.height
        usable = members.filter(pl.col("benefit_per_mu").is_finite())
        land, tax = (sum(usable[c].to_list()) for c in ("land_dm2_days", "tax_fen"))
        assert region["benefit_per_mu"] == (pytest.approx(tax * 366 / (15 * land), rel=1e-12) if land else None)
        assert region["ranked"] == members["rank__score__all"].count()
        for grade in "ABCDT":
            assert region[f"grade_{grade}"] == (members["grade"] == grade).sum()
