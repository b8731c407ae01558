"""Laws of the demo data: same seed, same bytes; shares never exceed the whole; parts sum; ranks agree with Polars'."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.demo import amounts, generate, holdings, tessellation, world
from data.demo.holdings import NOBODY, year_days
from data.demo.ranks import competition_ranks
from data.demo.settings import decimal, trap_count, vocabulary
from data.demo.truth import land_uses

N, YEARS = 3000, (2022, 2023, 2024)


def _bytes(folder: Path, seed: int) -> dict[str, str]:
    generate(folder, enterprises=150, years=(2023, 2024), seed=seed)
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(folder.rglob("*"))
        if f.is_file()
    }


def test_a_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = _bytes(tmp_path / "a", 11), _bytes(tmp_path / "b", 11)
    assert {Path(f).suffix for f in first} >= {".xlsx", ".csv", ".xls", ".shp", ".dbf", ".gpkg", ".geojson", ".parquet"}
    assert first == second


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    first, second = _bytes(tmp_path / "a", 11), _bytes(tmp_path / "b", 12)
    same = [f for f in first if first[f] == second.get(f)]
    assert all("regions" in f or f.endswith((".cpg", ".prj")) for f in same)


@pytest.fixture(scope="module")
def people() -> world.World:
    return world.build(N, YEARS, 2)


@pytest.fixture(scope="module")
def land(people: world.World) -> holdings.Holdings:
    country = tessellation.tessellate(people.regions)
    room = np.bincount(people.town, minlength=len(country.towns)) + 6
    return holdings.build(people, N, tessellation.cell_cap_dm2(country.towns, room))


@pytest.mark.parametrize("day", ["2021-12-31", "2022-06-30", "2022-07-01", "2023-02-28", "2024-12-31"])
def test_shares_of_a_parcel_never_exceed_one(land: holdings.Holdings, day: str) -> None:
    r, at = land.rights, np.datetime64(day)
    valid = (r.begin <= at) & (at <= r.end)
    share = np.bincount(r.parcel[valid], weights=r.num[valid] / r.den[valid])
    assert share.max() <= 1 + 1e-9


@pytest.mark.parametrize("year", YEARS)
def test_nobody_lets_more_than_it_holds(land: holdings.Holdings, people: world.World, year: int) -> None:
    zeros = np.zeros(len(land.rights.parcel), np.int64), np.zeros(len(land.leases.parcel), np.int64)
    used = land_uses(land, year, zeros[0], zeros[1], zeros[1])
    assert used.total(people.size).min() >= 0


@pytest.mark.parametrize("year", YEARS)
def test_land_is_neither_lost_nor_counted_twice(land: holdings.Holdings, people: world.World, year: int) -> None:
    """Σ used = Σ held by enterprises + what they rent from others."""
    r, leases = land.rights, land.leases
    zeros = np.zeros(len(r.parcel), np.int64), np.zeros(len(leases.parcel), np.int64)
    used = land_uses(land, year, zeros[0], zeros[1], zeros[1]).total(people.size).sum()
    known = r.holder != NOBODY
    parts = (land.area_dm2[r.parcel] * r.num) % r.den
    assert (parts == 0).all()  # every share comes out whole
    held = (land.area_dm2[r.parcel] * r.num // r.den * year_days(r.begin, r.end, year))[known].sum()
    outside = leases.lessor == NOBODY
    rented = (leases.area_dm2 * year_days(leases.begin, leases.end, year))[outside].sum()
    assert used == held + rented


def test_tenants_are_tenants_of_those_in_the_register(land: holdings.Holdings, people: world.World) -> None:
    lessors = land.leases.lessor[land.leases.lessor != NOBODY]
    for year in YEARS:
        assert np.isin(lessors, people.active(year)).all()
        assert np.isin(land.leases.lessee, people.active(year)).all()


def test_county_averages_are_in_the_published_range(people: world.World) -> None:
    mu = np.exp(np.random.default_rng(1).normal(2.3, 0.9, people.size))
    money = amounts.build(people, 2023, mu, N).money
    own = [t for t in amounts.TAX_SHARES if t not in ("withheld_income_tax_fen", "education_fee_fen")]
    at = people.active(2023)
    tax = sum(money[name][at] for name in [*own, "consumption_tax_fen", "resource_tax_fen"]) / 1e6
    average = np.bincount(people.county[at], weights=tax) / np.bincount(people.county[at], weights=mu[at])
    assert 8 < average.min() < 14 and 38 < average.max() < 52


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=20), st.integers(0, 6))
def test_written_numbers_are_exact(values: list[int], digits: int) -> None:
    written = decimal(np.array(values, dtype=np.int64), digits)
    assert [Decimal(w).scaleb(digits) for w in written] == values


_VALUE = st.one_of(st.integers(-5, 5).map(float), st.just(float("nan")))


@given(st.lists(st.tuples(_VALUE, st.integers(0, 3)), min_size=1, max_size=40))
def test_ranks_are_competition_ranks(rows: list[tuple[float, int]]) -> None:
    values, group = np.array([v for v, _ in rows]), np.array([g for _, g in rows])
    rank, of = competition_ranks(values, group)
    frame = pl.DataFrame({"v": values, "g": group}, nan_to_null=True)
    other = frame.select(
        rank=pl.col("v").rank("min", descending=True).over("g").fill_null(0), of=pl.col("v").count().over("g")
    )
    assert rank.tolist() == other["rank"].to_list() and of.tolist() == other["of"].to_list()


@given(st.integers(1, 10**6))
def test_every_trap_occurs_at_any_size(enterprises: int) -> None:
    assert all(trap_count(name, enterprises) >= 2 for name in vocabulary()["traps"])


def test_shared_meters_parts_sum_to_the_meter(tmp_path: Path) -> None:
    generate(tmp_path, enterprises=300, years=(2024,), seed=5)
    every = pl.read_parquet(tmp_path / "truth" / "links.parquet")
    nobody = every.filter(pl.col("kind") == "near_name", pl.col("source") == "power")["record_key"]
    links = every.filter(pl.col("kind") == "shared")
    assert links.height > 0
    used = pl.concat(
        [pl.read_csv(f, infer_schema=False) for f in sorted((tmp_path / "drops" / "power" / "2024").glob("*月.csv"))]
    )
    shared = links["record_key"].str.strip_prefix("account:").unique()
    kwh = used.filter(pl.col("户号").is_in(shared.implode()))["用电量(千瓦时)"].cast(pl.Int64).sum()
    own = used.filter(pl.col("统一社会信用代码").is_not_null() & ~pl.col("户号").is_in(shared.implode()))
    whole = own.filter(pl.col("用电量(千瓦时)").str.contains(r"^\d+$"), pl.col("月份").str.starts_with("2024"))
    facts = pl.read_parquet(tmp_path / "truth" / "facts.parquet").filter(pl.col("field") == "power_wh")
    named = used.filter(pl.col("统一社会信用代码").is_null(), pl.col("月份").str.starts_with("2024"))
    named = named.filter(~("account:" + pl.col("户号")).is_in(nobody.implode()))
    named = named.filter(~pl.col("户名").str.contains("居民委员会|、"), pl.col("用电量(千瓦时)").str.contains(r"^\d+$"))
    total = whole["用电量(千瓦时)"].cast(pl.Int64).sum() + named["用电量(千瓦时)"].cast(pl.Int64).sum() + kwh
    assert facts["with_names"].sum() == total * 1000
