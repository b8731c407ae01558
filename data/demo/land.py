"""Land: parcels as a layer (shapefile in the first year, GeoPackage after), rights and leases as workbooks."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo import names
from data.demo.codes import Regions
from data.demo.holdings import NOBODY, Holdings, year_days
from data.demo.names import SPELLINGS
from data.demo.settings import NOT_LINKABLE, TITLE, Flags, Ints, day_texts, decimal, stream, texts
from data.demo.tessellation import Drawn
from data.demo.truth import Uses, land_uses
from data.demo.world import World
from data.demo.writers import Sheet, write_book, write_layer
from data.demo.year import DemoYear, Spelled

_WITH_CODE, _LEASE_WITH_CODE = 0.75, 0.6
_RIGHT_TYPES = ["出让", "出让", "出让", "租赁", "先租后让", "弹性出让", "划拨"]
_NONE = pl.Series([None], dtype=pl.String)


def parcel_codes(regions: Regions, town: Ints) -> pl.Series:
    """19 characters: county, cadastral district (the town's three digits), sub-district 001, GB, five digits."""
    frame = pl.DataFrame({"town": texts(regions.towns, town)})
    number = pl.int_range(1, pl.len() + 1).over("town")
    return frame.select(
        pl.col("town")
        + (number // 100_000 + 1).cast(pl.String).str.zfill(3)
        + "GB"
        + (number % 100_000).cast(pl.String).str.zfill(5)
    ).to_series()


class Holders:
    """How each right and each side of a lease names its enterprise: by code, or by a name that may be misspelt.

    The same in every year: a certificate does not change its spelling.
    """

    def __init__(self, world: World, holdings: Holdings) -> None:
        rights, leases = holdings.rights, holdings.leases
        self.rights = _Side(world, rights.holder, "rights", _WITH_CODE)
        self.lessors = _Side(world, leases.lessor, "lessors", _LEASE_WITH_CODE)
        self.lessees = _Side(world, leases.lessee, "lessees", _LEASE_WITH_CODE)


class _Side:
    """Holders of one kind: ``level``, written ``name``, ``uscc`` where stated, record key, kind of the link."""

    def __init__(self, world: World, who: Ints, label: str, with_code: float) -> None:
        rng = stream(world.seed, "land", label)
        real = who != NOBODY
        at = np.where(real, who, 0)
        self.who = who
        self.coded: Flags = (rng.random(len(who)) < with_code) & real & ~world.reg_only[at]
        spelled = _spelled(world, rng, at)
        nobody = _strangers(world, rng, len(who))
        own = world.firms["name"].gather(at)
        self.name = own.zip_with(pl.Series(self.coded), spelled.names).zip_with(pl.Series(real), nobody)
        self.uscc = world.firms["uscc"].gather(at).zip_with(pl.Series(self.coded), _NONE)
        self.level: Ints = np.where(self.coded, 0, np.where(real, spelled.level, NOT_LINKABLE))
        key = "name:" + names.keys(self.name)
        self.keys = ("uscc:" + world.firms["uscc"].gather(at)).zip_with(pl.Series(self.coded), key)
        kind = texts([f"name_{s}" for s in SPELLINGS], spelled.kind)
        kind = pl.Series(np.where(self.coded, "id", "none")).zip_with(pl.Series(self.coded | ~real), kind)
        self.kind = kind


def _strangers(world: World, rng: np.random.Generator, count: int) -> pl.Series:
    """Holders that the register does not know: villages, and every third a firm whose name is near a known one."""
    village = pl.Series([f"示例村股份经济合作社{n:05d}" for n in range(count)])
    base, other = (rng.integers(0, world.size, count) for _ in range(2))
    near, _ = names.near(world.firms[base], world.firms[other], rng)
    free = ~names.keys(near).is_in(world.name_keys.implode()) & pl.Series(np.arange(count) % 3 == 0)
    return near.zip_with(free, village)


def _spelled(world: World, rng: np.random.Generator, at: Ints) -> Spelled:
    """Mostly the name itself; 7 % slips, short forms, swapped and dropped characters."""
    kind = rng.choice(9, len(at), p=[0.68, 0.1, 0.11, 0.04, 0.03, 0.0, 0.02, 0.01, 0.01])
    written, level = world.spell(at, np.asarray(kind))
    return Spelled(written, level, np.asarray(kind))


def uses(holdings: Holdings, holders: Holders, year: int) -> Uses:
    """Who uses which land in the year, with the level at which each record is linkable."""
    return land_uses(holdings, year, holders.rights.level, holders.lessors.level, holders.lessees.level)


def write(y: DemoYear, holders: Holders) -> None:
    """The layer of parcels, the register of rights, the list of leases."""
    _write_layer(y)
    _write_rights(y, holders.rights)
    _write_leases(y, holders.lessors, holders.lessees)


def _write_layer(y: DemoYear) -> None:
    drawn: Drawn = y.drawn
    frame = pl.DataFrame({"宗地代码": y.parcel_codes, "宗地面积": decimal(y.holdings.area_dm2, 2).cast(pl.Float64)})
    suffix = "shp" if y.year == y.world.years[0] else "gpkg"
    write_layer(y.folder("land") / f"宗地_{y.year}.{suffix}", frame, drawn.polygons, layer=f"宗地_{y.year}")
    y.truth.trap("area_conflicts", int(drawn.conflict.sum()))
    y.truth.trap("invalid_rings", int(drawn.invalid.sum()))
    y.truth.written("land", frame.height)


def _write_rights(y: DemoYear, side: _Side) -> None:
    w, h = y.world, y.holdings
    r = h.rights
    at = np.flatnonzero(year_days(r.begin, r.end, y.year) > 0)
    rng = stream(w.seed, "land", "columns")
    kinds = rng.integers(0, len(_RIGHT_TYPES), len(r.parcel))[at]
    ratio = rng.integers(60, 260, len(r.parcel))[at]
    town = h.town[r.parcel[at]]
    county = w.regions.town_county[town]
    certificate = pl.Series(r.certificate[at]).cast(pl.String).str.zfill(7)
    place = texts(w.regions.county_names, county) + texts(w.regions.town_names, town)
    frame = pl.DataFrame(
        {
            "宗地代码": y.parcel_codes.gather(r.parcel[at]),
            "土地使用权人": side.name.gather(at),
            "统一社会信用代码": side.uscc.gather(at),
            "不动产权证号": "苏(示例)不动产权第" + certificate + "号",
            "使用权面积(平方米)": decimal(h.area_dm2[r.parcel[at]], 2),
            "份额": _shares(r.num[at], r.den[at]),
            "用途": pl.repeat("0601", len(at), eager=True),
            "使用权类型": texts(_RIGHT_TYPES, kinds),
            "起始日期": day_texts(r.begin[at]),
            "终止日期": day_texts(r.end[at]),
            "容积率": decimal(ratio, 2),
            "坐落": _situated(y, r.holder[at], place),
        }
    )
    numbers = frozenset({"使用权面积(平方米)", "容积率"})
    sheet = Sheet(frame, above=[[f"工业用地使用权登记{TITLE}"]], numbers=numbers, name="使用权")
    write_book(y.folder("land") / f"土地使用权登记{y.year}.xlsx", sheet)
    y.truth.link("land", side.keys.gather(at), r.holder[at], side.coded[at], side.kind.gather(at))
    y.truth.written("land", len(at))
    _count_rights(y, side, at)


def _situated(y: DemoYear, holder: Ints, place: pl.Series) -> pl.Series:
    """Where a parcel lies: six of ten at the holder's own address, the rest only by town."""
    w, real = y.world, holder != NOBODY
    own = w.firms["address"].gather(np.where(real, holder, 0))
    told = real & (stream(w.seed, "land", "situated").random(w.size)[holder] < 0.6)
    return own.zip_with(pl.Series(told), place + "示例地块")


def _count_rights(y: DemoYear, side: _Side, at: Ints) -> None:
    r, first, last = y.holdings.rights, np.datetime64(f"{y.year}-01-01"), np.datetime64(f"{y.year}-12-31")
    shared = at[r.den[at] > 1]
    share = np.bincount(r.parcel[shared], weights=r.num[shared] / r.den[shared])
    passed = np.isin(r.end[at], np.datetime64(f"{y.year}-06-30")) & (r.den[at] == 1)
    counts = {
        "parcels": len(y.holdings.town),
        "parcels_shared": len(np.unique(r.parcel[shared])),
        "parcels_shares_below_one": int(((share > 0) & (share < 0.999)).sum()),
        "parcels_passed_on_in_the_year": int(passed.sum()),
        "rights_beginning_in_the_year": int(((r.begin[at] >= first) & (r.begin[at] <= last)).sum()),
        "rights_without_counterpart": int((r.holder[at] == NOBODY).sum()),
        "rights_by_name": int((~side.coded[at] & (r.holder[at] != NOBODY)).sum()),
        "rights_names_not_linkable": int(((side.level[at] == NOT_LINKABLE) & (r.holder[at] != NOBODY)).sum()),
    }
    for name, count in counts.items():
        y.truth.trap(name, count)


def _shares(num: Ints, den: Ints) -> pl.Series:
    """Shares as written: fractions where a decimal would not be exact, else percent, decimals, or nothing for all."""
    frame = pl.DataFrame({"n": num, "d": den})
    n, d = pl.col("n"), pl.col("d")
    fraction = n.cast(pl.String) + "/" + d.cast(pl.String)
    return frame.select(
        pl.when(d == 1)
        .then(None)
        .when(d == 3)
        .then(fraction)
        .when(d == 2)
        .then((100 * n // d).cast(pl.String) + "%")
        .when(d == 4)
        .then(fraction)
        .otherwise((n / d).round(2).cast(pl.String))
    ).to_series()


def _write_leases(y: DemoYear, lessors: _Side, lessees: _Side) -> None:
    leases = y.holdings.leases
    days = year_days(leases.begin, leases.end, y.year)
    at = np.flatnonzero(days > 0)
    frame = pl.DataFrame(
        {
            "出租方": lessors.name.gather(at),
            "出租方统一社会信用代码": lessors.uscc.gather(at),
            "承租方": lessees.name.gather(at),
            "承租方统一社会信用代码": lessees.uscc.gather(at),
            "宗地代码": y.parcel_codes.gather(leases.parcel[at]),
            "租赁面积(平方米)": decimal(leases.area_dm2[at], 2),
            "租赁起始日期": day_texts(leases.begin[at]),
            "租赁终止日期": day_texts(leases.end[at]),
        }
    )
    sheet = Sheet(frame, above=[[f"工业用地租赁情况{TITLE}"]], numbers=frozenset({"租赁面积(平方米)"}), name="租赁")
    write_book(y.folder("land") / f"土地租赁{y.year}.xlsx", sheet)
    y.truth.link("land", lessors.keys.gather(at), leases.lessor[at], lessors.coded[at], lessors.kind.gather(at))
    y.truth.link("land", lessees.keys.gather(at), leases.lessee[at], lessees.coded[at], lessees.kind.gather(at))
    y.truth.written("land", len(at))
    whole = 366 if y.year % 4 == 0 else 365
    y.truth.trap("leases", len(at))
    y.truth.trap("leases_of_part_of_the_year", int((days[at] < whole).sum()))
    y.truth.trap("leases_lessor_without_counterpart", int((leases.lessor[at] == NOBODY).sum()))
