"""The enterprises of the synthetic world: who they are, where, in which trade, from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from data.demo import ids, names
from data.demo.codes import Industries, Regions, industries, regions
from data.demo.settings import (
    ZONE_COUNTY,
    Days,
    Flags,
    Ints,
    flags,
    stream,
    texts,
    trap_count,
    vocabulary,
)

SOLE_PARCEL, SEVERAL_PARCELS, SHARER, TENANT, LANDLESS = range(5)
_LAND_SHARES = (0.55, 0.05, 0.07, 0.28, 0.05)
_TURNOVER = 0.02  # share of enterprises that leave, and of those that come, each year


@dataclass(frozen=True)
class World:
    """All enterprises that ever live (the pool); arrays run over the pool, ``firms`` holds its texts.

    ``firms``: uscc, org_code, reg_no, name, former_name, address and the parts of the name. ``first`` and ``last``
    are the years between which an enterprise is in the register.
    """

    seed: int
    size: int
    years: tuple[int, ...]
    regions: Regions
    industries: Industries
    firms: pl.DataFrame
    town: Ints
    industry: Ints
    first: Ints
    last: Ints
    founded: Days
    land_class: Ints
    twin: Flags
    branch: Flags
    sole: Flags
    org_only: Flags
    reg_only: Flags
    renamed: Flags

    @property
    def county(self) -> Ints:
        """Index of each enterprise's county."""
        return self.regions.town_county[self.town]

    @property
    def city(self) -> Ints:
        """Index of each enterprise's city."""
        return self.regions.county_city[self.county]

    @property
    def division(self) -> list[str]:
        """Industry division (two digits) of each industry class."""
        return [c[:2] for c in self.industries.classes]

    def active(self, year: int) -> Ints:
        """The enterprises in the register of a year, ascending."""
        return np.flatnonzero((self.first <= year) & (year <= self.last))

    def start_month(self, year: int) -> Ints:
        """The first month of the year with records: the month of founding in the first year, else January."""
        month = self.founded.astype("datetime64[M]").astype(np.int64) % 12 + 1
        return np.where(self.founded.astype("datetime64[Y]").astype(np.int64) + 1970 == year, month, 1)

    def shared_names(self) -> pl.Series:
        """Normalised names that two enterprises bear."""
        return names.keys(self.firms["name"].filter(pl.Series(self.twin))).unique()

    @cached_property
    def name_keys(self) -> pl.Series:
        """The normalised names of the pool."""
        return names.keys(self.firms["name"]).unique()

    def town_of(self, rng: np.random.Generator, county: Ints) -> Ints:
        """A town of each county, that of some enterprise there."""
        order = np.argsort(self.county, kind="stable")
        count = np.bincount(self.county, minlength=len(self.regions.counties))
        first = np.cumsum(count) - count
        return self.town[order[first[county] + (rng.random(len(county)) * count[county]).astype(np.int64)]]

    def spell(self, at: Ints, kinds: Ints) -> tuple[pl.Series, Ints]:
        """The names of ``at`` in given spellings, and whether each still identifies its enterprise.

        A slip that would give the very name of another firm is not made.
        """
        firms = self.firms[at]
        written = names.spell(firms, kinds)
        key = names.keys(written)
        others = key.is_in(self.name_keys.implode()) & (key != names.keys(firms["name"]))
        written = firms["name"].zip_with(others, written)
        return written, names.levels(written, firms, self.shared_names())


