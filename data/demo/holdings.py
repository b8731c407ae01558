"""Who holds and who rents which parcel from when to when: the truth about land, in dates that span the years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.settings import Days, Flags, Ints, flags, pick, stream, trap_count
from data.demo.world import SEVERAL_PARCELS, SHARER, SOLE_PARCEL, TENANT, World

NOBODY = -1  # a holder or lessor that is no enterprise of the register
_DM2_PER_MU = 200_000 / 3
_EXACT = 60  # areas of shared parcels are multiples of this: halves, thirds, quarters and tenths come out whole
_LEAST_MU, _MOST_MU = 0.8, 400.0
# How co-holders share: numerators over the denominator. The third pattern leaves a tenth to nobody known.
_PATTERNS = {2: ((1, 1, 2), (3, 2, 5), (7, 3, 10)), 3: ((1, 1, 1, 3), (5, 3, 2, 10), (2, 1, 1, 4))}


@dataclass(frozen=True)
class Rights:
    """Use rights: ``parcel``, ``holder``, share ``num``/``den``, first and last day (both included)."""

    parcel: Ints
    holder: Ints
    num: Ints
    den: Ints
    begin: Days
    end: Days
    certificate: Ints


@dataclass(frozen=True)
class Leases:
    """Leases: ``parcel``, ``lessor``, ``lessee``, leased ``area_dm2``, first and last day (both included)."""

    parcel: Ints
    lessor: Ints
    lessee: Ints
    area_dm2: Ints
    begin: Days
    end: Days


@dataclass(frozen=True)
class Holdings:
    """Parcels (``town``, declared ``area_dm2``) with the rights and leases on them."""

    town: Ints
    area_dm2: Ints
    rights: Rights
    leases: Leases


def year_days(begin: Days, end: Days, year: int) -> Ints:
    """Days of ``year`` between two dates, both included."""
    first, last = np.datetime64(f"{year}-01-01"), np.datetime64(f"{year}-12-31")
    return np.maximum((np.minimum(end, last) - np.maximum(begin, first)).astype(np.int64) + 1, 0)


def build(world: World, enterprises: int, cap_dm2: Ints) -> Holdings:
    """Parcels, rights and leases of a world; ``cap_dm2``: the largest parcel that each town's cells can hold."""
    rng = stream(world.seed, "holdings")
    groups = _groups(world)
    owner, parcel, num, den = _owners(world, rng, groups, trap_count("shares_below_one", enterprises))
    vacant = trap_count("holders_without_counterpart", enterprises)
    owner = np.concatenate([owner, np.full(vacant, NOBODY)])
    parcel = np.concatenate([parcel, parcel.max(initial=-1) + 1 + np.arange(vacant)])
    num, den = (np.concatenate([x, np.ones(vacant, np.int64)]) for x in (num, den))
    town = _parcel_towns(world, rng, owner, parcel)
    area = _areas(rng, town, np.bincount(parcel) > 1, cap_dm2)
    begin, end = _dates(world, rng, owner, parcel)
    rights = Rights(parcel, owner, num, den, begin, end, rng.permutation(len(parcel)))
    rights = _transfer(world, rng, rights, trap_count("transfers", enterprises))
    return Holdings(town, area, rights, _leases(world, rng, rights, area, enterprises))


def _groups(world: World) -> list[Ints]:
    """Enterprises that share a parcel, neighbours by county: twos and threes."""
    sharers = np.flatnonzero(world.land_class == SHARER)
    sharers = sharers[np.argsort(world.county[sharers], kind="stable")]
    cuts = np.cumsum(np.resize([2, 2, 3], len(sharers)))
    groups = np.split(sharers, cuts[cuts < len(sharers)])
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [np.concatenate(groups[-2:])[-2:], np.concatenate(groups[-2:])[:-2]]
    return [g for g in groups if len(g) > 1]