def build(enterprises: int, years: Sequence[int], seed: int) -> World:
    """A world in which exactly ``enterprises`` (50 or more) are in the register of each year, consecutive years."""
    places, trades = regions(), industries()
    rng = stream(seed, "world")
    turn = min(round(_TURNOVER * enterprises), enterprises // 5 // max(1, len(years) - 1))
    size = enterprises + turn * (len(years) - 1)
    town = _towns(places, rng, size)
    industry = rng.choice(len(trades.classes), size, p=trades.weights)
    land_class = rng.choice(5, size, p=_LAND_SHARES)
    land_class[enterprises:] = rng.choice([SOLE_PARCEL, LANDLESS], size - enterprises, p=[0.9, 0.1])
    first, last = _lives(rng, land_class, enterprises, years, turn)
    founded = _founding(rng, first, years)
    special = _special(rng, enterprises, first, last, years)
    town, industry = _pair(town, special), _pair(industry, special)
    marks = {name: flags(size, members) for name, members in special.items() if name != "twin_of"}
    firms = _firms(rng, places, trades, town, industry, special)
    marks["twin"] = marks.pop("twins") | flags(size, special["twin_of"])
    marks["branch"], marks["renamed"] = marks.pop("branches"), marks["renamed"]
    marks.pop("branch_of"), marks.pop("elsewhere")
    return World(
        seed, size, tuple(years), places, trades, firms, town, industry, first, last, founded, land_class, **marks
    )


def _towns(places: Regions, rng: np.random.Generator, size: int) -> Ints:
    weight = rng.uniform(0.3, 1.7, len(places.towns))
    city = places.county_city[places.town_county]
    for index, code in enumerate(places.cities):
        members = city == index
        weight[members] *= vocabulary()["city_weights"][code] / weight[members].sum()
    return np.asarray(rng.choice(len(places.towns), size, p=weight / weight.sum()))


def _lives(rng: np.random.Generator, land_class: Ints, base: int, years: Sequence[int], turn: int) -> tuple[Ints, Ints]:
    """First and last year in the register; those with tenants, sharers or leases stay throughout."""
    first, last = np.full(len(land_class), years[0]), np.full(len(land_class), years[-1])
    # Parcels of odd-numbered sole owners are never let: they alone may leave.
    mobile = np.flatnonzero((land_class[:base] == SOLE_PARCEL) & (np.arange(base) % 2 == 1))
    leaving = rng.permutation(mobile)
    for n, year in enumerate(years[1:]):
        first[base + n * turn : base + (n + 1) * turn] = year
        last[leaving[n * turn : (n + 1) * turn]] = year - 1
    return first, last


def _founding(rng: np.random.Generator, first: Ints, years: Sequence[int]) -> Days:
    founded = np.datetime64(f"{years[0] - 27}-01-01") + rng.integers(0, 8800, len(first)).astype("timedelta64[D]")
    new = first > years[0]
    january = np.array([f"{y}-01-01" for y in first], dtype="datetime64[D]")
    return np.where(new, january + rng.integers(0, 300, len(first)).astype("timedelta64[D]"), founded)


def _special(rng: np.random.Generator, base: int, first: Ints, last: Ints, years: Sequence[int]) -> dict[str, Ints]:
    """Disjoint sets of enterprises that carry a trap of identity; all of them live through every year."""
    lasting = rng.permutation(np.flatnonzero((first == years[0]) & (last == years[-1])))
    wanted = {
        "twins": "same_name_pairs",
        "twin_of": "same_name_pairs",
        "branches": "branches",
        "branch_of": "branches",
        "org_only": "old_id_org_only",
        "reg_only": "old_id_reg_only",
        "sole": "sole_traders",
        "renamed": "former_names",
        "elsewhere": "registered_elsewhere",
    }
    ends = np.cumsum([trap_count(trap, base) for trap in wanted.values()])
    return dict(zip(wanted, (np.asarray(m) for m in np.split(lasting[: ends[-1]], ends[:-1])), strict=True))


def _pair(values: Ints, special: dict[str, Ints]) -> Ints:
    """Branches and namesakes stand in the town and trade of the enterprise whose name they bear."""
    out = values.copy()
    out[special["twins"]] = values[special["twin_of"]]
    out[special["branches"]] = values[special["branch_of"]]
    return out


def _firms(
    rng: np.random.Generator,
    places: Regions,
    trades: Industries,
    town: Ints,
    industry: Ints,
    special: dict[str, Ints],
) -> pl.DataFrame:
    size, words = len(town), vocabulary()
    county = places.town_county[town]
    order = np.arange(size)  # which enterprise's name parts each one bears
    order[special["twins"]] = special["twin_of"]
    order[special["branches"]] = special["branch_of"]
    sole, elsewhere = flags(size, special["sole"]), flags(size, special["elsewhere"])
    number = _numbers_within(county)
    head, third = names.syllable_triples(number, county)
    form = rng.choice(len(words["forms"]), size, p=words["form_shares"])
    forms = [*words["forms"], words["sole_form"]]
    bracket = rng.random(size) < words["traps"]["bracket_names"] / 20_000
    parts = pl.DataFrame(
        {
            "place": texts(places.places(), county),
            "head": head,
            "third": third,
            "trade": texts([words["divisions"][c[:2]][6] for c in trades.classes], industry),
            "bracket": texts(["", words["bracket"]], bracket.astype(np.int64)),
            "form": texts(forms, np.where(sole, len(forms) - 1, form)),
        }
    )[order].with_columns(branch=_branches(size, special["branches"]))
    group = flags(size, special["branches"][4::5])
    parts = parts.with_columns(form=pl.when(pl.Series(group)).then(pl.lit(words["group_form"])).otherwise("form"))
    address = addresses(rng, places, town)
    beside = np.arange(size)  # every other branch stands where its head does
    beside[special["branches"][::2]] = special["branch_of"][::2]
    region = np.array([int(c) for c in places.counties])
    registered = region[np.where(elsewhere, rng.permutation(county), county)]
    prefix = np.where(sole, 92, 91)
    return names.compose(parts).with_columns(
        uscc=ids.credit_codes(prefix, registered, order * 0 + np.arange(size)),
        org_code=ids.organisation_codes(np.arange(size)),
        reg_no=ids.registration_numbers(registered, np.arange(size)),
        address=address.gather(beside),
    )


def _branches(size: int, branches: Ints) -> pl.Series:
    """What follows the legal form: a branch or works for four of five, nothing for groups beside their firm."""
    words = ["", *vocabulary()["branches"]]
    at = np.zeros(size, np.int64)
    at[branches] = np.resize([1, 2, 3, 4, 0], len(branches))
    return texts(words, at)


def _numbers_within(group: Ints) -> Ints:
    """0, 1, 2 … within each group, in order."""
    return pl.DataFrame({"g": group}).select(pl.int_range(pl.len()).over("g")).to_series().to_numpy()


def addresses(rng: np.random.Generator, places: Regions, town: Ints) -> pl.Series:
    """An address in each town: county, town, road, number."""
    roads = vocabulary()["roads"]
    county = texts(places.county_names, places.town_county[town])
    number = pl.Series(rng.integers(1, 400, len(town))).cast(pl.String)
    return (
        county + texts(places.town_names, town) + texts(roads, rng.integers(0, len(roads), len(town))) + number + "号"
    )


def zone_members(world: World) -> Flags:
    """Enterprises in the county of the zone with a pseudo code."""
    return np.asarray(world.county == world.regions.counties.index(ZONE_COUNTY))