def _owners(
    world: World, rng: np.random.Generator, groups: list[Ints], below_one: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Holder, parcel and share of every right of an enterprise."""
    sole = np.flatnonzero(world.land_class == SOLE_PARCEL)
    several = np.flatnonzero(world.land_class == SEVERAL_PARCELS)
    alone = np.concatenate([sole, np.repeat(several, rng.integers(2, 4, len(several)))])
    sizes = np.array([len(g) for g in groups], dtype=np.int64)
    shares = [_PATTERNS[len(g)][i % 3] for i, g in enumerate(groups)]
    num = [s[:-1] for s in shares]
    for i in range(min(below_one, len(groups))):  # the last holder has less than the rest
        shares[i], num[i] = (*shares[i][:-1], 10), ((5, 4) if sizes[i] == 2 else (4, 3, 2))
    together = np.concatenate([*groups, np.array([], np.int64)]).astype(np.int64)
    owner = np.concatenate([alone, together])
    parcel = np.concatenate([np.arange(len(alone)), len(alone) + np.repeat(np.arange(len(groups)), sizes)])
    ones = np.ones(len(alone), np.int64)
    numerators = np.array([n for part in num for n in part], dtype=np.int64)
    denominators = np.repeat(np.array([s[-1] for s in shares], dtype=np.int64), sizes)
    return owner, parcel, np.concatenate([ones, numerators]), np.concatenate([ones, denominators])


def _parcel_towns(world: World, rng: np.random.Generator, owner: Ints, parcel: Ints) -> Ints:
    """The town of each parcel: that of its first holder; parcels of nobody lie anywhere."""
    _, first = np.unique(parcel, return_index=True)
    holder = owner[first]
    return np.where(holder == NOBODY, rng.choice(world.town, len(first)), world.town[holder])


def _areas(rng: np.random.Generator, town: Ints, shared: Flags, cap_dm2: Ints) -> Ints:
    """Declared areas: log-normal, about 20 mu a parcel (16 mu an enterprise with land), larger where shared."""
    mu = np.exp(rng.normal(np.log(13.2), 0.95, len(town))) * np.where(shared, 2.0, 1.0)
    area = np.rint(np.clip(mu, _LEAST_MU, _MOST_MU) * _DM2_PER_MU).astype(np.int64)
    area = np.minimum(area, cap_dm2[town])
    return np.where(shared, area // _EXACT * _EXACT, area)


def _dates(world: World, rng: np.random.Generator, owner: Ints, parcel: Ints) -> tuple[Days, Days]:
    """Begin and end of each right: fifty years from before the first year, or from and to its holder's own time."""
    parcels = parcel.max(initial=-1) + 1
    old = np.datetime64(f"{world.years[0] - 26}-01-01") + rng.integers(0, 8500, parcels).astype("timedelta64[D]")
    begin = old[parcel]
    held = owner != NOBODY
    new = held & (world.first[owner] > world.years[0])
    begin = np.where(new, world.founded[owner], begin)
    end = begin + np.timedelta64(50 * 365, "D")
    left = held & (world.last[owner] < world.years[-1])
    leaves = np.array([f"{y}-12-31" for y in world.last[owner]], dtype="datetime64[D]")
    return begin, np.where(left, leaves, end)


def _transfer(world: World, rng: np.random.Generator, rights: Rights, count: int) -> Rights:
    """Each year some parcels pass from one holder to another at the end of June."""
    _, holder_rows = np.unique(rights.holder, return_index=True)
    several = np.flatnonzero((rights.holder != NOBODY) & (world.land_class[rights.holder] == SEVERAL_PARCELS))
    passing = rng.permutation(np.setdiff1d(several, holder_rows))[: count * len(world.years)]  # never the first parcel
    buyers = rng.choice(np.flatnonzero(world.land_class == SEVERAL_PARCELS), len(passing)) if len(passing) else passing
    buyers = np.where(buyers == rights.holder[passing], NOBODY, buyers)
    year = np.resize(np.array(world.years), len(passing))
    handover = np.array([f"{y}-07-01" for y in year], dtype="datetime64[D]")
    end, until = rights.end.copy(), rights.end[passing]
    end[passing] = handover - np.timedelta64(1, "D")
    ones = np.ones(len(passing), np.int64)
    certificates = len(rights.parcel) + np.arange(len(passing))
    join = np.concatenate
    return Rights(
        join([rights.parcel, rights.parcel[passing]]),
        join([rights.holder, buyers]),
        join([rights.num, ones]),
        join([rights.den, ones]),
        join([rights.begin, handover]),
        join([end, until]),
        join([rights.certificate, certificates]),
    )


def _leases(world: World, rng: np.random.Generator, rights: Rights, area: Ints, enterprises: int) -> Leases:
    """Every tenant rents from an owner nearby; a seventh of the leases begin or end within one of the years."""
    tenants = np.flatnonzero(world.land_class == TENANT)
    tenants = tenants[np.argsort(world.county[tenants], kind="stable")]
    outside = flags(len(tenants), pick(rng, np.arange(len(tenants)), _outside(tenants, enterprises)))
    parcel, lessor, slots = _lessors(world, rights, area, tenants, outside)
    part = rng.uniform(0.1, 0.8, len(tenants)) / slots
    leased = np.maximum((area[parcel] * part).astype(np.int64), 1)
    begin = np.datetime64(f"{world.years[0] - 7}-01-01") + rng.integers(0, 2000, len(tenants)).astype("timedelta64[D]")
    end = np.datetime64(f"{world.years[-1] + 3}-01-01") + rng.integers(0, 3000, len(tenants)).astype("timedelta64[D]")
    year = rng.choice(world.years, len(tenants))
    kind = rng.random(len(tenants))
    june = np.array([f"{y}-06-30" for y in year], dtype="datetime64[D]")
    begin = np.where(kind < 0.07, june + np.timedelta64(1, "D"), begin)
    end = np.where(kind > 0.93, june, end)
    return Leases(parcel, lessor, tenants, leased, begin, end)


def _outside(tenants: Ints, enterprises: int) -> int:
    return min(trap_count("lessors_without_counterpart", enterprises), len(tenants) // 2)


def _lessors(world: World, rights: Rights, area: Ints, tenants: Ints, outside: Flags) -> tuple[Ints, Ints, Ints]:
    """Parcel, lessor and number of that lessor's tenants, for each tenant."""
    lets = (rights.holder != NOBODY) & (area[rights.parcel] > 8 * _DM2_PER_MU)
    lets &= (world.land_class[rights.holder] == SOLE_PARCEL) & (rights.holder % 2 == 0)
    lets &= world.first[rights.holder] == world.years[0]
    owners = np.flatnonzero(lets)
    owners = owners[np.argsort(world.county[rights.holder[owners]], kind="stable")]
    vacant = np.flatnonzero((rights.holder == NOBODY) & (rights.begin < np.datetime64(f"{world.years[0]}-01-01")))
    used = max(1, min(len(owners), round(len(tenants) / 1.6)))
    at = np.linspace(0, len(owners) - 1, used).astype(np.int64)[np.arange(len(tenants)) * used // max(len(tenants), 1)]
    right = np.where(outside, np.resize(vacant, len(tenants)), owners[at])
    return rights.parcel[right], rights.holder[right], np.bincount(right)[right]
